"""Edits of a spec's text, addressed by paths in the document.

Each change is a tuple of :class:`~inception_dsl.diagnostics.report.Edit`. It is empty if the text
cannot be edited safely: it is on the command line, or not written in a simple form.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise, starmap
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Edit, Span
from .document import DataPath, Document

Edits = tuple[Edit, ...]
_PLAIN: Final = re.compile(r"(?:\$?[A-Za-z_]|\.\.?/)(?:[A-Za-z0-9_./-]|:(?=[a-z]))*\Z")
_SEPARATOR: Final = re.compile(r"\s*,?\s*(?:#.*)?\r?")
_CHARACTER: Final = re.compile(r".")
_DOUBLED: Final = re.compile(r"''|.")
_ESCAPED: Final = re.compile(r"\\x..|\\u.{4}|\\U.{8}|\\.|.")
_ANCHOR: Final = re.compile(r"(?:&[^\s,\[\]{}]+\s*)?")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def flow(value: Any, room: float = math.inf) -> str:
    """``value`` as one-line YAML, valid in any context.

    A long value is cut after about ``room`` characters.
    """
    if isinstance(value, dict | list | tuple):
        text = ""
        for entry in value:
            if len(text) > room:
                break
            text += ", " if text else ""
            text += f"{flow(entry)}: " if isinstance(value, dict) else ""
            text += flow(value[entry] if isinstance(value, dict) else entry, room - len(text))
        return f"{{{text}}}" if isinstance(value, dict) else f"[{text}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if _PLAIN.match(value) and value.lower() not in _WORDS:
            return value
        if not value.isprintable() or ("'" in value and '"' not in value):
            return json.dumps(value, ensure_ascii=False)
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else str(value)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with all edits applied; insertions at the same location keep their order."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, len(text))

    for _, (span, new) in sorted(
        enumerate(edits), key=lambda e: (e[1].span[1:], e[0]), reverse=True
    ):
        text = (
            text[: offset(span.line, span.column)]
            + new
            + text[offset(span.end_line, span.end_column) :]
        )
    return text


class Editor(NamedTuple):
    """Makes edits of one document. ``texts`` has the text of every file."""

    document: Document
    texts: Mapping[str, str]

    def replace(self, path: DataPath, text: str) -> Edits:
        """Replace the value at ``path`` with ``text``."""
        return _edit(self.document.spans.get(path), text)

    def rename(self, path: DataPath, key: str) -> Edits:
        """Rename the key at ``path``."""
        return _edit(self.document.keys.get(path), key)

    def wrap(self, path: DataPath, before: str, after: str) -> Edits:
        """Insert ``before`` and ``after`` around a value on one line."""
        span = self.document.spans.get(path)
        if span is None or not span.in_a_file or not self.tight(path):
            return ()
        return Edit(_start(span), before), Edit(_end(span), after)

    def append(self, path: DataPath, text: str) -> Edits:
        """Insert ``text`` after a value on one line."""
        span = self.document.spans.get(path)
        return (
            (Edit(_end(span), text),)
            if span is not None and span.in_a_file and self.tight(path)
            else ()
        )

    def part(self, path: DataPath, offset: int, length: int, text: str) -> Edits:
        """Replace ``length`` characters of a scalar, from ``offset`` into its value."""
        span = self.document.spans.get(path)
        if span is None:
            return ()
        within = inside(span, offset, length, self.texts)
        return _edit(within, text) if within != span else ()

    def item(self, path: DataPath) -> Edits:
        """Turn the block mapping at ``path`` into a list with one entry."""
        span, first = self.document.spans.get(path), self.first(path)
        if span is None or first is None or not span.in_a_file or self.at(span) == "{":
            return ()
        key = self.document.keys[first]
        lines = _lines(self.texts[span.file])[key.line : span.end_line]
        indent = " " * (key.column - 1)
        deeper = [
            i
            for i, line in enumerate(lines, key.line + 1)
            if line.startswith(indent) and line.strip()
        ]
        return Edit(_start(key), "- "), *(Edit(Span(span.file, i, 1, i, 1), "  ") for i in deeper)

    def insert(self, path: DataPath, key: str, text: str) -> Edits:
        """Add a field to the mapping at ``path``: after its first field if that is a scalar."""
        span, first = self.document.spans.get(path), self.first(path)
        if span is None or not span.in_a_file:
            return ()
        if first is None:
            return _edit(span, f"{{{key}: {text}}}") if self.at(span) == "{" else ()
        name = self.document.keys.get(first)
        if name is None or name.file != span.file:
            return ()
        inside_braces = self.at(span) == "{"
        alias = self.document.aliases.get(first)
        after = alias or self.document.spans.get(first)
        if after is not None and after.file == span.file and (alias or self.scalar(first)):
            if inside_braces:
                return (Edit(_end(after), f", {key}: {text}"),)
            end = len(_line(after, self.texts).rstrip("\r")) + 1  # after a comment, if it has one
            here = after._replace(line=after.end_line, column=end, end_column=end)
            return (Edit(here, "\n" + " " * (name.column - 1) + f"{key}: {text}"),)
        behind = ", " if inside_braces else "\n" + " " * (name.column - 1)
        return (Edit(_start(name), f"{key}: {text}{behind}"),)

    def remove(self, path: DataPath) -> Edits:
        """Remove the field at ``path``."""
        own, value = self.document.keys.get(path), self.document.spans.get(path)
        fields = self.fields(path[:-1])
        if own is None or value is None or not own.in_a_file or path not in fields:
            return ()
        index = fields.index(path)
        if index + 1 < len(fields) and self.beside(path, fields[index + 1]):
            after = self.document.keys[fields[index + 1]]
            return (Edit(own._replace(end_line=after.line, end_column=after.column), ""),)
        if (
            index
            and self.beside(fields[index - 1], path)
            and self.tight(fields[index - 1])
            and self.tight(path)
        ):
            before = self.document.spans[fields[index - 1]]
            return (
                Edit(
                    Span(
                        own.file,
                        before.end_line,
                        before.end_column,
                        value.end_line,
                        value.end_column,
                    ),
                    "",
                ),
            )
        return ()

    def lift(self, path: DataPath, text: str) -> Edits:
        """Replace a mapping's only key by ``text`` and the fields of its value.

        ``{conv: {filters: 8}}`` becomes ``{op: conv, filters: 8}``.
        """
        key, value = self.document.keys.get(path), self.document.spans.get(path)
        first = self.first(path)
        if (
            key is None
            or value is None
            or first is None
            or not key.in_a_file
            or len(self.fields(path[:-1])) > 1
        ):
            return ()
        start = key._replace(end_line=value.line, end_column=value.column)
        if self.at(value) == "{":
            if not self.tight(path):
                return ()
            begin = start._replace(end_column=value.column + 1)
            outer = self.document.spans[path[:-1]]
            if self.at(outer) != "{":
                return (Edit(begin, f"{{{text}, "),)
            return Edit(begin, f"{text}, "), Edit(value._replace(column=value.end_column - 1), "")
        deeper, indent = value.column - key.column, " " * (value.column - 1)
        lines = _lines(self.texts[value.file])[value.line : value.end_line]
        rows = [i for i, line in enumerate(lines, value.line + 1) if line.startswith(indent)]
        shorter = (Edit(Span(value.file, i, 1, i, 1 + deeper), "") for i in rows)
        return Edit(start, f"{text}\n{' ' * (key.column - 1)}"), *shorter

    def unwrap(self, path: DataPath) -> Edits:
        """Replace the key at ``path`` by the fields of its value, if all are scalars."""
        key, inner = self.document.keys.get(path), self.fields(path)
        if not inner:
            return self.remove(path)
        texts = [self.written(field) for field in inner]
        apart = not all(starmap(self.beside, pairwise(inner)))
        if key is None or not key.in_a_file or apart or not all(texts):
            return ()
        last = self.document.spans[path] if self.tight(path) else self.document.spans[inner[-1]]
        between = (
            ", "
            if self.at(self.document.spans[path[:-1]]) == "{"
            else "\n" + " " * (key.column - 1)
        )
        return (
            Edit(
                key._replace(end_line=last.end_line, end_column=last.end_column),
                between.join(texts),
            ),
        )

    def written(self, path: DataPath) -> str:
        """The source text of a field with a scalar value on one line; else empty."""
        key, value = self.document.keys[path], self.document.spans[path]
        if key.line != value.line or not self.scalar(path):
            return ""
        return _line(key, self.texts)[key.column - 1 : value.end_column - 1]

    def fields(self, path: DataPath) -> list[DataPath]:
        """The fields of a mapping in source order; empty if they come from several files."""
        found = self.document.fields(path)
        if len({self.document.keys[p].file for p in found}) > 1:
            return []
        return sorted(found, key=lambda p: self.document.keys[p])

    def beside(self, one: DataPath, other: DataPath) -> bool:
        """Whether only a separator is between two fields of a mapping.

        The fields of a step with ``each`` or of an overlay are not all written in one mapping.
        """
        start, end = self.document.spans[one], self.document.keys[other]
        lines = _lines(self.texts.get(start.file, ""))[start.end_line - 1 : end.line]
        if (start.end_line, start.end_column) > (end.line, end.column):
            return False
        lines[-1] = lines[-1][: end.column - 1]
        lines[0] = lines[0][start.end_column - 1 :]
        return all(_SEPARATOR.fullmatch(line) for line in lines)

    def first(self, path: DataPath) -> DataPath | None:
        """The first field of a mapping, if any."""
        found = self.fields(path)
        return found[0] if found else None

    def scalar(self, path: DataPath) -> bool:
        """Whether the value at ``path`` is a scalar on one line."""
        return self.tight(path) and self.at(self.document.spans[path]) not in "{[|>"

    def tight(self, path: DataPath) -> bool:
        """Whether a value is on one line and its span ends where its text does."""
        span = self.document.spans.get(path)
        return span is not None and span.line == span.end_line and span.end_column > span.column

    def at(self, span: Span) -> str:
        """The first character of a span, after its anchor if it has one."""
        text = _line(span, self.texts)[span.column - 1 :]
        return _ANCHOR.sub("", text, count=1)[:1]


def inside(span: Span, offset: int, length: int, texts: Mapping[str, str]) -> Span:
    """The span of ``length`` characters of a scalar, from ``offset`` into its value.

    The whole scalar if it has several lines.
    """
    if span.line != span.end_line:
        return span
    raw = _line(span, texts)[span.column - 1 : span.end_column - 1]
    quote = raw[:1] if raw[:1] in ("'", '"') else ""
    unit = _ESCAPED if quote == '"' else _DOUBLED if quote else _CHARACTER
    starts = [match.start() for match in unit.finditer(raw, len(quote), len(raw) - len(quote))]
    starts.append(len(raw) - len(quote))
    if offset + length >= len(starts) + (length == 1):  # one location after the last character
        return span
    start, end = starts[offset], starts[min(offset + length, len(starts) - 1)]
    column = span.column + start
    return Span(span.file, span.line, column, span.line, max(span.column + end, column + 1))


@lru_cache(maxsize=4)
def _lines(text: str) -> list[str]:
    return text.split("\n")


def _line(span: Span, texts: Mapping[str, str]) -> str:
    lines = _lines(texts.get(span.file, ""))
    return lines[span.line - 1] if span.line <= len(lines) else ""


def _edit(span: Span | None, text: str) -> Edits:
    return (Edit(span, text),) if span is not None and span.in_a_file else ()


def _start(span: Span) -> Span:
    return span._replace(end_line=span.line, end_column=span.column)


def _end(span: Span) -> Span:
    return span._replace(line=span.end_line, column=span.end_column)
