"""Error messages and fixes for the problems that the YAML parser reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import yaml

from ..diagnostics.report import Edit, Span
from .edits import apply
from .slips import Slip, slip

_LONGEST: Final = 500
_HEXADECIMAL: Final = re.compile("[0-9a-fA-F]{1,8}")
_EXPLAINED: Final = (
    (
        "that cannot start any token",
        "a value cannot start with this character",
        "quote the text",
    ),
    ("expected ',' or ']'", "missing `,` or closing `]`", ""),
    ("expected ',' or '}'", "missing `,` or closing `}`", ""),
    (
        "mapping values are not allowed",
        "unexpected `:`",
        "fix the indentation, or quote the text",
    ),
    ("could not find expected ':'", "missing `:` after the key", ""),
    (
        "expected key",
        "wrong indentation",
        "align it with the fields above",
    ),
    (
        "expected <block end>",
        "wrong indentation",
        "align it with the lines above",
    ),
    (
        "expected '-' indicator",
        "wrong indentation",
        "align it with the `-` above",
    ),
    ("unexpected end of stream", "missing closing quote", ""),
    (
        "hexdecimal number",
        "this escape needs more hexadecimal digits",
        "use single quotes, or add digits",
    ),
    (
        "unknown escape character",
        "unknown escape",
        "use single quotes, or double the backslash",
    ),
    ("sequence entries are not allowed", "a list cannot start here", "start it on the next line"),
    ("<document start>", "text outside of the document", ""),
    (
        "alphabetic or numeric character",
        "missing name after `&` or `*`",
        "quote the text",
    ),
    ("node content", "missing value", ""),
)


def explained(problem: str, text: str, span: Span, begun: Span | None) -> Slip:
    """The location, message, help and edits for the parser's ``problem`` at ``span``.

    ``begun`` is where what the parser could not finish begins.
    """
    lines = text.split("\n")
    found = slip(problem, lines, span, begun) or Slip(span, *_explained(problem, lines, span))
    return found if _helps(text, found.fix, span.line) else found._replace(fix=())


def _helps(text: str, fix: Iterable[Edit], line: int) -> bool:
    """Whether the parser gets beyond a ``line`` with a fix."""
    try:
        for _ in yaml.parse(apply(text, fix), getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except yaml.MarkedYAMLError as error:
        after = error.problem_mark
        return after is not None and after.line >= line
    except (yaml.YAMLError, RecursionError):
        return False
    return True


def _explained(problem: str, lines: list[str], span: Span) -> tuple[str, str, tuple[Edit, ...]]:
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    if line[span.column - 1 : span.column] == "\t":
        return "tab in the indentation", "use spaces", tuple(_without_tabs(lines, span.file))
    escape = _HEXADECIMAL.match(line, span.column - 1)
    if "invalid Unicode character" in problem and escape:
        return f"U+{int(escape[0], 16):04X} is not a character", "", ()
    if problem.startswith("mapping values") and (above := _below_a_value(lines, span)):
        help = "write the missing line above this one, or fix the indentation"
        return f"nothing can be below `{above}`, which has a value", help, ()
    for words, message, help in _EXPLAINED:
        if words in problem:
            expressions = list(_expressions(line)) if words.startswith("expected ','") else []
            if any(start < span.column <= end for start, end, _ in expressions):
                return _quote_expressions(expressions, span)
            return (
                message,
                help,
                tuple(_quoted(line, span)) if words.startswith("mapping values") else (),
            )
    return "the text is not valid YAML", "", ()


def _below_a_value(lines: list[str], span: Span) -> str:
    """The line ``key: value`` that the line at ``span`` is indented below; empty if there is none.

    YAML reads both lines as one value, up to a colon.
    """
    line = lines[span.line - 1]
    above = next((text for text in reversed(lines[: span.line - 1]) if text.strip()), "")
    indents = [len(text) - len(text.lstrip(" ")) for text in (above, line)]
    found = re.fullmatch(r" *(?:- )?(\w+: [^\s#'\"{\[|>&*].{0,80}?) *(?: #.*)?\r?", above)
    return found[1] if found and indents[0] < indents[1] else ""


_LINE: Final = re.compile(r"([ \t]*)((?:-[ \t]+)*)(.*?)[ \t]*(?:[ \t]#.*)?\r?")


def _without_tabs(lines: list[str], file: str) -> Iterator[Edit]:
    """Replaces the tabs in indentations by spaces.

    A line gets the indentation of the last line that has the same tabs; else it is below the line
    before if that ends with a colon, or beside it.
    """
    widths: dict[tuple[str, bool], int] = {}
    dash = field = 0  # where an entry like the last one, and a field like the last one, begin
    opens = False
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line[:_LONGEST])
        if found is None:
            continue
        entry, (indent, dashes) = bool(found[2]), found.groups()[:2]
        if found[3][:1] in ("", "#"):
            if "\t" in indent:
                yield Edit(Span(file, number, 1, number, len(indent) + 1), " " * dash)
            continue
        width = len(indent)
        if "\t" in indent:
            beside = field + 2 if opens else dash if entry else field
            width = beside if opens else widths.get((indent, entry), beside)
            yield Edit(Span(file, number, 1, number, len(indent) + 1), " " * width)
        widths[indent, entry] = width
        dash, field = width if entry else dash, width + len(dashes)
        opens = found[3].endswith(":")


_EXPRESSION: Final = re.compile(r"(?<=[:,\[])[ ]*(\$\{[^{}\"\'#]{0,256}\})(?=[ ]*(?:[,}\]#]|\r?$))")


def _expressions(line: str) -> Iterator[tuple[int, int, str]]:
    """The expressions ``${…}`` without quotes in a line: start, end and text."""
    for found in _EXPRESSION.finditer(line) if len(line) <= _LONGEST else ():
        yield found.start(1), found.end(1), found[1]


def _quote_expressions(
    found: list[tuple[int, int, str]], span: Span
) -> tuple[str, str, tuple[Edit, ...]]:
    """The error for ``{filters: ${n * 2}}``: YAML ends the value before the inner ``{``."""
    text = next(text for start, end, text in found if start < span.column <= end)
    fix = [
        Edit(Span(span.file, span.line, start + 1, span.line, end + 1), f'"{text}"')
        for start, end, text in found
    ]
    help = f'write `"{text}"`'
    return f"`{text}` needs quotes inside of `{{…}}` and `[…]`", help, tuple(fix)


def _quoted(line: str, span: Span) -> Iterator[Edit]:
    """Quotes the text after the first colon of a line, where it contains another colon."""
    if len(line) > _LONGEST:
        return
    found = re.match(
        r"[ ]*(?:- )?[A-Za-z_]+:[ ]+([^\s\"'{\[&*|>#][^\"]*?)[ ]*(?:[ ]#.*)?\r?$", line
    )
    if found and found.start(1) < span.column <= found.end(1) + 1:
        for column in (found.start(1) + 1, found.end(1) + 1):
            yield Edit(Span(span.file, span.line, column, span.line, column), '"')
