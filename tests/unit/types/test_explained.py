"""Terms of expressions, and of numbers that are traced through a shape rule."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_terms import BINARY, NAMES, NAMESPACE, A, B, R, outcome, whole, written

from inception_dsl.types.expression import parse
from inception_dsl.types.spelling import spell
from inception_dsl.types.terms import add, constant, explain, of, quotient, replace, rounded
from inception_dsl.types.terms import whole as is_whole
from inception_dsl.types.traced import Traced, term_of

MEANT = {**NAMESPACE, "round": round, "floor": math.floor, "ceil": math.ceil}
PRINTED = {**NAMESPACE, "round": round, "int": int}
"""Generated code has neither ``floor`` nor ``ceil``."""


def test_terms_of_expressions() -> None:
    names = {"a": of(A), "b": of(B), "r": of(R)}
    for text in ("a", "a + b", "a // 2", "2 // a", "min(a, b)", "max(a, b)", "a % b", "1.5 * r"):
        found = explain(parse(f"${{{text}}}"), names)
        assert found is not None and spell(found, NAMES) == text
    assert explain(parse("$a"), names) == of(A)
    assert explain(parse("${a}"), {"a": written("b * 2")}) == written("2 * b")
    found = explain(parse("${(a + 2) // 2 * b}"), {"a": of(A), "b": constant(4)})
    assert found is not None and spell(found, NAMES) == "4 * ((a + 2) // 2)"
    assert explain(parse("${3 - 5}"), {}) == constant(-2)


def test_the_term_of_a_random_expression_has_its_value() -> None:
    rng = random.Random(11)

    def expression(depth: int) -> str:
        kind = rng.randrange(8 if depth else 3)
        if kind == 0:
            return rng.choice([str(rng.randrange(60)), "0.5", "1.25"])
        if kind < 3:
            return rng.choice("abr")
        if kind == 3:
            return f"({expression(depth - 1)})"
        if kind == 4:
            return f"{rng.choice(['min', 'max'])}({expression(depth - 1)}, {expression(depth - 1)})"
        if kind == 5:
            return f"-{expression(0)}"
        if kind == 6:
            return f"{rng.choice(['round', 'floor', 'ceil'])}({expression(depth - 1)})"
        operator = rng.choice([*BINARY, "/"])
        return f"{expression(depth - 1)} {operator} {expression(depth - 1)}"

    explained = 0
    names = {name: of(symbol) for symbol, name in NAMES.items()}
    for _ in range(2_000):
        text = expression(4)
        values = {"a": rng.randrange(50), "b": rng.randrange(50), "r": rng.choice([0.1, 0.3, 2.5])}
        wanted = outcome(lambda t=text, v=values: eval(t, dict(MEANT), v))  # type: ignore[misc]
        if len(text) > 250 or wanted is None or abs(wanted) > 1e9:
            continue
        parsed = parse(f"${{{text}}}")
        assert parsed.evaluate(values) == wanted
        term = explain(parsed, names)
        if term is not None:
            by_symbol = {symbol: values[name] for symbol, name in NAMES.items()}
            assert term.evaluate(by_symbol) == wanted, text
            written_as = spell(term, NAMES)
            assert eval(written_as, dict(PRINTED), values) == wanted, written_as
            explained += 1
    assert explained > 1_000


@pytest.mark.parametrize(
    ("text", "spelled", "replaced"),
    [
        ("round(a / 2)", "round(a / 2)", "round((b + 1) / 2)"),
        ("round(1.5 * r)", "round(1.5 * r)", "round(1.5 * r)"),
        ("floor(a / b)", "a // b", "(b + 1) // b"),
        ("ceil(a / b)", "-((-a) // b)", "-((-b - 1) // b)"),
        ("floor(r * a)", "int((r * a) // 1)", "int((r * (b + 1)) // 1)"),
        ("2 * ceil(r * a)", "2 * (-int(-(r * a) // 1))", "2 * (-int(-(r * (b + 1)) // 1))"),
        ("ceil(r)", "-int(-r // 1)", "-int(-r // 1)"),
        ("round(a)", "a", "b + 1"),
        ("a / b + 1", "(a / b) + 1", "((b + 1) / b) + 1"),
        ("floor(2.5)", "2", "2"),
    ],
)
def test_division_and_rounding(text: str, spelled: str, replaced: str) -> None:
    names = {name: of(symbol) for symbol, name in NAMES.items()}
    found = explain(parse(f"${{{text}}}"), names)
    assert found is not None and spell(found, NAMES) == spelled
    other = replace(found, {**{symbol: of(symbol) for symbol in NAMES}, A: written("b + 1")})
    assert other is not None and spell(other, NAMES) == replaced


def test_the_nearest_integer() -> None:
    half = rounded("half_up", explain(parse("${a / 2}"), {"a": of(A)}))
    assert half is not None and spell(half, NAMES) == "max(1, int(a / 2 + 0.5))"
    assert [half.evaluate({A: n}) for n in (0, 1, 2, 3, 5)] == [1, 1, 1, 2, 3]
    other = replace(half, {A: of(B)})
    assert other is not None and spell(other, NAMES) == "max(1, int(b / 2 + 0.5))"
    assert is_whole(half)
    total = add(half, of(A))
    assert total is not None and spell(total, NAMES) == "max(1, int(a / 2 + 0.5)) + a"
    assert rounded("half_up", of(A)) == of(A) and rounded("half_up", None) is None
    assert quotient(None, of(A)) is None and quotient(of(A), None) is None


def test_a_traced_number_is_a_number() -> None:
    n = Traced(7, of(A))
    assert n == 7 and hash(n) == hash(7) and {7: "x"}[n] == "x"
    assert isinstance(n, int) and range(n)[-1] == 6 and n > 6
    assert term_of(n) == of(A)
    assert term_of(7) == constant(7)
    assert term_of(Traced(7, None)) is None


TRACED: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a // b,
    lambda a, b: a + 3,
    lambda a, b: 3 + a,
    lambda a, b: a - 3,
    lambda a, b: 3 - a,
    lambda a, b: a * 3,
    lambda a, b: 3 * a,
    lambda a, b: a // 3,
    lambda a, b: (a + (b - 1)) // 2 * b,
    lambda a, b: max(a, 2 * b),
    lambda a, b: 0 + a + b,
]


@pytest.mark.parametrize("rule", TRACED)
@given(whole, st.integers(1, 20))
def test_traced_numbers_have_the_term_of_their_computation(
    rule: Callable[[Any, Any], Any], a: int, b: int
) -> None:
    found = rule(Traced(a, of(A)), Traced(b, of(B)))
    assert found == rule(a, b)
    term = term_of(found)
    assert term is not None and term.symbols
    assert term.evaluate({A: a, B: b}) == rule(a, b)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (lambda a, b: a + b, "a + b"),
        (lambda a, b: b + a, "b + a"),
        (lambda a, b: a * b, "a * b"),
        (lambda a, b: b * a, "b * a"),
        (lambda a, b: 0 + b + a, "b + a"),
        (lambda a, b: (a + 1) * (b - 1), "(a + 1) * (b - 1)"),
    ],
)
def test_traced_numbers_keep_the_order(rule: Callable[[Any, Any], Any], text: str) -> None:
    term = term_of(rule(Traced(5, of(A)), Traced(3, of(B))))
    assert term is not None and spell(term, NAMES) == text


def test_traced_numbers_keep_the_order_of_float_operations() -> None:
    n = Traced(3, written("r // 1"))
    for found, text in (
        (4 + n, "4 + (r // 1)"),
        (n + 4, "(r // 1) + 4"),
        (4 * n, "4 * (r // 1)"),
        (n * 4, "(r // 1) * 4"),
        (4 - n, "4 - (r // 1)"),
    ):
        term = term_of(found)
        assert term is not None and spell(term, NAMES) == text


@pytest.mark.parametrize("rule", TRACED[:4])
def test_a_number_without_a_term_gives_numbers_without_terms(
    rule: Callable[[Any, Any], Any],
) -> None:
    """The value is still correct."""
    for a, b in ((None, of(B)), (of(A), None), (None, None)):
        found = rule(Traced(7, a), Traced(2, b))
        assert found == rule(7, 2)
        assert isinstance(found, Traced) and term_of(found) is None
