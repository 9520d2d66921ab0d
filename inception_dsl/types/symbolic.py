"""Numbers that are not known yet.

The one arithmetic that shape rules use for both a block and its uses.

Inside a block, ``in_channels`` and the parameters are names; a :class:`Symbolic` is a sum of such
names with whole coefficients, and prints as the Python expression that generated code needs. Shape
rules only use ``+ - * //``, so the same rule serves plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

Number: TypeAlias = "int | float"
Dim: TypeAlias = "int | Symbolic"
MAX_SOURCE: Final = 1_000


class TooLongError(Exception):
    """A number that is not known has become an expression that nobody could read."""


@dataclass(frozen=True, slots=True)
class Symbolic:
    """``constant + sum(coefficient * atom)``.

    An atom is the source of a Python expression that binds tightly.
    """

    terms: tuple[tuple[str, Number], ...]
    constant: Number = 0

    def __post_init__(self) -> None:
        if sum(len(atom) for atom, _ in self.terms) > MAX_SOURCE:
            raise TooLongError(
                f"a size becomes an expression of more than {MAX_SOURCE:,} characters"
            )

    @staticmethod
    def name(name: str) -> Symbolic:
        return Symbolic(((name, 1),))

    def __str__(self) -> str:
        parts: list[str] = []
        for atom, factor in self.terms:
            size = abs(factor)
            text = atom if size == 1 else f"{size} * {atom}"
            if not parts:
                parts.append(text if factor > 0 else f"-{text}")
            else:
                parts.append(f"+ {text}" if factor > 0 else f"- {text}")
        if self.constant:
            parts.append(f"{'+' if self.constant > 0 else '-'} {abs(self.constant)}")
        return " ".join(parts)

    __repr__ = __str__

    @property
    def tight(self) -> str:
        """The source in parentheses unless it is a single name or call."""
        alone = len(self.terms) == 1 and self.terms[0][1] == 1 and not self.constant
        return str(self) if alone else f"({self})"

    def __add__(self, other: Value) -> Value:
        terms = dict(self.terms)
        constant = self.constant
        if isinstance(other, Symbolic):
            constant += other.constant
            for atom, factor in other.terms:
                terms[atom] = terms.get(atom, 0) + factor
        else:
            constant += other
        return _sum(terms, constant)

    __radd__ = __add__

    def __neg__(self) -> Value:
        return self * -1

    def __sub__(self, other: Value) -> Value:
        return self + (-other)

    def __rsub__(self, other: Value) -> Value:
        return -self + other

    def __mul__(self, other: Value) -> Value:
        if isinstance(other, Symbolic):
            first, second = sorted((self.tight, other.tight))
            return Symbolic.name(f"({first} * {second})")
        return _sum({atom: factor * other for atom, factor in self.terms}, self.constant * other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Value) -> Value:
        if isinstance(other, int) and other > 0:
            if other == 1:
                return self
            whole = [v for _, v in self.terms if isinstance(v, int)]
            if len(whole) == len(self.terms) and all(v % other == 0 for v in whole):
                rest = {atom: factor // other for atom, factor in self.terms}
                return _sum(rest, self.constant // other)
            return _opaque(f"({self.tight} // {other})")
        return _opaque(f"({self.tight} // {_tight(other)})")

    def __rfloordiv__(self, other: Number) -> Value:
        return _opaque(f"({other} // {self.tight})")

    def __mod__(self, other: Value) -> Value:
        return _opaque(f"({self.tight} % {_tight(other)})")

    def __rmod__(self, other: Number) -> Value:
        return _opaque(f"({other} % {self.tight})")


Value: TypeAlias = int | float | Symbolic


def _sum(terms: dict[str, Number], constant: Number) -> Value:
    kept = tuple((atom, factor) for atom, factor in terms.items() if factor)
    return Symbolic(kept, constant) if kept else constant


def _opaque(source: str) -> Symbolic:
    return Symbolic.name(source)


def _tight(value: Value) -> str:
    return value.tight if isinstance(value, Symbolic) else str(value)


def minimum(*values: Value) -> Value:
    """``min`` that keeps names."""
    return _choose("min", min, values)


def maximum(*values: Value) -> Value:
    """``max`` that keeps names."""
    return _choose("max", max, values)


def _choose(name: str, choose: Callable[..., Number], values: tuple[Value, ...]) -> Value:
    plain = [v for v in values if not isinstance(v, Symbolic)]
    if len(plain) == len(values):
        return choose(plain)
    if len(set(values)) == 1:
        return values[0]
    return _opaque(f"{name}({', '.join(str(v) for v in values)})")


def source(value: Value) -> str:
    """``value`` as Python source, without needless outer parentheses."""
    text = str(value)
    alone = isinstance(value, Symbolic) and len(value.terms) == 1 and not value.constant
    # an atom in parentheses has them around all of it
    return text[1:-1] if alone and text.startswith("(") else text


def known(value: Value) -> bool:
    """Whether ``value`` is a plain number, so that it can be checked."""
    return not isinstance(value, Symbolic)


def dim(value: Value) -> Dim:
    """``value`` as a dimension."""
    return int(value) if isinstance(value, float) else value


def number(value: Value) -> int:
    """``value`` where it is known."""
    if isinstance(value, Symbolic):
        raise TypeError(f"{value} is not a number")
    return int(value)
