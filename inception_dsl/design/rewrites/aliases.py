"""Aliases that are written out: steps with one text, of which only some change, get their own.

An alias (``*conv``) that changes gets the text of its anchor (``&conv``). If the anchor itself
changes, it moves to the first alias that stays. The data of the file remain as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...diagnostics.report import Edit, Report, Span
from ...yaml.document import DataPath, Document
from ...yaml.edits import Editor, flow
from ...yaml.items import Item
from ...yaml.layout import WIDTH, layout
from ...yaml.source import parse
from .edited import applied
from .places import Place
from .written import Texts

_MOST: Final = 600
"""The most characters of a text that is written out: a larger one is better repeated by hand."""


def written_out(chosen: Iterable[Place], texts: Texts) -> dict[str, str]:
    """The texts of the files in which the chosen steps share none with others; only those files
    that change. Empty if a text is too large, or cannot be written there.
    """
    by_file: dict[str, list[DataPath]] = {}
    for place in chosen:
        origin = place.node.origin
        by_file.setdefault(origin.span().file, []).append(origin.path)
    found = {}
    for file, paths in by_file.items():
        text = _Aliases(texts.document(file), texts.texts[file]).text(paths, texts.paths[file])
        parsed = None if text is None else parse(text, file, Report())
        if text is None or parsed is None or parsed.data != texts.document(file).data:
            return {}
        found[file] = text
    return found


class _Aliases:
    """The anchors and aliases of a file."""

    def __init__(self, document: Document, text: str) -> None:
        self.document, self.whole = document, text
        self.editor = Editor(document, {document.file: text})
        self.out: dict[Span, DataPath] = {}
        self.moved: dict[Span, None] = {}

    def text(self, paths: Iterable[DataPath], same: Mapping[Span, list[DataPath]]) -> str | None:
        """The new text; ``same`` are the paths with the text at a span."""
        for path in paths:
            if (alias := self._alias(path)) is not None:
                self.out[self.document.aliases[alias]] = alias
                continue
            for other in same[self.document.spans[path]]:
                if (alias := self._alias(other)) is not None:
                    self.moved[self.document.spans[alias]] = None
        edits = [*self._moves()]
        edits += [edit for alias in self.out.values() for edit in self._replaced(alias)]
        return None if any(len(edit.text) > _MOST for edit in edits) else applied(self.whole, edits)

    def _alias(self, path: DataPath) -> DataPath | None:
        """The alias that a part of the file is written by, if any: the outermost."""
        starts = (path[:size] for size in range(1, len(path) + 1))
        return next((start for start in starts if start in self.document.aliases), None)

    def _moves(self) -> Iterable[Edit]:
        """The edits that move anchors whose own text changes."""
        for anchor in self.moved:
            aliases = {
                token: path
                for path, token in self.document.aliases.items()
                if self.document.spans[path] == anchor and token not in self.out
            }
            name = self._line(anchor)[anchor.column - 1 :].split()[0]
            yield Edit(self._name(anchor, name), "")
            if aliases:
                yield from self._replaced(aliases[min(aliases)], f"{name} ")

    def _name(self, anchor: Span, name: str) -> Span:
        """The span of the name of an anchor, with the space beside it.

        A step below the name of its anchor begins beside its dash then.
        """
        end, line = anchor.column + len(name), self._line(anchor)
        rest, before = line[end - 1 :], line[: anchor.column - 1]
        if rest.strip():
            end += len(rest) - len(rest.lstrip())
            return anchor._replace(end_line=anchor.line, end_column=end)
        if not before.rstrip().endswith("-"):
            start = len(before.rstrip()) + 1
            return anchor._replace(column=start, end_line=anchor.line, end_column=end)
        below = self._line(anchor._replace(line=anchor.line + 1))
        first = len(below) - len(below.lstrip()) + 1
        return anchor._replace(end_line=anchor.line + 1, end_column=first)

    def _replaced(self, alias: DataPath, name: str = "") -> Iterable[Edit]:
        """Write the value of an anchor in place of an alias."""
        token, value = self.document.aliases[alias], self._value(alias)
        text = f"{name}{self._source(alias) or flow(value)}"
        item = isinstance(alias[-1], int) and Item(self.editor, alias).indent is not None
        if item and not name and isinstance(value, dict) and len(text) + token.column > WIDTH:
            text = layout(value, token.column - 1).strip()
        return (Edit(token, text),)

    def _value(self, path: DataPath) -> Any:
        found = self.document.data
        for part in path:
            found = found[part]
        return found

    def _source(self, alias: DataPath) -> str:
        """The text of a value on one line, as it is written; empty if it is not to be copied."""
        span = self.document.spans[alias]
        if not self.editor.tight(alias) or self.editor.at(span) in "|>":
            return ""
        written = self._line(span)[span.column - 1 : span.end_column - 1]
        own = written.partition(" ")[2].lstrip()
        return "" if {"&", "*"} & {*own} else own

    def _line(self, span: Span) -> str:
        lines = self.whole.split("\n")
        return lines[span.line - 1].rstrip("\r") if span.line <= len(lines) else ""
