"""The statements of a function, which print themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from inception_dsl.backend import (
    Code,
    Expression,
    Group,
    assigned,
    call,
    layout,
    listing,
    literal,
)

from .calls import Call
from .printing import statement


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = call(source)``; the layer's ``name`` may contain variables in braces."""

    target: str
    call: Call
    source: str | tuple[str, ...]
    name: str
    depth: int = 0
    note: str = ""

    def text(self, shown: Call, indent: int) -> Code:
        """The statement as source."""
        prefix = "return " if self.target == "return" else f"{self.target} = "
        source: str | Group = self.source if isinstance(self.source, str) else listing(self.source)
        return statement(
            prefix, shown, source, self.name, indent=indent + 4 * self.depth, note=self.note
        )


@dataclass(frozen=True, slots=True)
class Plain:
    """A literal line: the head of a loop, or a copy of a variable."""

    line: str
    depth: int = 0

    def text(self, indent: int) -> Code:
        """The statement as source."""
        return Code(f"{' ' * (indent + 4 * self.depth)}{self.line}")


@dataclass(frozen=True, slots=True)
class Divide:
    """``targets = ops.split(source, sections, axis=-1)``: the parts of a map or a vector."""

    targets: tuple[str, ...]
    source: str
    sections: Expression

    def text(self, indent: int) -> Code:
        """The statement as source."""
        value = call("ops.split", self.source, self.sections, axis=literal(-1))
        return assigned(self.targets, value, indent=indent)


@dataclass(frozen=True, slots=True)
class Bind:
    """``target = value``: a layer that is called more than once, or an inner ``model``."""

    target: str
    value: Expression
    model: bool = False

    def text(self, indent: int) -> Code:
        """The statement as source."""
        return assigned(self.target, self.value, indent=indent)


@dataclass(frozen=True, slots=True)
class Again:
    """``target = layer(source)``: a call of a variable that a :class:`Bind` assigns."""

    target: str
    layer: str
    source: str
    depth: int = 0
    note: str = ""

    def text(self, indent: int) -> Code:
        """The statement as source."""
        prefix = "return " if self.target == "return" else f"{self.target} = "
        value = call(self.layer, self.source)
        return layout(prefix, value, indent=indent + 4 * self.depth, note=self.note)


Statement: TypeAlias = Assign | Plain | Divide | Bind | Again


def returned(statements: list[Statement], end: str) -> list[Statement]:
    """The statements with a ``return`` of ``end``; merged with the last assignment if possible."""
    last = statements[-1] if statements else None
    if isinstance(last, Assign | Again) and not last.depth and last.target == end:
        return [*statements[:-1], replace(last, target="return")]
    return [*statements, Plain(f"return {end}")]
