"""Frames and slots: the values of a number in every use, and the term that can express it.

A block is printed once, however often it is used. A frame is the context in which it is printed:
its symbols, and their values in every use. A slot is a value that is printed in a frame.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ..ir.program import Node
from ..types.expression import Expression
from ..types.terms import Symbol, Term, constant, explain, multiply, of, rounded, whole
from ..types.width import UNCHANGED, Width

IN_CHANNELS = "in_channels"


UNKNOWN = of(Symbol("unknown"))
"""The term of channels that must not be printed, as they may differ between repetitions."""


class SplitError(Exception):
    """A block cannot be written once for all of its uses.

    ``groups`` maps instances to keys; only instances with equal keys can be written together. It is
    empty if no such keys are known.
    """

    def __init__(
        self, node: Node | None = None, groups: Mapping[int, Hashable] | None = None
    ) -> None:
        super().__init__(node)
        self.groups = groups or {}


class Row(NamedTuple):
    """One use in a frame: the value of every symbol, and the index of the instance."""

    values: Mapping[Symbol, Any]
    instance: int


class Slot(NamedTuple):
    """A value to print: its value in every row of its frame, and the term that may express it.

    ``hint`` is the name of an argument that holds it. ``sized``: it depends on more than the
    block's parameters, on spatial sizes or on how the width scales them, so a block takes it as an
    argument.
    """

    frame: Frame
    values: tuple[Any, ...]
    term: Term | None
    hint: str
    sized: bool = False

    def all(self, value: Any) -> bool:
        """Whether the value is ``value`` in every row."""
        return all(v == value for v in self.values)

    @property
    def same(self) -> bool:
        """Whether the value is the same in every row."""
        return all(v == self.values[0] and type(v) is type(self.values[0]) for v in self.values)

    @property
    def symbolic(self) -> bool:
        """Whether the value is computed from parameters."""
        return self.term is not None and bool(self.term.parts)

    @property
    def varies(self) -> bool:
        """Whether the value is computed from parameters or differs between uses."""
        return self.symbolic or not self.same

    @property
    def is_text(self) -> bool:
        """Whether the value is a string in every row."""
        return all(isinstance(v, str) for v in self.values)

    def constant(self, value: Any) -> bool:
        """Whether the value is ``value`` in every row and depends on no parameter."""
        return self.all(value) and not self.symbolic


@dataclass(frozen=True, eq=False)
class Frame:
    """The context in which something is written once.

    ``names`` maps the names that expressions may read to terms; ``rows`` are the uses. ``sized``:
    the spatial sizes are those of a single input, so they may be printed as numbers. ``width`` is
    that of the network, and does not scale what is computed from the ``settled`` names. ``inputs``
    are the channels of the network's inputs, if it has several.
    """

    names: Mapping[str, Term | None]
    rows: tuple[Row, ...]
    sized: bool
    width: Width = UNCHANGED
    settled: frozenset[str] = frozenset()
    inputs: Mapping[str, Term] = field(default_factory=dict)

    def of_input(self, name: str) -> Frame:
        """The frame of the branch that gets one of several inputs."""
        return replace(self, names={**self.names, IN_CHANNELS: self.inputs[name]})

    def slot(self, values: tuple[Any, ...], written: Any, hint: str) -> Slot:
        """The slot of a value; ``written`` is the spec's expression or constant for it."""
        return Slot(self, values, self.term(written), hint)

    def fixed(self, value: Any, hint: str = "value") -> Slot:
        """The slot of a value that is the same everywhere."""
        return Slot(self, (value,) * len(self.rows), self.term(value), hint)

    def term(self, written: Any) -> Term | None:
        """The term of an expression or a number of the spec; ``None`` for other values."""
        if isinstance(written, Expression):
            return explain(written, self.names)
        plain = isinstance(written, int | float) and not isinstance(written, bool)
        return constant(written) if plain else None

    def channels(
        self, values: tuple[Any, ...], written: Any, hint: str, *, scaled: bool = True
    ) -> Slot:
        """The slot of a number of output channels, which is rounded.

        ``scaled``: it is a number of filters, which the width scales.
        """
        term, width = self.term(written), self.width
        if not isinstance(written, Expression) and len({*values}) == 1:
            return Slot(self, values, constant(values[0]), hint)
        if isinstance(written, Expression) and written.names:
            names = {name for name, _ in written.names}
            settled = (
                not scaled
                or width.factor is None
                or not names.isdisjoint({IN_CHANNELS, *self.settled})
            )
            exact = width.divisor == width.minimum == 1
            if exact and not settled and self.sized and width.factor is not None:
                term = rounded("half_up", multiply(term, constant(width.factor)))
            elif exact and settled:
                term = rounded("half_up", term)
            elif not settled or term is None or not whole(term):
                return Slot(self, values, None, hint, sized=True)
        return Slot(self, values, term, hint)

    def split(self, node: Node, kinds: Sequence[Hashable]) -> SplitError:
        """A :class:`SplitError` that groups instances by their ``kinds``, one for each row."""
        groups: dict[int, tuple[Hashable, ...]] = {}
        for row, kind in zip(self.rows, kinds, strict=True):
            groups[row.instance] = (*groups.get(row.instance, ()), kind)
        return SplitError(node, groups)

    def holds(self, term: Term | None, values: tuple[Any, ...]) -> bool:
        """Whether ``term`` gives these values, row by row."""
        return term is not None and all(
            _gives(term, r.values, v) for r, v in zip(self.rows, values, strict=True)
        )

    def held(self, term: Term | None, values: tuple[Any, ...]) -> Term | None:
        """``term`` if it gives these values, else ``None``."""
        return term if self.holds(term, values) else None


def _gives(term: Term, values: Mapping[Symbol, Any], wanted: Any) -> bool:
    try:
        found = term.evaluate(values)
    except (ArithmeticError, KeyError, TypeError):
        return False
    if isinstance(found, float) and isinstance(wanted, int):  # rounded, or 64.0 for 64
        return False
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)
