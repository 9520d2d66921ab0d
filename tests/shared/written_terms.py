"""Terms for tests: built with Python's operators, or random with the same calculation as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from inception_dsl.types.terms import (
    Symbol,
    Term,
    add,
    choose,
    constant,
    divide,
    modulo,
    multiply,
    negate,
    of,
    subtract,
)

A, B, R = Symbol("a"), Symbol("b"), Symbol("r", "float")
NAMES = {A: "a", B: "b", R: "r"}
NAMESPACE = {"min": min, "max": max, "__builtins__": {}}


class Written:
    """A term with Python's operators, for readable tests."""

    def __init__(self, term: Term | None) -> None:
        self.term = term

    def __add__(self, other: Any) -> Written:
        return Written(add(self.term, lifted(other)))

    def __radd__(self, other: Any) -> Written:
        return Written(add(lifted(other), self.term))

    def __sub__(self, other: Any) -> Written:
        return Written(subtract(self.term, lifted(other)))

    def __rsub__(self, other: Any) -> Written:
        return Written(subtract(lifted(other), self.term))

    def __mul__(self, other: Any) -> Written:
        return Written(multiply(self.term, lifted(other)))

    def __rmul__(self, other: Any) -> Written:
        return Written(multiply(lifted(other), self.term))

    def __floordiv__(self, other: Any) -> Written:
        return Written(divide(self.term, lifted(other)))

    def __rfloordiv__(self, other: Any) -> Written:
        return Written(divide(lifted(other), self.term))

    def __mod__(self, other: Any) -> Written:
        return Written(modulo(self.term, lifted(other)))

    def __rmod__(self, other: Any) -> Written:
        return Written(modulo(lifted(other), self.term))

    def __neg__(self) -> Written:
        return Written(negate(self.term))


def lifted(value: Any) -> Term | None:
    return value.term if isinstance(value, Written) else constant(value)


def chosen(function: str) -> Callable[..., Written]:
    return lambda *values: Written(choose(function, *map(lifted, values)))


WRITTEN = {
    **{name: Written(of(symbol)) for symbol, name in NAMES.items()},
    "min": chosen("min"),
    "max": chosen("max"),
    "__builtins__": {},
}


def written(text: str) -> Term:
    """The term of a Python expression in ``a``, ``b`` (integers) and ``r`` (a float)."""
    found = lifted(eval(text, dict(WRITTEN)))
    assert found is not None
    return found


BINARY: Mapping[str, Callable[..., Term | None]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "//": divide,
    "%": modulo,
}
whole = st.integers(-20, 20)
real = st.sampled_from([-2.5, -1.0, 0.0, 0.1, 0.5, 1.0, 3.0, 7.25])


@st.composite
def calculations(draw: st.DrawFn, *, reals: bool = False) -> tuple[Term | None, str]:
    """A random term, and the same calculation as Python text with all parentheses."""

    def leaf() -> tuple[Term | None, str]:
        kind = draw(st.integers(0, 3 if reals else 2))
        if kind == 0:
            value: float = draw(real if reals and draw(st.booleans()) else whole)
            return constant(value), f"({value!r})"
        symbol = (A, B, R)[kind - 1]
        return of(symbol), NAMES[symbol]

    def node(depth: int) -> tuple[Term | None, str]:
        kind = draw(st.sampled_from([*BINARY, "negate", "min", "max", "leaf"])) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind == "negate":
            term, text = node(depth - 1)
            return negate(term), f"(-{text})"
        if kind in ("min", "max"):
            found = [node(depth - 1) for _ in range(draw(st.integers(1, 3)))]
            return choose(kind, *(term for term, _ in found)), (
                f"{kind}([{', '.join(text for _, text in found)}])"
            )
        (left, one), (right, other) = node(depth - 1), node(depth - 1)
        return BINARY[kind](left, right), f"({one} {kind} {other})"

    return node(draw(st.integers(0, 4)))


def outcome(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except ArithmeticError:
        return None
