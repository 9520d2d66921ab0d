"""Random arithmetic expressions: a text, and the function that computes it.

Like the rest of the generator, this shares no code with the compiler: the function is built with
the text, which is never parsed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from .random_blocks import Given
from .random_shapes import Misfit

ATOM, PRODUCT, SUM = 3, 2, 1
LONGEST: Final = 70
"""Most characters of an expression; longer ones are hard to read and test nothing new."""

Values = Mapping[str, Any]


class Piece(NamedTuple):
    """Part of an expression: its text, its precedence, and the function that computes it."""

    text: str
    level: int
    of: Callable[[Values], Any]

    def given(self, rng: random.Random) -> Given:
        """The expression as a value in a spec; a single name is ``$name`` or ``${name}``."""
        plain = self.text.isidentifier() and rng.random() < 0.8
        return Given(f"${self.text}" if plain else f"${{{self.text}}}", self.of)

    def value(self, values: Values) -> Any:
        """Its value for these ``values``; raises :class:`Misfit` if it has none."""
        try:
            return self.of(values)
        except ArithmeticError:
            raise Misfit from None


def name(text: str) -> Piece:
    """A parameter or another name in scope."""
    return Piece(text, ATOM, lambda values: values[text])


def number(value: float) -> Piece:
    """A number; a negative one has a minus sign."""
    if value < 0:
        return negative(number(-value))
    return Piece(str(value), ATOM, lambda _: value)


def piece_of(value: Any) -> Piece | None:
    """A value in a spec as part of a larger expression; ``None`` if it is too long."""
    if not isinstance(value, Given):
        return number(value) if isinstance(value, int | float) else None
    inner = value.text[1:].strip("{}")
    if len(inner) > LONGEST // 2:
        return None
    return Piece(inner if inner.isidentifier() else f"({inner})", ATOM, value.of)


def _inside(piece: Piece, level: int) -> str:
    return piece.text if piece.level >= level else f"({piece.text})"


def add(a: Piece, b: Piece) -> Piece:
    return Piece(f"{_inside(a, SUM)} + {_inside(b, PRODUCT)}", SUM, lambda v: a.of(v) + b.of(v))


def subtract(a: Piece, b: Piece) -> Piece:
    return Piece(f"{_inside(a, SUM)} - {_inside(b, PRODUCT)}", SUM, lambda v: a.of(v) - b.of(v))


def multiply(a: Piece, b: Piece) -> Piece:
    return Piece(
        f"{_inside(a, PRODUCT)} * {_inside(b, ATOM)}", PRODUCT, lambda v: a.of(v) * b.of(v)
    )


def divide(a: Piece, b: Piece) -> Piece:
    return Piece(
        f"{_inside(a, PRODUCT)} // {_inside(b, ATOM)}", PRODUCT, lambda v: a.of(v) // b.of(v)
    )


def modulo(a: Piece, b: Piece) -> Piece:
    return Piece(
        f"{_inside(a, PRODUCT)} % {_inside(b, ATOM)}", PRODUCT, lambda v: a.of(v) % b.of(v)
    )


def negative(a: Piece) -> Piece:
    return Piece(f"-{_inside(a, ATOM)}", ATOM, lambda v: -a.of(v))


def smallest(*pieces: Piece) -> Piece:
    """``min`` of pieces."""
    text = ", ".join(piece.text for piece in pieces)
    return Piece(f"min({text})", ATOM, lambda v: min(piece.of(v) for piece in pieces))


def largest(*pieces: Piece) -> Piece:
    """``max`` of pieces."""
    text = ", ".join(piece.text for piece in pieces)
    return Piece(f"max({text})", ATOM, lambda v: max(piece.of(v) for piece in pieces))


OPERATIONS: Final[tuple[Callable[[Piece, Piece], Piece], ...]] = (
    add,
    add,
    subtract,
    subtract,
    multiply,
    multiply,
    divide,
    modulo,
    smallest,
    largest,
)


_ROUNDED: Final[dict[str, Callable[[Any], int]]] = {
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
}


def rounded(function: str, a: Piece) -> Piece:
    """``round``, ``floor`` or ``ceil`` of a piece."""
    return Piece(f"{function}({a.text})", ATOM, lambda v: _ROUNDED[function](a.of(v)))


def quotient(function: str, a: Piece, b: Piece) -> Piece:
    """The rounded quotient of pieces."""
    text = f"{_inside(a, PRODUCT)} / {_inside(b, ATOM)}"
    return rounded(function, Piece(text, PRODUCT, lambda v: a.of(v) / b.of(v)))


def fraction(function: str, a: Piece, b: Piece) -> Piece:
    """A rounded share of a sum."""
    return rounded(function, add(multiply(a, number(0.75)), multiply(number(0.3), b)))


ROUNDING: Final[tuple[Callable[[Piece, Piece], Piece], ...]] = tuple(
    partial(way, function)
    for way in (quotient, fraction)
    for function in ("round", "floor", "ceil")
)


def arithmetic(
    rng: random.Random,
    names: Sequence[str],
    constants: Sequence[float],
    operations: Sequence[Callable[[Piece, Piece], Piece]] = OPERATIONS,
) -> Piece:
    """One to three operations on names and constants, with at least one name."""
    found = name(rng.choice(names))
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        other = name(rng.choice(names)) if rng.random() < 0.4 else number(rng.choice(constants))
        if rng.random() < 0.1:
            other = add(other, name(rng.choice(names)))
        pair = (found, other) if rng.random() < 0.7 else (other, found)
        found = rng.choice(operations)(*pair)
    if rng.random() < 0.08:
        found = Piece(f"({found.text})", ATOM, found.of)
    return found if rng.random() > 0.05 else subtract(number(6), found)


def aimed(rng: random.Random, piece: Piece, value: int, wanted: int) -> Piece:
    """An expression with the value ``wanted``, made from ``piece``, whose value is ``value``."""
    ways = [add(piece, number(wanted - value)) if wanted > value else piece]
    if wanted < value:
        ways = [subtract(piece, number(value - wanted)), smallest(piece, number(wanted))]
    elif wanted > value:
        ways.append(largest(piece, number(wanted)))
    if value > wanted > 0 and value % wanted == 0:
        ways.append(divide(piece, number(value // wanted)))
    return rng.choice(ways)
