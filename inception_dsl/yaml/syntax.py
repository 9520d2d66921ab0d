"""What the YAML parser finds wrong with a text, in plain words, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..diagnostics.report import Edit, Span

_LONGEST: Final = 500
_HEXADECIMAL: Final = re.compile("[0-9a-fA-F]{1,8}")
_EXPLAINED: Final = (
    (
        "that cannot start any token",
        "no value can start with this character",
        "put the text in quotes",
    ),
    ("expected ',' or ']'", "a `,` or the closing `]` is missing", ""),
    ("expected ',' or '}'", "a `,` or the closing `}` is missing", ""),
    (
        "mapping values are not allowed",
        "a `:` does not belong here",
        "check the indentation, or quote the text",
    ),
    ("could not find expected ':'", "a `:` is missing after the key", ""),
    (
        "expected key",
        "this does not fit the indentation around it",
        "line it up with the fields above",
    ),
    (
        "expected <block end>",
        "this does not fit the indentation around it",
        "line it up with what stands above",
    ),
    (
        "expected '-' indicator",
        "this does not fit the indentation around it",
        "line it up with the `-` above",
    ),
    ("unexpected end of stream", "the quotes are not closed", ""),
    ("hexdecimal number", "this escape needs more hexadecimal digits", "or use single quotes"),
    (
        "unknown escape character",
        "this escape is unknown",
        "use single quotes, or write the backslash twice",
    ),
    ("sequence entries are not allowed", "a list cannot start here", "start it on the next line"),
    ("<document start>", "this stands outside of the document", ""),
    (
        "alphabetic or numeric character",
        "a name is missing after `&` or `*`",
        "put the text in quotes",
    ),
    ("node content", "a value is missing here", ""),
)


def explained(problem: str, text: str, span: Span) -> tuple[str, str, tuple[Edit, ...]]:
    """What the parser calls ``problem`` at a place.

    A sentence, help, and edits that do what it says.
    """
    lines = text.split("\n")
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    if line[span.column - 1 : span.column] == "\t":
        return "a tab cannot indent", "use spaces", tuple(_without_tabs(lines, span.file))
    escape = _HEXADECIMAL.match(line, span.column - 1)
    if "invalid Unicode character" in problem and escape:
        return f"U+{int(escape[0], 16):04X} is no character", "", ()
    for words, message, help in _EXPLAINED:
        if words in problem:
            return (
                message,
                help,
                tuple(_quoted(line, span)) if words.startswith("mapping values") else (),
            )
    return "the text is not valid YAML", "", ()


def _without_tabs(lines: list[str], file: str) -> Iterator[Edit]:
    """Two spaces for every tab that indents."""
    for number, line in enumerate(lines, 1):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if "\t" in indent:
            yield Edit(Span(file, number, 1, number, len(indent) + 1), indent.replace("\t", "  "))


def _quoted(line: str, span: Span) -> Iterator[Edit]:
    """Quotes around a text with a colon, which starts behind the first colon of its line."""
    if len(line) > _LONGEST:
        return
    found = re.match(
        r"[ ]*(?:- )?[A-Za-z_]+:[ ]+([^\s\"'{\[&*|>#][^\"]*?)[ ]*(?:[ ]#.*)?\r?$", line
    )
    if found and found.start(1) < span.column <= found.end(1) + 1:
        for column in (found.start(1) + 1, found.end(1) + 1):
            yield Edit(Span(span.file, span.line, column, span.line, column), '"')
