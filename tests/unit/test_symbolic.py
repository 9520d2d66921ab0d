"""Arithmetic on names, against plain numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.symbolic import Symbolic, maximum, minimum, source

A, B = Symbolic.name("a"), Symbolic.name("b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (A, "a"),
        (A + 1, "a + 1"),
        (1 + A, "a + 1"),
        (A - 1, "a - 1"),
        (1 - A, "-a + 1"),
        (A + A, "2 * a"),
        (A - A, "0"),
        (A * 3 + B, "3 * a + b"),
        ((A + 1) * 2, "2 * a + 2"),
        (A // 2, "a // 2"),
        ((A + 1) // 2, "(a + 1) // 2"),
        ((A * 4 + 2) // 2, "2 * a + 1"),
        (A // 1, "a"),
        (A % 2, "a % 2"),
        (7 // A, "7 // a"),
        (7 % A, "7 % a"),
        (A * B, "a * b"),
        (A * 0, "0"),
        (-A, "-a"),
        (minimum(A, 3), "min(a, 3)"),
        (maximum(A, A), "a"),
        (maximum(2, 3), "3"),
        (A // B + 1, "(a // b) + 1"),
    ],
)
def test_source(value: Any, text: str) -> None:
    assert source(value) == text


def test_equal_sums_are_equal_and_hash_alike() -> None:
    assert A + 1 - 1 == A
    assert hash(A + A) == hash(A * 2)


numbers = st.integers(-20, 20)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """The same calculation on names and on the numbers behind them."""
    values = {"a": draw(numbers), "b": draw(numbers)}
    name = draw(st.sampled_from("ab"))
    symbolic: Any = Symbolic.name(name)
    plain = values[name]
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["+", "-", "*", "//", "%", "r-", "name", "min"]))
        other = draw(numbers)
        if kind == "name":
            word = draw(st.sampled_from("ab"))
            symbolic, plain = symbolic + Symbolic.name(word), plain + values[word]
        elif kind == "min":
            symbolic, plain = minimum(symbolic, other), min(plain, other)
        elif kind == "r-":
            symbolic, plain = other - symbolic, other - plain
        elif kind in ("//", "%"):
            by = abs(other) + 1
            symbolic = symbolic // by if kind == "//" else symbolic % by
            plain = plain // by if kind == "//" else plain % by
        else:
            symbolic = symbolic + other if kind == "+" else symbolic - other if kind == "-" else symbolic * other
            plain = plain + other if kind == "+" else plain - other if kind == "-" else plain * other
    return (source(symbolic), values), plain


@given(pairs())
def test_the_printed_source_computes_the_same(pair: tuple[Any, Any]) -> None:
    (text, values), plain = pair
    assert eval(text, {"min": min}, values) == plain
