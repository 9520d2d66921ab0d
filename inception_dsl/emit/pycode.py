"""Builds Python source: expressions with line breaks as formatters set them, literals, docstrings.

A :class:`Code` is text that is known to be source. A text from a spec is a
:class:`~inception_dsl.types.prose.Prose`, which is not a ``str``: only :func:`literal`,
:func:`comment` and :func:`docstring` turn it into source.
"""

from __future__ import annotations

import keyword
import math
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ..diagnostics.text import visible
from ..types.prose import Prose

WIDTH = 88


class Code(str):
    """Text that is Python source."""

    __slots__ = ()

    def __new__(cls, text: str) -> Code:
        if not isinstance(text, str):
            raise TypeError(f"not source: {text!r}")
        return super().__new__(cls, text)


def name(text: str) -> Code:
    """An identifier."""
    if not (text.isascii() and text.isidentifier()) or keyword.iskeyword(text):
        raise ValueError(f"not a Python name: {text!r}")
    return Code(text)


def literal(value: Any) -> Code:
    """The literal of a number, string, bool, ``None``, or a tuple or list of these."""
    if type(value) is int:
        return Code(str(value))
    if isinstance(value, Prose):
        value = value.plain
    if isinstance(value, str):
        quoted = ascii(value)
        if quoted[0] == "'" and '"' not in value:
            quoted = f'"{quoted[1:-1]}"'.replace("\\'", "'")
        return Code(quoted)
    if isinstance(value, tuple | list):
        left, right = "()" if isinstance(value, tuple) else "[]"
        inner = ", ".join(literal(v) for v in value)
        return Code(
            f"{left}{inner}{',' if isinstance(value, tuple) and len(value) == 1 else ''}{right}"
        )
    if isinstance(value, float) and math.isinf(value):
        return Code('float("inf")' if value > 0 else 'float("-inf")')
    if value is None or type(value) in (bool, float):
        return Code(repr(value))
    raise TypeError(f"{value!r} has no literal")


def comment(text: str | Prose) -> Code:
    """The text of a comment, on one line."""
    return Code(_seen(_plain(text)).replace("\n", " "))


def _seen(text: str) -> str:
    """The text with a space for every invisible character except line breaks."""
    lines = text.split("\n")
    return "\n".join(
        s if s.isprintable() else "".join(c if visible(c) else " " for c in s) for s in lines
    )


def _plain(text: str | Prose) -> str:
    return text.plain if isinstance(text, Prose) else text


