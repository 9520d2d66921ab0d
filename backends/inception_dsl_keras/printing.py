"""Prints statements: on one line if that fits, else broken as ``ruff format`` does."""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.backend import Code, Expression, Group, Item, call, flat, layout, literal

from .calls import Call, Choice, Keyword

WIDTH = 88


def name_text(name: str) -> Code:
    """The name of a layer: a string, or an f-string if it has a variable in braces."""
    return Code(f'f"{name}"') if "{" in name else literal(name)


def items(arguments: Iterable[Keyword], tensor: str) -> list[Item]:
    """The arguments that are written, in a call on the variable ``tensor``."""
    return [Item(a.on(tensor), "" if a.positional else a.keyword) for a in arguments if a.written]


def statement(
    prefix: str, made: Call, source: str | Group, name: str, *, indent: int = 0, note: str = ""
) -> Code:
    """``prefix layers.Layer(…, name=…)(source)``, or ``prefix helper(source, …, name=…)``."""
    tensor = source if isinstance(source, str) else ""
    written = [*items(made.arguments, tensor), Item(name_text(name), "name")]
    if made.helper:
        return broken(prefix, call(made.function, source, *written), "", indent, note)
    function = call(made.function, *written)
    tail = f"  # {note}" if note else ""
    pad = " " * indent
    one = f"{pad}{prefix}{flat(function)}({flat(source)}){tail}"
    head = f"{pad}{prefix}{flat(function)}("
    if len(one) <= WIDTH:
        return Code(one)
    if len(head) <= WIDTH:
        if isinstance(source, Group):
            return broken(
                f"{prefix}{flat(function)}", Group("(", (Item(source),)), "", indent, note
            )
        return exploded(prefix, function, f"({source})", indent, note)
    if isinstance(source, Group):
        return exploded(prefix, function, f"({flat(source)})", indent, note)
    return broken(prefix, function, f"({source})", indent, note)


def broken(prefix: str, group: Group, suffix: str, indent: int, note: str) -> Code:
    """A group on one line, or with all items on the next line, or with one item per line."""
    pad, tail = " " * indent, f"{suffix}  # {note}" if note else suffix
    one = f"{pad}{prefix}{flat(group)}{tail}"
    if len(one) <= WIDTH:
        return Code(one)
    inner = f"{pad}    {flat(Group('', group.items, ''))}"
    if len(inner) <= WIDTH:
        return Code(f"{pad}{prefix}{group.opening}\n{inner}\n{pad}{group.closing}{tail}")
    return exploded(prefix, group, suffix, indent, note)


def exploded(prefix: str, group: Group, suffix: str, indent: int, note: str) -> Code:
    """A group with one item per line and a trailing comma."""
    pad, tail = " " * indent, f"{suffix}  # {note}" if note else suffix
    lines = [f"{pad}{prefix}{group.opening}"]
    for item in group.items:
        start = f"{item.keyword}=" if item.keyword else ""
        if isinstance(item.value, Choice):
            lines += choice(start, item.value, ",", indent + 4)
        else:
            lines.append(layout(start, item.value, ",", indent=indent + 4))
    lines.append(f"{pad}{group.closing}{tail}")
    return Code("\n".join(lines))


def choice(prefix: str, value: Choice, suffix: str, indent: int) -> list[str]:
    """A conditional expression, on three lines if it does not fit on one."""
    pad = " " * indent
    one = f"{pad}{prefix}{value}{suffix}"
    if len(one) <= WIDTH:
        return [one]
    first, last = side(prefix, value.yes, "", indent), side("else ", value.no, suffix, indent)
    return [*first, f"{pad}if {value.test}", *last]


def side(prefix: str, value: Expression, suffix: str, indent: int) -> list[str]:
    """One side of a conditional expression; a nested conditional is in parentheses."""
    if not isinstance(value, Choice):
        return [layout(prefix, value, suffix, indent=indent)]
    pad = " " * indent
    one = f"{pad}{prefix}({value}){suffix}"
    if len(one) <= WIDTH:
        return [one]
    return [f"{pad}{prefix}(", *choice("", value, "", indent + 4), f"{pad}){suffix}"]
