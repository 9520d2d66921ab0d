"""The lines of a class: attributes in ``__init__``, statements in its methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_dsl.backend import Code, Expression, Group, Item, assigned, layout

WIDTH = 88


class Line(NamedTuple):
    """``target = value`` in ``forward``; ``note`` is a comment with the shape of the result.

    A tuple of targets gets the items of the value. ``times``: it is the body of a loop.
    """

    target: str | tuple[str, ...]
    value: Expression
    note: str = ""
    times: str = ""

    def text(self, indent: int) -> Code:
        """The statement as source."""
        if not self.times:
            return assigned(self.target, self.value, indent=indent, note=self.note)
        inner = assigned(self.target, self.value, indent=indent + 4, note=self.note)
        return Code(f"{' ' * indent}for _ in range({self.times}):\n{inner}")


class Attribute(NamedTuple):
    """``self.name = module`` in ``__init__``; ``suffix`` is written after the module."""

    name: str
    module: Expression
    suffix: str = ""

    def text(self, indent: int) -> Code:
        """The statement as source; a long one with a suffix is in parentheses."""
        source = layout(f"self.{self.name} = ", self.module, self.suffix, indent=indent)
        if not self.suffix or ("\n" not in source and len(source) <= WIDTH):
            return source
        pad, deep = " " * indent, " " * (indent + 4)
        inner = layout("", self.module, self.suffix, indent=indent + 4)
        if "\n" in inner or len(inner) > WIDTH:
            condition, _, other = self.suffix.strip().partition(" else ")
            module = layout("", self.module, indent=indent + 4)
            inner = Code(f"{module}\n{deep}{condition}\n{deep}else {other}")
        return Code(f"{pad}self.{self.name} = (\n{inner}\n{pad})")


def returned(names: Sequence[str]) -> Code:
    """The line that returns several variables."""
    line = Code(f"        return {', '.join(names)}")
    if len(line) <= WIDTH:
        return line
    return layout("return ", Group("(", tuple(map(Item, names)), rows=True), indent=8)


def written(lines: Sequence[Line], *, result: str) -> list[Code]:
    """The lines of a method as source; the last line returns ``result``."""
    found = [line.text(8) for line in lines]
    if lines and lines[-1].target == result and not lines[-1].times:
        last = lines[-1]
        found[-1] = layout("return ", last.value, indent=8, note=last.note)
        return found
    return [*found, Code(f"        return {result}")]
