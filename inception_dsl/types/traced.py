"""Integers that carry the term from which they were computed."""

from __future__ import annotations

from .terms import Term, add, constant, divide, multiply, subtract


class Traced(int):
    """An ``int`` with the term from which it was computed, if known."""

    term: Term | None

    def __new__(cls, value: int, term: Term | None) -> Traced:
        self = super().__new__(cls, value)
        self.term = term
        return self

    def __add__(self, other: int) -> Traced:
        return Traced(int(self) + int(other), add(self.term, term_of(other)))

    def __radd__(self, other: int) -> Traced:
        return Traced(int(other) + int(self), add(term_of(other), self.term))

    def __sub__(self, other: int) -> Traced:
        return Traced(int(self) - int(other), subtract(self.term, term_of(other)))

    def __rsub__(self, other: int) -> Traced:
        return Traced(int(other) - int(self), subtract(term_of(other), self.term))

    def __mul__(self, other: int) -> Traced:
        return Traced(int(self) * int(other), multiply(self.term, term_of(other)))

    def __rmul__(self, other: int) -> Traced:
        return Traced(int(other) * int(self), multiply(term_of(other), self.term))

    def __floordiv__(self, other: int) -> Traced:
        return Traced(int(self) // int(other), divide(self.term, term_of(other)))


def term_of(value: int) -> Term | None:
    """The term of a traced number; for any other number, the constant."""
    return value.term if isinstance(value, Traced) else constant(value)
