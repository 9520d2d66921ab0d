"""Edits of lists of steps in YAML text: new entries beside one, and a fork around one.

All edits keep the text of the entry itself, with its comments; entries may be written in braces or
on several lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Edit, Span
from .document import DataPath
from .edits import Editor, Edits, flow
from .layout import WIDTH, layout

_COMMENT: Final = re.compile(r"\s(#.*)")
_DASH: Final = re.compile(r"(\s*)- +\Z")


class Around(NamedTuple):
    """A fork around an entry: ``other`` is a branch before that of the entry.

    ``own`` is the name of the entry's branch, ``behind`` are the steps after it there. ``name`` is
    that of the fork; the entry loses its own.
    """

    other: tuple[str, Any]
    own: str
    merge: str
    behind: Sequence[Any] = ()
    name: str | None = None


class Item(NamedTuple):
    """An entry of a list in a document, to be edited."""

    editor: Editor
    path: DataPath

    @property
    def span(self) -> Span:
        """Its location in the list: of an alias that of its token."""
        document = self.editor.document
        return document.aliases.get(self.path) or document.spans[self.path]

    @property
    def flow(self) -> bool:
        """Whether the list is written in brackets."""
        return self.editor.at(self.editor.document.spans[self.path[:-1]]) == "["

    @property
    def in_braces(self) -> bool:
        """Whether the entry itself is written in braces, at its anchor if it is an alias."""
        return self.editor.at(self.editor.document.spans[self.path]) == "{"

    @property
    def anchored(self) -> bool:
        """Whether the entry itself has an anchor or is an alias."""
        return self.line(self.span.line)[self.span.column - 1 :][:1] in ("&", "*")

    @property
    def indent(self) -> str | None:
        """The text before the dash of an entry of a block list; ``None`` if it is no plain one."""
        before = self.line(self.span.line)[: self.span.column - 1]
        match = _DASH.fullmatch(before)
        return match[1] if match else None

    @property
    def simple(self) -> bool:
        """Whether the entry can be edited: it begins right after its dash, comma or bracket."""
        before = self.line(self.span.line)[: self.span.column - 1].rstrip()
        return before[-1:] in ("", "[", ",") if self.flow else self.indent is not None

    @property
    def end(self) -> tuple[int, int]:
        """Where the text of the entry ends: a line, and the column after its last character."""
        document, size = self.editor.document, len(self.path)
        if self.path in document.aliases or self.whole(self.path):
            return self.span.end_line, self.span.end_column
        return max(
            (span.end_line, span.end_column)
            for table in (document.spans, document.aliases)
            for path, span in table.items()
            if path[:size] == self.path and (table is document.aliases or self.whole(path))
        )

    def whole(self, path: DataPath) -> bool:
        """Whether the span of a value ends where its text does: not that of a block collection."""
        data = self.editor.document.data
        for part in path:
            data = data[part]
        return not isinstance(data, dict | list) or (
            self.editor.at(self.editor.document.spans[path]) in ("{", "[")
        )

    def line(self, number: int) -> str:
        """A line of the file, without its line break."""
        lines = self.editor.texts[self.span.file].split("\n")
        return lines[number - 1].rstrip("\r") if number <= len(lines) else ""

    def before(self, *steps: Any) -> Edits:
        """Insert steps before the entry."""
        if self.flow:
            inserted = "".join(f"{text},{self.gap(text)}" for text in map(flow, steps))
            return (Edit(_at(self.span, self.span.line, self.span.column), inserted),)
        lines = self.listed(steps, len(self.indent or ""))
        return (Edit(_at(self.span, self.span.line, 1), "".join(f"{line}\n" for line in lines)),)

    def after(self, *steps: Any) -> Edits:
        """Insert steps after the entry."""
        line, column = self.end
        if self.flow:
            inserted = "".join(f",{self.gap(text, number=line)}{text}" for text in map(flow, steps))
            return (Edit(_at(self.span, line, column), inserted),)
        return (self.below(self.listed(steps, len(self.indent or ""))),)

    def listed(self, steps: Sequence[Any], indent: int) -> list[str]:
        """The lines of steps in a block list."""
        return layout([*steps], indent).splitlines() if steps else []

    def below(self, lines: Sequence[str]) -> Edit:
        """Insert whole lines below the entry of a block list."""
        line, column = self.end
        if column == 1:  # after a text of several lines (`|`)
            return Edit(_at(self.span, line, 1), "".join(f"{text}\n" for text in lines))
        here = _at(self.span, line, len(self.line(line)) + 1)
        return Edit(here, "".join(f"\n{text}" for text in lines))

    def gap(self, *texts: str, number: int | None = None) -> str:
        """What separates new entries of a list in brackets: a space, or a new line that begins
        below the first entry. The texts are for the line ``number``, or that of the entry.
        """
        line = self.line(number or self.span.line)
        if len(line) + sum(len(text) + 2 for text in texts) <= WIDTH:
            return " "
        first = Item(self.editor, (*self.path[:-1], 0)).span
        column = (first if first.line == self.span.line else self.span).column - 1
        if column + max(map(len, texts)) > WIDTH:
            line = self.line(self.span.line)
            column = len(line) - len(line.lstrip()) + 2 * (first.line == self.span.line)
        return f"\n{' ' * column}"

    def around(self, fork: Around, *after: Any, gone: Edits = ()) -> Edits:
        """Put a fork around the entry, and steps after the fork.

        The edits ``gone`` remove the name of the entry, whose comment the fork gets.
        """
        if self.flow:
            return (*gone, *self._in_brackets(fork, after))
        here, first = " " * (self.span.column - 1), self.span.line
        name, value = fork.other
        head = f"name: {fork.name}{self._comment(gone)}\n{here}" if fork.name else ""
        head += f"branches:\n{here}  {name}: {flow(value)}\n{here}  {fork.own}:\n{here}    - "
        line, column = self.end
        last = line - (column == 1)
        removed = {number for edit in gone for number in _beginnings(edit.span)}
        deeper = [
            Edit(_at(self.span, number, 1), " " * 6)
            for number in range(first + 1, last + 1)
            if self.line(number).strip() and number not in removed
        ]
        lines = self.listed(fork.behind, len(here) + 4)
        lines += [f"{here}merge: {fork.merge}"]
        lines += self.listed(after, len(self.indent or ""))
        start = Edit(_at(self.span, first, self.span.column), head)
        return *gone, start, *deeper, self.below(lines)

    def _comment(self, gone: Edits) -> str:
        """The comment beside the fields that the edits remove, in front of a line break."""
        texts = self.editor.texts[self.span.file].split("\n")
        for span, _ in gone:
            lines = [line.rstrip("\r") for line in texts[span.line - 1 : span.end_line]]
            lines[-1] = lines[-1][: span.end_column - 1]
            lines[0] = lines[0][span.column - 1 :]
            if match := _COMMENT.search("\n".join(lines)):
                return f"  {match[1]}"
        return ""

    def _in_brackets(self, fork: Around, after: Sequence[Any]) -> Edits:
        name, value = fork.other
        fields = f"name: {fork.name}, " if fork.name else ""
        other, own = f"{name}: {flow(value)},", f"{fork.own}: ["
        gap = self.gap(fields, other, own)
        head = f"{{{fields}merge: {fork.merge}, branches: {{{gap.lstrip(' ')}{other}{gap}{own}"
        line, column = self.end
        behind, then = [*map(flow, fork.behind)], [*map(flow, after)]
        gap = self.gap(*behind, *then, "", number=line)
        tail = "".join(f",{gap}{step}" for step in behind) + "]}}"
        tail += "".join(f",{gap}{step}" for step in then)
        start = _at(self.span, self.span.line, self.span.column)
        return Edit(start, head), Edit(_at(self.span, line, column), tail)


def _beginnings(span: Span) -> range:
    """The lines whose beginnings are in a span."""
    return range(span.line + (span.column > 1), span.end_line + (span.end_column > 1))


def _at(span: Span, line: int, column: int) -> Span:
    """An empty span in the same file, for an insertion."""
    return Span(span.file, line, column, line, column)
