"""A use of a block that is written once, with its types in every use of the block around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from ..ir.program import UseNode
from ..ir.typed import TypedUse
from ..types.terms import Symbol, Term, replace
from .frames import Frame, Slot


class Ending(Protocol):
    """The part of a chain that uses of its block read."""

    @property
    def y(self) -> Term | None:
        """The term of the channels after it."""


class Callee(Protocol):
    """The part of :class:`.definitions.Definition` that uses of a block read."""

    @property
    def channels(self) -> Symbol:
        """The symbol for the number of input channels."""

    @property
    def parameters(self) -> Mapping[str, Symbol]:
        """The symbols of its parameters, by their names in the spec."""

    @property
    def filters(self) -> frozenset[str]:
        """The parameters that are only numbers of filters."""

    @property
    def chain(self) -> Ending:
        """Its steps."""

    def instance(self, use: TypedUse) -> int:
        """The index of the instance that a use refers to."""


@dataclass(frozen=True, eq=False)
class UseSite:
    """A use of a block: the definition, and the index of its instance in every row."""

    frame: Frame
    node: UseNode
    typed: tuple[TypedUse, ...]
    definition: Callee
    x: Term | None

    @property
    def instances(self) -> tuple[int, ...]:
        return tuple(self.definition.instance(t) for t in self.typed)

    @cached_property
    def y(self) -> Term | None:
        """The term of the output channels: the block's own, with this use's arguments."""
        inner = self.definition
        terms = {
            inner.channels: self.x,
            **{s: self.argument(name).term for name, s in inner.parameters.items()},
        }
        return self.frame.held(
            replace(inner.chain.y, terms), tuple(t.y.channels for t in self.typed)
        )

    def argument(self, name: str, hint: str = "") -> Slot:
        """The slot of an argument; those that are numbers of filters are scaled."""
        written, values = self.node.arguments[name], tuple(t.arguments[name] for t in self.typed)
        slot = self.frame.channels if name in self.definition.filters else self.frame.slot
        return slot(values, written, hint or name)
