"""Prints ``if``, ``elif`` and ``else`` for groups of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from .pycode import WIDTH, Code, Group, Item, layout, literal

Body: TypeAlias = Callable[[int], list[Code]]
"""The lines of a case at an indentation."""


def cases(subject: str, groups: Sequence[tuple[Sequence[str], Body]], indent: int) -> list[Code]:
    """The lines that run the body of the group that has ``subject`` among its names.

    The last group may have no names; it is the ``else``, or all there is. Two values of one
    variable are a conditional expression, if it fits on a line.
    """
    if short := _expression(subject, groups, indent):
        return [short]
    found: list[Code] = []
    for index, (names, body) in enumerate(groups):
        word = "elif" if index else "if"
        if not names and not index:
            return body(indent)
        if not names:
            found.append(layout("else:", "", indent=indent))
        elif len(names) == 1:
            found.append(layout(f"{word} {subject} == {literal(names[0])}:", "", indent=indent))
        else:
            listed = Group("(", tuple(Item(literal(name)) for name in names), rows=True)
            found.append(layout(f"{word} {subject} in ", listed, ":", indent=indent))
        found += body(indent + 4)
    return found


def _expression(
    subject: str, groups: Sequence[tuple[Sequence[str], Body]], indent: int
) -> Code | None:
    """The line ``variable = value if condition else other``, if that is what the cases do."""
    if len(groups) != 2 or not groups[0][0] or groups[1][0]:
        return None
    lines = [[str(line).strip() for line in body(0)] for _, body in groups]
    if any(len(found) != 1 or found[0].startswith("#") for found in lines):
        return None
    (first, value), (second, other) = [_assigned(found[0]) for found in lines]
    names = [literal(name) for name in groups[0][0]]
    condition = f"in ({', '.join(names)})" if len(names) > 1 else f"== {names[0]}"
    line = f"{' ' * indent}{first} = {value} if {subject} {condition} else {other}"
    return Code(line) if first and first == second and len(line) <= WIDTH else None


def _assigned(line: str) -> tuple[str, str]:
    """The variable and the value of an assignment; empty of another line."""
    name, sign, value = line.partition(" = ")
    return (name, value) if sign and name.isidentifier() and "\n" not in line else ("", "")
