"""Positions in a text: those of the Language Server Protocol and those of diagnostics.

The protocol counts lines and UTF-16 code units from 0, and `\\r` alone ends a line. Diagnostics
count lines that end with `\\n`, and characters, from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, NamedTuple

from ..diagnostics.report import Span

_ENDS: Final = re.compile(r"\r\n|\n|\r")
_MARK: Final = "\ufeff"


class Position(NamedTuple):
    """A position of the protocol."""

    line: int
    character: int


class Text:
    """A text with its positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = [0, *(end.end() for end in _ENDS.finditer(text))]
        self._rows = [0, *(end.end() for end in re.finditer("\n", text))]
        self._marked = text.startswith(_MARK)  # the compiler does not count a byte order mark

    def offset(self, line: int, character: int) -> int:
        """The index in the text of a position of the protocol; past an end it is that end."""
        if line >= len(self._lines):
            return len(self.text)
        start = self._lines[line]
        end = self._lines[line + 1] if line + 1 < len(self._lines) else len(self.text)
        content = self.text[start:end].rstrip("\r\n")
        if content.isascii():
            return start + min(character, len(content))
        for index, one in enumerate(content):
            character -= units(one)
            if character < 0:
                return start + index
        return start + len(content)

    def position(self, offset: int) -> Position:
        """The position of the protocol of an index in the text."""
        line = bisect_right(self._lines, offset) - 1
        return Position(line, units(self.text[self._lines[line] : offset]))

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column in diagnostics of an index in the text."""
        row = bisect_right(self._rows, offset) - 1
        return row + 1, offset - self._rows[row] + 1 - (row == 0 and self._marked)

    def index(self, line: int, column: int) -> int:
        """The index in the text of a line and column in diagnostics; past an end it is that end."""
        if line > len(self._rows):
            return len(self.text)
        start = self._rows[line - 1] + (line == 1 and self._marked)
        end = self._rows[line] - 1 if line < len(self._rows) else len(self.text)
        return max(start, min(start + column - 1, end))

    def range(self, span: Span) -> tuple[Position, Position]:
        """The start and the end of a location in diagnostics."""
        start, end = self.index(span.line, span.column), self.index(span.end_line, span.end_column)
        return self.position(start), self.position(max(start, end))

    def changed(self, start: Position, end: Position, new: str) -> Text:
        """The text with ``new`` between two positions."""
        first, last = self.offset(*start), self.offset(*end)
        return Text(self.text[:first] + new + self.text[max(first, last) :])


def units(text: str) -> int:
    """The number of UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
