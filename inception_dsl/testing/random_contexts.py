"""The context of a random step, and its values there: numbers, texts, flags.

Each value is a literal, a parameter, or arithmetic over the names of a block or a network.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .random_blocks import Parameter
from .random_names import FIELDS, Pool
from .random_shapes import Misfit
from .random_terms import OPERATIONS, ROUNDING, Piece, aimed, arithmetic, name

TRIES: Final = 4
MOST_PARAMETERS: Final = 6
WHOLE: Final = (1, 2, 3, 4)
REAL: Final = (0.5, 1.5, 2, 0.25, 1, 3)


@dataclass(slots=True)
class Context:
    """What expressions can read: fixed ``values``, and ``parameters`` of the block or network.

    ``open`` says whether parameters can be added. ``own`` are the names of what encloses the step.
    ``literal`` is the probability of a literal. With ``flat``, all steps accept vectors as well as
    maps.
    """

    values: dict[str, Any]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    open: bool = True
    block: bool = False
    own: tuple[str, ...] = ()
    literal: float = 0.25
    flat: bool = False
    depth: int = 0

    def environment(self) -> dict[str, Any]:
        return {**self.values, **{n: p.value for n, p in self.parameters.items()}}

    def names(self, *kinds: type) -> list[str]:
        """The names of the values of these types."""
        found = self.environment()
        return [n for n, value in found.items() if type(value) in kinds]

    def restore(self, parameters: dict[str, Parameter]) -> None:
        """Remove the parameters of a discarded step."""
        self.parameters.clear()
        self.parameters.update(parameters)


class Writer:
    """Writes values in the forms that a spec allows."""

    def __init__(self, rng: random.Random, pool: Pool, *, rounding: bool = False) -> None:
        self.rng, self.pool = rng, pool
        self.operations = (*OPERATIONS, *ROUNDING) if rounding else OPERATIONS

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def whole(self, context: Context, allowed: Sequence[int]) -> Any:
        """One of the ``allowed`` integers, or an expression with this value."""
        wanted = self.rng.choice(allowed)
        if self.chance(context.literal):
            return wanted
        if self.chance(0.5) or not context.names(int):
            return self.parameter(context, "int", wanted, tuple(allowed))
        for _ in range(TRIES):
            piece = arithmetic(self.rng, context.names(int), WHOLE, self.operations)
            if self.chance(0.15):
                piece = name(self.rng.choice(context.names(int)))
            value = self.tried(piece, context)
            if value is None:
                continue
            if value in allowed:
                return piece.given(self.rng)
            return aimed(self.rng, piece, value, wanted).given(self.rng)
        return wanted

    def tried(self, piece: Piece, context: Context) -> Any:
        """The value of an expression here, or ``None`` if it is not a number or too large."""
        try:
            value = piece.value(context.environment())
        except Misfit:
            return None
        return value if abs(value) <= 1_000 else None

    def real(
        self, context: Context, allowed: Sequence[float], low: float = 1e-4, high: float = 3.0
    ) -> Any:
        """A float from ``low`` to ``high``."""
        wanted = self.rng.choice(allowed)
        if self.chance(context.literal):
            return wanted
        names = context.names(float, int) if self.chance(0.3) else context.names(float)
        if self.chance(0.5) or not names:
            return self.parameter(context, "float", wanted, tuple(allowed))
        for _ in range(2 * TRIES):
            piece = arithmetic(self.rng, names, REAL)
            value = self.tried(piece, context)
            if value is not None and low <= value <= high:
                return piece.given(self.rng)
        return name(self.rng.choice(names)).given(self.rng)

    def word(self, context: Context, allowed: Sequence[str]) -> Any:
        """One of the ``allowed`` texts."""
        wanted = self.rng.choice(allowed)
        if self.chance(max(context.literal, 0.4)):
            return wanted
        return self.parameter(context, "str", wanted, tuple(allowed))

    def flag(self, context: Context) -> Any:
        """``true`` or ``false``."""
        wanted = self.chance(0.5)
        if self.chance(max(context.literal, 0.3)):
            return wanted
        return self.parameter(context, "bool", wanted, (True, False))

    def parameter(self, context: Context, kind: str, value: Any, choices: tuple[Any, ...]) -> Any:
        """An existing or a new parameter with this ``value``, or ``value`` itself."""
        types = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}[kind]
        known = context.environment()
        same = [n for n in context.names(*types) if known[n] == value]
        if same and (self.chance(0.6) or not context.open):
            return name(self.rng.choice(same)).given(self.rng)
        if not context.open or len(context.parameters) >= MOST_PARAMETERS:
            return value
        taken = {*context.values, *context.parameters, "in_channels"}
        if not context.block:
            taken |= {"classes"}
        new = self.pool.pick(kind[0], taken, context.own)
        optional = not context.block or new in FIELDS or self.chance(0.4)
        context.parameters[new] = Parameter(kind, value, choices, optional)
        return name(new).given(self.rng)

    def argument(self, context: Context, parameter: Parameter) -> Any:
        """The argument of a use for a parameter."""
        allowed = (parameter.value, *parameter.choices)
        if parameter.type == "int":
            return self.whole(context, allowed)
        if parameter.type == "float":
            return self.real(context, allowed, min(allowed), max(allowed))
        if parameter.type == "str":
            return self.word(context, allowed)
        return self.rng.choice(allowed) if self.chance(0.5) else self.flag(context)
