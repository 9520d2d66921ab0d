"""Where a random step stands, and the values that it is given there: numbers, texts, flags.

Every value may be a literal, a parameter, or arithmetic over all that a block or a network knows.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .random_names import FIELDS, Pool
from .random_sizes import Misfit, Parameter
from .random_terms import Piece, aimed, arithmetic, name

TRIES: Final = 4
MOST_PARAMETERS: Final = 6
WHOLE: Final = (1, 2, 3, 4)
REAL: Final = (0.5, 1.5, 2, 0.25, 1, 3)


@dataclass(slots=True)
class Room:
    """What expressions may read: ``values`` that are there, and the ``parameters`` of the block or
    network that is being made (none where none can be added).

    ``own`` is what the block around it is called, ``literal`` how often a value is a plain one.
    ``flat`` says that all steps take vectors as well as maps.
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
        """Forget the parameters of a step that was put back."""
        self.parameters.clear()
        self.parameters.update(parameters)


class Writer:
    """Writes values as a spec may write them."""

    def __init__(self, rng: random.Random, pool: Pool) -> None:
        self.rng, self.pool = rng, pool

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def whole(self, room: Room, allowed: Sequence[int]) -> Any:
        """A whole number: one of ``allowed``, perhaps as an expression that gives it."""
        wanted = self.rng.choice(allowed)
        if self.chance(room.literal):
            return wanted
        if self.chance(0.5) or not room.names(int):
            return self.parameter(room, "int", wanted, tuple(allowed))
        for _ in range(TRIES):
            piece = arithmetic(self.rng, room.names(int), WHOLE)
            if self.chance(0.15):
                piece = name(self.rng.choice(room.names(int)))
            value = self.tried(piece, room)
            if value is None:
                continue
            if value in allowed:
                return piece.given(self.rng)
            return aimed(self.rng, piece, value, wanted).given(self.rng)
        return wanted

    def tried(self, piece: Piece, room: Room) -> Any:
        """What a piece gives here, if it is a number of a reasonable size."""
        try:
            value = piece.value(room.environment())
        except Misfit:
            return None
        return value if abs(value) <= 1_000 else None

    def real(
        self, room: Room, allowed: Sequence[float], low: float = 1e-4, high: float = 3.0
    ) -> Any:
        """A number that need not be whole, from ``low`` to ``high``."""
        wanted = self.rng.choice(allowed)
        if self.chance(room.literal):
            return wanted
        names = room.names(float, int) if self.chance(0.3) else room.names(float)
        if self.chance(0.5) or not names:
            return self.parameter(room, "float", wanted, tuple(allowed))
        for _ in range(2 * TRIES):
            piece = arithmetic(self.rng, names, REAL)
            value = self.tried(piece, room)
            if value is not None and low <= value <= high:
                return piece.given(self.rng)
        return name(self.rng.choice(names)).given(self.rng)

    def word(self, room: Room, allowed: Sequence[str]) -> Any:
        """A text."""
        wanted = self.rng.choice(allowed)
        if self.chance(max(room.literal, 0.4)):
            return wanted
        return self.parameter(room, "str", wanted, tuple(allowed))

    def flag(self, room: Room) -> Any:
        """``true`` or ``false``."""
        wanted = self.chance(0.5)
        if self.chance(max(room.literal, 0.3)):
            return wanted
        return self.parameter(room, "bool", wanted, (True, False))

    def parameter(self, room: Room, kind: str, value: Any, choices: tuple[Any, ...]) -> Any:
        """A parameter that has ``value``, be it there already or new; else ``value``."""
        types = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}[kind]
        known = room.environment()
        same = [n for n in room.names(*types) if known[n] == value]
        if same and (self.chance(0.6) or not room.open):
            return name(self.rng.choice(same)).given(self.rng)
        if not room.open or len(room.parameters) >= MOST_PARAMETERS:
            return value
        taken = {*room.values, *room.parameters, "in_channels"}
        if not room.block:
            taken |= {"classes"}
        new = self.pool.pick(kind[0], taken, room.own)
        optional = not room.block or new in FIELDS or self.chance(0.4)
        room.parameters[new] = Parameter(kind, value, choices, optional)
        return name(new).given(self.rng)

    def argument(self, room: Room, parameter: Parameter) -> Any:
        """What a use gives for a parameter."""
        allowed = (parameter.value, *parameter.choices)
        if parameter.type == "int":
            return self.whole(room, allowed)
        if parameter.type == "float":
            return self.real(room, allowed, min(allowed), max(allowed))
        if parameter.type == "str":
            return self.word(room, allowed)
        return self.rng.choice(allowed) if self.chance(0.5) else self.flag(room)
