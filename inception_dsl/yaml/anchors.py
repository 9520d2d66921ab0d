"""Anchors in YAML text: an edit may replace the value of one that aliases still stand for."""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics.report import Edit, Span
from .document import DataPath, Document
from .edits import Edits, flow
from .layout import WIDTH


def moved_anchors(document: Document, text: str, edits: Sequence[Edit]) -> Edits:
    """Edits that move each anchor that ``edits`` remove to the first alias that stays.

    A value on several lines is written on one; raises ``ValueError`` if it is too long for that.
    """
    aliases: dict[Span, dict[Span, DataPath]] = {}
    for path, alias in document.aliases.items():
        aliases.setdefault(document.spans[path], {})[alias] = path
    found = []
    for anchor, own in aliases.items():
        staying = sorted(alias for alias in own if not _removed(alias, edits))
        if not staying or not _removed(anchor, edits):
            continue
        line = text.split("\n")[anchor.line - 1]
        written = line[anchor.column - 1 : anchor.end_column - 1]
        if anchor.line != anchor.end_line:
            name, value = line[anchor.column - 1 :].split()[0], document.data
            for part in own[staying[0]]:
                value = value[part]
            written = f"{name} {flow(value)}"
            if len(written) > WIDTH:
                raise ValueError(f"other parts have what is written at `{name}`, on several lines")
        found.append(Edit(staying[0], written))
    return tuple(found)


def _removed(span: Span, edits: Sequence[Edit]) -> bool:
    """Whether one of the edits removes the text at a span."""
    return any(
        (edit.span.line, edit.span.column) <= (span.line, span.column)
        and (span.end_line, span.end_column) <= (edit.span.end_line, edit.span.end_column)
        for edit in edits
    )
