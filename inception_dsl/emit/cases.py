"""Prints ``if``, ``elif`` and ``else`` for groups of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from .pycode import Code, Group, Item, layout, literal

Body: TypeAlias = Callable[[int], list[Code]]
"""The lines of a case at an indentation."""


def cases(subject: str, groups: Sequence[tuple[Sequence[str], Body]], indent: int) -> list[Code]:
    """The lines that run the body of the group that has ``subject`` among its names.

    The last group may have no names; it is the ``else``, or all there is.
    """
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