def docstring(*paragraphs: str | Prose, indent: int = 0) -> Code:
    """A docstring in quotes: the summary, then paragraphs.

    Paragraphs with line breaks are not wrapped.
    """
    width = WIDTH - indent
    blocks = []
    for index, paragraph in enumerate(_plain(p) for p in paragraphs if p):
        clean = _seen(paragraph).replace("\\", "\\\\").replace('"""', "'''")
        lines = (
            clean.split("\n")
            if "\n" in clean
            else textwrap.wrap(
                clean,
                width - (6 if index == 0 else 0),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        blocks.append("\n".join(line.rstrip() for line in lines))
    text = "\n\n".join(blocks)
    if "\n" in text:
        return Code(textwrap.indent(f'"""{text}\n"""', " " * indent).lstrip())
    return Code(f'"""{text}{" " if text.endswith(chr(34)) else ""}"""')


class Group(NamedTuple):
    """A call, list or tuple: ``opening`` up to and with the bracket, and the items.

    ``rows``: if it does not fit on one line, each item gets its own line.
    """

    opening: str
    items: tuple[Item, ...]
    closing: str = ")"
    rows: bool = False


class Item(NamedTuple):
    """One item, ``keyword=value``; its comment is printed if the group takes several lines."""

    value: Expression
    keyword: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """``*[value for index in range(count)]``; ``count`` may be a start and a stop."""

    value: Expression
    count: str
    index: str = "_"

    @property
    def clause(self) -> str:
        return f"for {self.index} in range({self.count})"


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """An expression that is created when it is printed, because it depends on the whole file."""

    make: Callable[[], Expression]


Expression: TypeAlias = "str | Group | Repeated | Later"


def call(function: str, /, *arguments: Expression | Item, **keywords: Expression) -> Group:
    """``function(arguments, keyword=value)``."""
    items = [a if isinstance(a, Item) else Item(a) for a in arguments]
    return Group(f"{function}(", (*items, *(Item(v, k) for k, v in keywords.items())))


def rows(function: str, *arguments: Expression | Item) -> Group:
    """``function(arguments)`` with one line per argument, unless all fit on one line."""
    return Group(
        f"{function}(", tuple(a if isinstance(a, Item) else Item(a) for a in arguments), rows=True
    )


def listing(items: Iterable[Expression | Item]) -> Group:
    """``[items]``."""
    return Group("[", tuple(i if isinstance(i, Item) else Item(i) for i in items), "]")


def flat(expression: Expression) -> str:
    """The expression on one line."""
    if isinstance(expression, Later):
        return flat(expression.make())
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Repeated):
        return f"*[{flat(expression.value)} {expression.clause}]"
    inner = ", ".join(
        f"{i.keyword}={flat(i.value)}" if i.keyword else flat(i.value) for i in expression.items
    )
    return f"{expression.opening}{inner}{expression.closing}"


def _commented(expression: Expression) -> bool:
    return isinstance(expression, Group) and any(
        i.comment or _commented(i.value) for i in expression.items
    )


def layout(
    prefix: str, expression: Expression, suffix: str = "", *, indent: int = 0, note: str = ""
) -> Code:
    """``prefix expression suffix`` at ``indent``, broken into lines if it is too wide.

    ``note`` is a comment after the last line.
    """
    if isinstance(expression, Later):
        return layout(prefix, expression.make(), suffix, indent=indent, note=note)
    pad = " " * indent
    tail = f"{suffix}  # {note}" if note else suffix
    one = f"{pad}{prefix}{flat(expression)}{tail}"
    if isinstance(expression, str) and len(one) > WIDTH and prefix.endswith(("= ", "return ")):
        return Code(f"{pad}{prefix}(\n{pad}    {expression}\n{pad}){tail}")
    if isinstance(expression, str) or (len(one) <= WIDTH and not _commented(expression)):
        return Code(one)
    if isinstance(expression, Repeated):
        return _repeated(prefix, expression, tail, indent)
    if not expression.items:
        return Code(one)
    lines = [f"{pad}{prefix}{expression.opening}"]
    inner = f"{pad}    {flat(Group('', expression.items, ''))}"
    if len(inner) <= WIDTH and not expression.rows and not _commented(expression):
        return Code("\n".join([*lines, inner, f"{pad}{expression.closing}{tail}"]))
    for item in expression.items:
        start = f"{item.keyword}=" if item.keyword else ""
        lines.append(layout(start, item.value, ",", indent=indent + 4, note=item.comment))
    lines.append(f"{pad}{expression.closing}{tail}")
    return Code("\n".join(lines))


def assigned(
    target: str | tuple[str, ...], value: Expression, *, indent: int = 0, note: str = ""
) -> Code:
    """``target = value``; a tuple of targets is in parentheses if it does not fit on the line."""
    if isinstance(target, str):
        return layout(f"{target} = ", value, indent=indent, note=note)
    pad, prefix = " " * indent, f"{', '.join(target)} = "
    opening = value.opening if isinstance(value, Group) else flat(value)
    if len(pad) + len(prefix) + len(opening) <= WIDTH:
        return layout(prefix, value, indent=indent, note=note)
    lines = [f"{pad}(", *(f"{pad}    {name}," for name in target)]
    return Code("\n".join([*lines, layout(") = ", value, indent=indent, note=note)]))


def _repeated(prefix: str, expression: Repeated, tail: str, indent: int) -> Code:
    pad, clause = " " * indent, expression.clause
    inner = f"{pad}    {flat(expression.value)} {clause}"
    lines = (
        [inner]
        if len(inner) <= WIDTH
        else [layout("", expression.value, indent=indent + 4), f"{pad}    {clause}"]
    )
    return Code("\n".join([f"{pad}{prefix}*[", *lines, f"{pad}]{tail}"]))


def signature(function: str, parameters: Iterable[str], returns: str, *, indent: int = 0) -> Code:
    """``def function(parameters) -> returns:``."""
    group = Group(f"{function}(", tuple(Item(p) for p in parameters))
    return layout("def ", group, f" -> {returns}:", indent=indent)
