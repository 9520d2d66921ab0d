"""Terms and their values, compared with plain numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from written_terms import NAMESPACE, A, B, R, calculations, outcome, real, whole, written

from inception_dsl.types.expression import parse
from inception_dsl.types.spelling import spell
from inception_dsl.types.terms import (
    MAX_SIZE,
    Apply,
    Symbol,
    Term,
    add,
    choose,
    constant,
    divide,
    explain,
    modulo,
    multiply,
    negate,
    of,
    replace,
    subtract,
)


def test_symbols_are_compared_by_identity() -> None:
    """Two symbols with the same hint are different."""
    one, other = Symbol("n"), Symbol("n")
    assert one != other and of(one) != of(other)
    both = add(of(one), of(other))
    assert both is not None and both.symbols == (one, other)
    assert both.evaluate({one: 3, other: 4}) == 7
    assert spell(both, {one: "n", other: "n_"}) == "n + n_"
    assert subtract(of(one), of(one)) == constant(0)
    assert subtract(of(one), of(other)) != constant(0)
    assert repr(one) == "<n>"


def test_equal_terms_have_equal_hashes() -> None:
    for one, other in (
        ("a + 1 - 1", "a"),
        ("a + a", "a * 2"),
        ("a // 2 + a // 2", "(a // 2) * 2"),
        ("min(a + 1, b)", "min(1 + a, b)"),
    ):
        assert written(one) == written(other)
        assert hash(written(one)) == hash(written(other))
    assert written("min(a, b)") != written("max(a, b)") != written("max(b, a)")


def test_the_symbols_of_a_term() -> None:
    term = written("min(b, 3) * (a // b) + a")
    assert term.symbols == (B, A)
    assert constant(3).symbols == ()
    assert [written(text).lone for text in ("a", "a + 1", "2 * a", "-a", "a // 2", "3")] == [
        A,
        *[None] * 5,
    ]
    assert written("(a + 1) - 1").lone is A


@pytest.mark.parametrize(
    ("text", "size"),
    [("3", 0), ("a", 1), ("2 * a + 1", 1), ("a + b", 2), ("a // 2", 2), ("min(a, b) * a", 5)],
)
def test_the_size_of_a_term(text: str, size: int) -> None:
    assert written(text).size == size


def test_a_symbol_can_have_any_value() -> None:
    flag, text = Symbol("flag", "bool"), Symbol("function", "str")
    assert of(flag).evaluate({flag: True}) is True
    assert of(text).evaluate({text: "relu"}) == "relu"
    assert of(R).evaluate({R: 2}) == 2


def test_a_term_without_a_value() -> None:
    with pytest.raises(KeyError):
        of(A).evaluate({B: 1})
    with pytest.raises(ZeroDivisionError):
        written("7 // a").evaluate({A: 0})
    with pytest.raises(ZeroDivisionError):
        written("7 % a").evaluate({A: 0})
    with pytest.raises(TypeError):
        written("a + 1").evaluate({A: "same"})


@pytest.mark.parametrize("function", [add, subtract, multiply, divide, modulo])
def test_operations_on_an_unknown_term_are_unknown(function: Callable[..., Term | None]) -> None:
    assert function(None, of(A)) is function(of(A), None) is function(None, None) is None


def test_other_unknown_terms() -> None:
    assert negate(None) is None
    assert choose("min", of(A), None) is None
    assert replace(None, {}) is None
    for text in ("${1 // 0}", "${a + 1 % 0}", "${min(c, 1)}", "$c", "${-c}"):
        assert explain(parse(text), {"a": of(A), "c": None}) is None
    assert explain(parse("$nothing"), {}) is None
    assert divide(constant(1), constant(0)) is modulo(constant(1), constant(0)) is None


@given(calculations(), whole, whole)
def test_a_term_has_the_value_that_python_computes(
    pair: tuple[Term | None, str], a: int, b: int
) -> None:
    term, text = pair
    if term is None:  # too long, or without a value
        return
    wanted = outcome(lambda: eval(text, dict(NAMESPACE), {"a": a, "b": b}))
    if wanted is not None:
        assert term.evaluate({A: a, B: b}) == wanted
        assert type(term.evaluate({A: a, B: b})) is int


@given(calculations(reals=True), whole, whole, real)
def test_a_float_term_has_exactly_the_value_that_python_computes(
    pair: tuple[Term | None, str], a: int, b: int, r: float
) -> None:
    """The order of operations is kept, so rounding is the same."""
    term, text = pair
    values = {"a": a, "b": b, "r": r}
    wanted = outcome(lambda: eval(text, dict(NAMESPACE), values))
    if term is not None and wanted is not None:
        assert term.evaluate({A: a, B: b, R: r}) == wanted


@given(calculations(), calculations(), calculations(), whole, whole)
def test_symbols_are_replaced_by_terms(
    outer: tuple[Term | None, str],
    one: tuple[Term | None, str],
    other: tuple[Term | None, str],
    a: int,
    b: int,
) -> None:
    """The result has the value of the outer term at the values of the inner terms."""
    found = replace(outer[0], {A: one[0], B: other[0]})
    if outer[0] is None or found is None or one[0] is None or other[0] is None:
        return
    values = {A: a, B: b}
    inside = outcome(lambda: {A: one[0].evaluate(values), B: other[0].evaluate(values)})  # type: ignore[union-attr]
    wanted = None if inside is None else outcome(lambda: outer[0].evaluate(inside))  # type: ignore[union-attr]
    if wanted is not None:
        assert found.evaluate(values) == wanted


def test_only_symbols_in_the_term_need_a_replacement() -> None:
    assert replace(of(A), {A: written("b + 1")}) == written("b + 1")
    assert replace(written("a + b"), {A: of(A), B: None}) is None
    assert replace(written("a + b"), {A: of(A)}) is None
    assert replace(constant(3), {}) == constant(3)
    assert replace(written("min(a, b) % 3"), {A: of(B), B: of(B)}) == written("b % 3")
    found = replace(written("2 * a + 1"), {A: of(R)})
    assert found is not None and found.evaluate({R: 0.1}) == 2 * 0.1 + 1


def test_replacing_symbols_keeps_the_order() -> None:
    """For integer and for float terms."""
    for text, expected in (("2 * a + b", "r * 2 + (b + 1)"), ("b + a", "b + 1 + r")):
        found = replace(written(text), {A: of(R), B: written("b + 1")})
        assert found == written(expected)


def test_a_term_has_a_maximum_size() -> None:
    symbols = [Symbol(f"s{i}") for i in range(MAX_SIZE + 1)]
    total: Term | None = constant(0)
    for symbol in symbols[:-1]:
        total = add(total, of(symbol))
    assert total is not None and total.size == MAX_SIZE == 60
    assert add(total, constant(7)) is not None
    assert multiply(total, constant(7)) is not None
    for longer in (
        add(total, of(symbols[-1])),
        subtract(total, of(symbols[-1])),
        multiply(total, of(symbols[-1])),
        divide(total, constant(2)),
        modulo(total, constant(2)),
        choose("min", total, constant(3)),
    ):
        assert longer is None


def test_a_term_that_grows_exponentially_becomes_unknown() -> None:
    """So the computation takes little time."""
    term: Term | None = of(A)
    for _ in range(100):
        term = add(multiply(term, term), modulo(term, of(B)))
        assert term is None or term.size <= MAX_SIZE
    assert term is None


def test_the_parts_of_a_term() -> None:
    ((atom, factor),) = written("a // 2").parts
    assert (atom, factor) == (Apply("//", (of(A), constant(2))), 1)
    assert written("3 * a - 2 * b + 4") == Term(((A, 3), (B, -2)), 4)
