"""Where the cursor is in a text that is being written, and so may be no valid YAML.

A word in place of the one at the cursor is found again in the data. Where the text after the cursor
does not let it be read, only the text before it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Report
from ..yaml.document import DataPath, Document
from ..yaml.source import parse

_MARK: Final = "cursor_here"
_WORD: Final = re.compile(r"[\w.:/$-]*\Z")
_CLOSED: Final = {"[": "]", "{": "}"}
_TOKEN: Final = re.compile(r"#[^\n]*|'(?:[^'\n]|'')*'|\"(?:[^\"\\\n]|\\.)*\"|[\[\]{}]|\n")


class Context(NamedTuple):
    """The path of the value, or of the mapping with the key, that is being written.

    ``start`` is the index of the word at the cursor; ``text`` is the spec with the mark.
    """

    document: Document
    path: DataPath
    is_key: bool
    start: int
    text: str

    def at(self, path: DataPath) -> Any:
        """The data at a path; ``None`` if there is nothing."""
        found = self.document.data
        for part in path:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found


def context(text: str, offset: int) -> Context | None:
    """The context of the cursor at an index of the text; ``None`` if it cannot be found."""
    word = _WORD.search(text, max(0, offset - 100), offset)
    start = word.start() if word else offset
    for marked in _candidates(text, start, offset):
        document = parse(marked, "text", Report())
        if document is not None and (found := _find(document.data, ())) is not None:
            return Context(document, *found, start, marked)
    return None


def _candidates(text: str, start: int, offset: int) -> Iterator[str]:
    """The text with the mark as a key, and as a value; then only the text before the cursor."""
    before, after = text[:start], text[offset:]
    rest = re.sub(r"\A[\w.:/$-]*", "", after)
    line_end = rest.find("\n")
    line = before[before.rfind("\n") + 1 :]
    closing = _closing(before)
    beginnings = [f"{_MARK}: 0", _MARK]
    if re.search(r":[ \t]+\Z", line):
        beginnings = [_MARK]
    elif re.fullmatch(r"[ \t]*(?:- +)*", line) is None and not closing:
        beginnings = [_MARK, f"{_MARK}: 0"]
    for mark in beginnings:
        yield before + mark + rest
        yield before + mark + ", " + rest
    for mark in beginnings:
        if line_end >= 0:
            yield before + mark + closing + rest[line_end:]
            yield before + mark + rest[:line_end]
        yield before + mark + closing


def _closing(before: str) -> str:
    """The quote and the brackets that close those that are open."""
    open_ones: list[str] = []
    for token in _TOKEN.findall(before):
        if token in _CLOSED:
            open_ones.append(_CLOSED[token])
        elif open_ones and token == open_ones[-1]:
            open_ones.pop()
    line = _TOKEN.sub("", before[before.rfind("\n") + 1 :])
    quote = next((one for one in "\"'" if one in line), "")
    return quote + "".join(reversed(open_ones))


def _find(value: Any, path: DataPath) -> tuple[DataPath, bool] | None:
    """The path of the mark, and whether it is a key."""
    stack: list[tuple[Any, DataPath]] = [(value, path)]
    while stack:
        value, path = stack.pop()
        if isinstance(value, str) and _MARK in value:
            return path, False
        if isinstance(value, dict):
            if _MARK in value:
                return path, True
            stack += [(inner, (*path, key)) for key, inner in value.items()]
        elif isinstance(value, list):
            stack += [(inner, (*path, index)) for index, inner in enumerate(value)]
    return None
