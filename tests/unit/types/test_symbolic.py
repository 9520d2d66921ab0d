"""Arithmetic on names, against plain numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.types.symbolic import Symbolic, TooLongError, maximum, minimum, source

A, B = Symbolic.name("a"), Symbolic.name("b")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a", "a"),
        ("a + 1", "a + 1"),
        ("1 + a", "a + 1"),
        ("a - 1", "a - 1"),
        ("a - b", "a - b"),
        ("1 - a", "-a + 1"),
        ("-a - b - 2", "-a - b - 2"),
        ("a + a", "2 * a"),
        ("a - a", "0"),
        ("a - a + 3", "3"),
        ("(a + 1) + (b + 2)", "a + b + 3"),
        ("a * 3 + b", "3 * a + b"),
        ("b - a * 3", "b - 3 * a"),
        ("(a + 1) * 2", "2 * a + 2"),
        ("a // 2", "a // 2"),
        ("(a + 1) // 2", "(a + 1) // 2"),
        ("(a + b) // 2", "(a + b) // 2"),
        ("(a * 2) // 3", "(2 * a) // 3"),
        ("(a * 4 + 2) // 2", "2 * a + 1"),
        ("(a * 4 + b * 6 + 9) // 2", "2 * a + 3 * b + 4"),
        ("a * 1.5 // 1.5", "(1.5 * a) // 1.5"),
        ("a * 1.5 // 3", "(1.5 * a) // 3"),
        ("a * 2 // -2", "(2 * a) // -2"),
        ("a // 1", "a"),
        ("a % 2", "a % 2"),
        ("(a + 1) % b", "(a + 1) % b"),
        ("7 // a", "7 // a"),
        ("7 % a", "7 % a"),
        ("a * b", "a * b"),
        ("b * a", "a * b"),
        ("(a + 1) * b", "(a + 1) * b"),
        ("a * 0", "0"),
        ("-a", "-a"),
        ("a * 2 - 2 * a", "0"),
        ("minimum(a, 3)", "min(a, 3)"),
        ("minimum(b, a, b)", "min(b, a, b)"),
        ("maximum(b, 3)", "max(b, 3)"),
        ("maximum(a, a)", "a"),
        ("minimum(a + 1)", "a + 1"),
        ("-(a // 2)", "-(a // 2)"),
        ("(a // 2) * 3", "3 * (a // 2)"),
        ("(a // 2) + (b // 2)", "(a // 2) + (b // 2)"),
        ("(a // 2) - 1", "(a // 2) - 1"),
        ("maximum(2, 3)", "3"),
        ("minimum(2, 3)", "2"),
        ("minimum(a, 1) + maximum(b, 1)", "min(a, 1) + max(b, 1)"),
        ("a // b + 1", "(a // b) + 1"),
        ("(a // 2) * (b // 2)", "(a // 2) * (b // 2)"),
        ("(a + 1) // (b + 1)", "(a + 1) // (b + 1)"),
    ],
)
def test_source(text: str, printed: str) -> None:
    names = {
        "a": Symbolic.name("a"),
        "b": Symbolic.name("b"),
        "minimum": minimum,
        "maximum": maximum,
    }
    assert source(eval(text, {}, names)) == printed


def test_names_and_sums_print_as_they_are() -> None:
    assert str(A + 1) == repr(A + 1) == "a + 1"
    assert [v.tight for v in (A, A + 1, A * 2, A + B)] == ["a", "(a + 1)", "(2 * a)", "(a + b)"]  # type: ignore[union-attr]


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
            symbolic = (
                symbolic + other
                if kind == "+"
                else symbolic - other
                if kind == "-"
                else symbolic * other
            )
            plain = (
                plain + other if kind == "+" else plain - other if kind == "-" else plain * other
            )
    return (source(symbolic), values), plain


@given(pairs())
def test_the_printed_source_computes_the_same(pair: tuple[Any, Any]) -> None:
    (text, values), plain = pair
    assert eval(text, {"min": min}, values) == plain


def test_the_longest_sum() -> None:
    longest = Symbolic.name("a" * 500) + Symbolic.name("b" * 500)
    assert len(longest.terms) == 2
    with pytest.raises(TooLongError, match=r"more than 1,000 characters"):
        longest + A
