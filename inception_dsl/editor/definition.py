"""Where what the cursor is on is defined: a block, a spec, a parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..diagnostics.report import SHIPPED, Report, Span
from ..language import shipped
from ..language.file_names import named
from ..yaml.document import DataPath, Document
from ..yaml.source import parse
from .names import defined, names

_NAME: Final = re.compile(r"[a-z_0-9]+")


def definition(
    path: str, text: str, place: tuple[int, int], texts: Mapping[str, str]
) -> tuple[Span, str] | None:
    """Where what is at a line and column of the spec at ``path`` is defined, and the text there."""
    document = parse(text, path, Report())
    found = _value_at(document, *place) if document is not None else None
    if document is None or found is None:
        return None
    value = document.data
    for part in found:
        value = value[part]
    if not isinstance(value, str):
        return None
    key, above = found[-1], found[:-1]
    known = names(path, {**texts, path: text})
    if (key == "extends" and not above) or above[-1:] == ("import",):
        return Span(named(value, path), 1, 1, 1, 1), ""
    span = None
    if key in ("use", "extends"):
        block = known.blocks.get(value)
        span = defined(block) if block is not None else None
    elif "$" in value:
        span = known.parameters(found).get(_parameter(text, place), ("", None))[1]
    return None if span is None else (span, known.texts.get(span.file, ""))


def file_of(span: Span) -> str:
    """The path of the file of a location."""
    name = span.file.removeprefix(SHIPPED)
    return span.file if name == span.file else str(Path(shipped.folder()) / f"{name}.yaml")


def _parameter(text: str, place: tuple[int, int]) -> str:
    """The name at a line and column."""
    line = text.split("\n")[place[0] - 1]
    column = place[1] - 1
    for one in _NAME.finditer(line):
        if one.start() <= column <= one.end():
            return one[0]
    return ""


def _value_at(document: Document, line: int, column: int) -> DataPath | None:
    """The path of the smallest value at a location."""
    best: tuple[tuple[int, int], DataPath] | None = None
    for path, span in document.spans.items():
        start, end = (span.line, span.column), (span.end_line, span.end_column)
        if path and start <= (line, column) <= end and (best is None or start >= best[0]):
            best = start, path
    return best[1] if best is not None else None
