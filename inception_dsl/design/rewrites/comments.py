"""The comments of a spec."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from ...diagnostics.report import Edit, Span
from ...yaml.document import Document
from ...yaml.edits import Editor
from ...yaml.items import Item

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")


def comments(text: str, document: Document) -> Counter[str]:
    """How often each comment is in a text; ``document`` says what is a value."""
    return Counter(comments_by_line(text, document).values())


def comments_by_line(text: str, document: Document) -> dict[int, str]:
    """The comments of a text by the numbers of their lines."""
    lines = text.split("\n")
    values: list[list[tuple[int, int]]] = [[] for _ in range(len(lines) + 2)]
    for path, span in document.spans.items():
        data = document.data
        for part in path:
            data = data[part]
        if isinstance(data, dict | list):
            continue
        for number in range(span.line, span.end_line + 1):
            start = span.column - 1 if number == span.line else 0
            end = span.end_column - 1 if number == span.end_line else len(lines[number - 1])
            values[number].append((start, end))
    for span in document.keys.values():
        values[span.line].append((span.column - 1, span.end_column - 1))
    return {
        number: match[0].strip()
        for number, line in enumerate(lines, 1)
        for match in [_first(line, values[number])]
        if match is not None
    }


def without_field(text: str, document: Document, name: str, *lines: str) -> Edit:
    """Put lines in place of a field of the file, which is on lines of its own; comments stay."""
    first = document.keys[name,]
    line, column = Item(Editor(document, {document.file: text}), (name,)).end
    last = line - (column == 1)
    found = comments_by_line(text, document)
    kept = [*lines, *(found[number] for number in range(first.line, last + 1) if number in found)]
    return Edit(Span(document.file, first.line, 1, last + 1, 1), "".join(f"{k}\n" for k in kept))


def _first(line: str, values: list[tuple[int, int]]) -> re.Match[str] | None:
    """The comment of a line: the first ``#`` outside of values."""
    for match in re.finditer(r"#", line):
        inside = any(start <= match.start() < end for start, end in values)
        if not inside and (found := _COMMENT.match(line, match.start())):
            return found
    return None
