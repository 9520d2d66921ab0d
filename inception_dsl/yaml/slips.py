"""Where the cause of a problem is that the YAML parser finds later: a line, or a bracket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ..diagnostics.report import Edit, Span

_LONGEST: Final = 200
_LINE: Final = re.compile(r"( *)((?:- +)*)(.*?)[ \t]*(?:[ \t]#.*)?\r?")
_FIELD: Final = re.compile(r"[\"']?\w+[\"']?:(?: |$)")
_APART: Final = re.compile(r"([A-Za-z_]\w*)(:| *= *| +)(\S+|[\"'{\[].*)")
_DASH: Final = re.compile(r"-(\w+:(?: .*)?)")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_NO_DASH: Final = "missing `- ` before an entry of a list"
_DASHED: Final = "start it with `- `, as the other entries"


class Slip(NamedTuple):
    """A cause, in words, and what to write."""

    span: Span
    message: str
    help: str = ""
    fix: tuple[Edit, ...] = ()


def slip(problem: str, lines: list[str], span: Span, begun: Span | None) -> Slip | None:
    """The cause of a ``problem`` at ``span``, if it is a common one.

    ``begun`` is where what the parser could not finish begins.
    """
    if begun is not None and "could not find expected ':'" in problem:
        found = _no_dash(lines, begun.line, span) or _in_line(lines, begun, whole=True)
        return found or Slip(begun, "missing `:` after the key")
    if begun is not None and problem == "found unexpected end of stream":
        return Slip(begun, "missing closing quote")
    if begun is not None and problem.startswith("did not find expected ',' or"):
        return _open(problem[-2], lines, span, begun)
    if problem.startswith("mapping values"):
        return _in_line(lines, span) or _above(lines, span) or _no_dash_above(lines, span)
    if "<document start>" in problem:
        return _above(lines, span)
    if begun is None or not problem.startswith("did not find expected"):
        return None
    if "'-' indicator" in problem:
        return _in_line(lines, span) or _in_list(lines, span, begun)
    if "expected key" in problem:
        entry = _two_values(lines, span) or _entry(lines, span, begun)
        found = _in_line(lines, span) or entry or _above(lines, span)
        return found or _no_dash_above(lines, span)
    return None


def _in_line(lines: list[str], span: Span, *, whole: bool = False) -> Slip | None:
    """A line like ``key value``, ``key:value``, ``key = value`` or ``-key: value``.

    If it is ``whole``, the line is the cause, so it may be a word alone; in other lines that fail,
    only values in brackets are sure.
    """
    found = _parts(lines, span.line)
    if found is None or _FIELD.match(found[3]):
        return None
    here = _part(span, found.start(3), found.end(3))
    if dash := _DASH.fullmatch(found[3]):
        write = f"- {dash[1]}"
        return Slip(here, "missing space after `-`", f"write `{write}`", (Edit(here, write),))
    if apart := _APART.fullmatch(found[3]):
        if not whole and apart[3][0] not in "{[":
            return None
        write, separator = f"{apart[1]}: {apart[3]}", _part(span, *apart.span(2))
        separator = _moved(separator, found.start(3))
        message = f"expected `key: value`, found `{found[3]}`"
        return Slip(here, message, f"write `{write}`", (Edit(separator, ": "),))
    if whole and _WORD.fullmatch(found[3]):
        end = _part(span, found.end(3), found.end(3))
        message = f"missing `:` after the key `{found[3]}`"
        return Slip(here, message, f"write `{found[3]}:`", (Edit(end, ":"),))
    return None


def _above(lines: list[str], span: Span) -> Slip | None:
    """The line above: ``network tiny`` above ``input: …``, or ``body`` above an entry."""
    number = _before(lines, span.line)
    above, here = (_parts(lines, n) for n in (number, span.line))
    if above is None or here is None or not number:
        return None
    key, below = above.start(3), here.start(3)
    whole = key == below or (key < below and _WORD.fullmatch(above[3]) is not None)
    start = span._replace(line=number, end_line=number)
    return _in_line(lines, start, whole=whole) if whole or _DASH.match(above[3]) else None


def _open(bracket: str, lines: list[str], span: Span, begun: Span) -> Slip | None:
    """A bracket that is not closed where its lines end, or a missing comma at the end of a line."""
    line = _text(lines, span.line)
    if span.line == begun.line and line.strip():
        return None
    at_end = not line[span.column - 1 :].strip() and not any(map(str.strip, lines[span.line :]))
    number = span.line if at_end and line.strip() else _before(lines, span.line)
    last = _parts(lines, number)
    if last is None:
        return None
    end = _part(span._replace(line=number, end_line=number), last.end(3), last.end(3) + 1)
    insert = end._replace(end_column=end.column)
    indents = [len(text) - len(text.lstrip(" ")) for text in (_text(lines, begun.line), line)]
    if at_end or indents[1] <= indents[0]:
        where = "" if number == begun.line else f" of line {begun.line}"
        opened = {"}": "{", "]": "["}[bracket]
        message = f"missing `{bracket}`, which closes the `{opened}`{where}"
        return Slip(end, message, f"write `{bracket}` here", (Edit(insert, bracket),))
    if not re.fullmatch(r" *\w+", line[: span.column - 1]):
        return None
    return Slip(end, f"missing `,` or closing `{bracket}`", "", (Edit(insert, ","),))


def _in_list(lines: list[str], span: Span, begun: Span) -> Slip | None:
    """A field where the parser expects the next entry of a list."""
    line, number = _text(lines, span.line), _before(lines, span.line)
    while number and not re.match(rf" {{{begun.column - 1}}}- ", _text(lines, number)):
        number = _before(lines, number)
    entry = _parts(lines, number) if number else None
    if entry is not None and line.lstrip(" ")[:1] == "{":
        indent = Edit(_part(span, 0, span.column - 1), " " * (begun.column - 1) + "- ")
        return Slip(span, _NO_DASH, f"{_DASHED}, in column {begun.column}", (indent,))
    if entry is None or not _FIELD.match(line.lstrip(" ")):
        return None
    if not _FIELD.match(entry[3]):
        return Slip(span, "wrong indentation", _DASHED)
    column = entry.start(3)
    help = f"indent it by {column} spaces, as the fields of the entry in line {number}"
    if span.column == begun.column:
        return Slip(span, "wrong indentation", f"{help}, or start it with `- ` as a new entry")
    indent = Edit(_part(span, 0, span.column - 1), " " * column)
    return Slip(span, "wrong indentation", help, (indent,))


def _no_dash(lines: list[str], number: int, span: Span) -> Slip | None:
    """A line without ``- `` beside entries of a list; other ``{…}`` beside it are fixed, too."""
    found = _parts(lines, number)
    if found is None or found[2]:
        return None
    indent = found.end(1)
    beside = {n: text[indent:] for n, text in _block(lines, number, indent)}
    bare = sorted(n for n, text in beside.items() if text[0] == "{" or n == number)
    if len(bare) == 1 and not any(text.startswith("- ") for text in beside.values()):
        return None
    here, *more = (_part(span._replace(line=n), indent, indent) for n in bare)
    line = span._replace(line=bare[0])
    return Slip(
        _part(line, indent, len(_text(lines, bare[0]).rstrip())),
        _NO_DASH,
        _DASHED,
        tuple(Edit(start, "- ") for start in (here, *more)),
    )


def _no_dash_above(lines: list[str], span: Span) -> Slip | None:
    """The nearest line above that begins further left, or as far left if this is an entry."""
    here = _parts(lines, span.line)
    number = _before(lines, span.line)
    while here is not None and number:
        above = _parts(lines, number)
        if above is None:
            return None
        beside = above.end(1) == here.end(1) and (here[2] or here[3][:1] == "{")
        if above.end(1) < here.end(1) or beside:
            return _no_dash(lines, number, span)
        number = _before(lines, number)
    return None


def _block(lines: list[str], number: int, indent: int) -> Iterator[tuple[int, str]]:
    """The lines around one with exactly this ``indent``, as far as none has less."""
    for numbers in (range(number, 0, -1), range(number + 1, len(lines) + 1)):
        for n in numbers:
            text = _text(lines, n).rstrip()
            begins = len(text) - len(text.lstrip(" "))
            if text.lstrip(" ")[:1] in ("", "#"):
                continue
            if begins < indent:
                break
            if begins == indent:
                yield n, text


def _two_values(lines: list[str], span: Span) -> Slip | None:
    """``key: {…}, {…}``: a second value without a list."""
    line = _text(lines, span.line)
    found = _parts(lines, span.line)
    field = re.match(r"\w+: +", found[3]) if found else None
    before = line[: span.column - 1].rstrip()
    if (
        found is None
        or field is None
        or line[span.column - 1 : span.column] != ","
        or before[-1:] not in "}]"
    ):
        return None
    start, end = found.start(3) + field.end(), found.end(3)
    fix = (Edit(_part(span, start, start), "["), Edit(_part(span, end, end), "]"))
    here = _part(span, span.column - 1, span.column)
    return Slip(here, "a field has one value", "write several as a list: `[…, …]`", fix)


def _entry(lines: list[str], span: Span, begun: Span) -> Slip | None:
    """An entry of a list beside fields."""
    if span.column != begun.column or not _text(lines, span.line)[span.column - 1 :].startswith(
        "- "
    ):
        return None
    help = f"remove `- `, as the lines from line {begun.line} on are fields"
    return Slip(span, "an entry of a list beside fields", help)


def _text(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _parts(lines: list[str], number: int) -> re.Match[str] | None:
    """Indentation, dashes and text of a line; ``None`` for a very long one."""
    line = _text(lines, number)
    return _LINE.fullmatch(line) if len(line) <= _LONGEST else None


def _before(lines: list[str], number: int) -> int:
    """The line before, without empty ones and comments; 0 if there is none."""
    number -= 1
    while number > 0 and (not (text := _text(lines, number).strip()) or text[0] == "#"):
        number -= 1
    return max(number, 0)


def _part(span: Span, start: int, end: int) -> Span:
    """The characters of a line from ``start`` to ``end``."""
    return Span(span.file, span.line, start + 1, span.line, end + 1)


def _moved(span: Span, by: int) -> Span:
    return span._replace(column=span.column + by, end_column=span.end_column + by)
