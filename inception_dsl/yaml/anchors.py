"""Anchors in YAML text: an edit may replace the value of one that aliases still stand for."""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics.report import Edit, Span
from .document import Document
from .edits import Edits


def moved_anchors(document: Document, text: str, edits: Sequence[Edit]) -> Edits:
    """Edits that move each anchor that ``edits`` remove to the first alias that stays.

    Raises ``ValueError`` if its value has several lines, which cannot be moved.
    """
    aliases: dict[Span, set[Span]] = {}
    for path, alias in document.aliases.items():
        aliases.setdefault(document.spans[path], set()).add(alias)
    found = []
    for anchor, own in aliases.items():
        staying = sorted(alias for alias in own if not _removed(alias, edits))
        if not staying or not _removed(anchor, edits):
            continue
        line = text.split("\n")[anchor.line - 1]
        if anchor.line != anchor.end_line:
            name = line[anchor.column - 1 :].split()[0]
            raise ValueError(f"other parts have what is written at `{name}`, on several lines")
        found.append(Edit(staying[0], line[anchor.column - 1 : anchor.end_column - 1]))
    return tuple(found)


def _removed(span: Span, edits: Sequence[Edit]) -> bool:
    """Whether one of the edits removes the text at a span."""
    return any(
        (edit.span.line, edit.span.column) <= (span.line, span.column)
        and (span.end_line, span.end_column) <= (edit.span.end_line, edit.span.end_column)
        for edit in edits
    )
