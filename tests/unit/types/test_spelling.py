"""Terms as Python source, which has the same value as the term."""

from __future__ import annotations

import pytest
from hypothesis import given
from written_terms import NAMES, NAMESPACE, A, B, R, calculations, outcome, real, whole, written

from inception_dsl.types.spelling import spell, tight
from inception_dsl.types.terms import Term

SPELLED = [
    ("a", "a"),
    ("a + 1", "a + 1"),
    ("1 + a", "a + 1"),
    ("a - 1", "a - 1"),
    ("a - b", "a - b"),
    ("1 - a", "1 - a"),
    ("-a - b - 2", "-a - b - 2"),
    ("a + a", "2 * a"),
    ("a - a", "0"),
    ("a - a + 3", "3"),
    ("a - a - 3", "-3"),
    ("(a + 1) + (b + 2)", "a + b + 3"),
    ("a * 3 + b", "3 * a + b"),
    ("b - a * 3", "b - 3 * a"),
    ("(a + 1) * 2", "2 * a + 2"),
    ("2 * (a + 1)", "2 * a + 2"),
    ("a // 2", "a // 2"),
    ("(a + 1) // 2", "(a + 1) // 2"),
    ("(a + b) // 2", "(a + b) // 2"),
    ("(a * 2) // 3", "(2 * a) // 3"),
    ("(a * 4 + 2) // 2", "2 * a + 1"),
    ("(a * 4 + b * 6 + 9) // 2", "2 * a + 3 * b + 4"),
    ("(a * 4 - 3) // 2", "2 * a - 2"),
    ("a * 2 // -2", "(2 * a) // (-2)"),
    ("a // 1", "a"),
    ("a % 2", "a % 2"),
    ("(a + 1) % b", "(a + 1) % b"),
    ("7 // a", "7 // a"),
    ("7 % a", "7 % a"),
    ("-7 % a", "(-7) % a"),
    ("a * b", "a * b"),
    ("b * a", "b * a"),
    ("(a + 1) * b", "(a + 1) * b"),
    ("a * 0", "0"),
    ("-a", "-a"),
    ("a * 2 - 2 * a", "0"),
    ("min(a, 3)", "min(a, 3)"),
    ("min(b, a, b)", "min(b, a, b)"),
    ("max(b, 3)", "max(b, 3)"),
    ("max(a, a)", "a"),
    ("min(a + 1)", "a + 1"),
    ("-(a // 2)", "-(a // 2)"),
    ("(a // 2) * 3", "3 * (a // 2)"),
    ("(a // 2) + (b // 2)", "(a // 2) + (b // 2)"),
    ("(a // 2) + (a // 2)", "2 * (a // 2)"),
    ("(a // 2) - 1", "(a // 2) - 1"),
    ("max(2, 3)", "3"),
    ("min(2, 3)", "2"),
    ("min(a, 1) + max(b, 1)", "min(a, 1) + max(b, 1)"),
    ("2 * min(a, b) - 1", "2 * min(a, b) - 1"),
    ("a // b + 1", "(a // b) + 1"),
    ("a * b + 1", "a * b + 1"),
    ("1 - a * b", "1 - a * b"),
    ("2 * (a * b)", "2 * (a * b)"),
    ("(a // 2) * (b // 2)", "(a // 2) * (b // 2)"),
    ("(a + 1) // (b + 1)", "(a + 1) // (b + 1)"),
    # float terms keep their order
    ("r", "r"),
    ("1 + r", "1 + r"),
    ("r + r", "r + r"),
    ("r - r", "r - r"),
    ("r * 2", "r * 2"),
    ("2 * r", "2 * r"),
    ("r * 0", "r * 0"),
    ("-r", "0 - r"),
    ("a * 1.5 // 1.5", "(a * 1.5) // 1.5"),
    ("a * 1.5 // 3", "(a * 1.5) // 3"),
    ("a + 0.5", "a + 0.5"),
    ("(a + 0.5) + (b - 1)", "(a + 0.5) + (b - 1)"),
    ("(r + 1) % 0.1", "(r + 1) % 0.1"),
    ("-0.5 * r", "(-0.5) * r"),
    ("max(r, 1.0) - a", "max(r, 1.0) - a"),
]


@pytest.mark.parametrize(("text", "expected"), SPELLED)
def test_the_source_of_a_term(text: str, expected: str) -> None:
    assert spell(written(text), NAMES) == expected


@pytest.mark.parametrize("text", [text for text, _ in SPELLED])
def test_the_source_of_a_parsed_expression(text: str) -> None:
    term = written(text)
    plain = {"min": lambda *values: min(values), "max": lambda *values: max(values)}
    for a in (-7, -1, 1, 2, 5, 64):
        for b in (-3, 1, 4):
            for r in (-0.25, 0.0, 0.1, 3.0):
                wanted = eval(text, dict(plain), {"a": a, "b": b, "r": r})
                assert term.evaluate({A: a, B: b, R: r}) == wanted
                found = eval(spell(term, NAMES), dict(NAMESPACE), {"a": a, "b": b, "r": r})
                assert found == wanted, spell(term, NAMES)


def test_parentheses_around_operands() -> None:
    """A name, a number and a call need none; everything else binds weaker than a power."""
    texts = ["a", "3", "min(a, 2)", "a + 1", "2 * a", "-a", "a // 2", "a * b", "a - a - 3", "r * 2"]
    assert [tight(written(text), NAMES) for text in texts] == [
        *("a", "3", "min(a, 2)", "(a + 1)", "(2 * a)", "(-a)", "(a // 2)", "(a * b)", "(-3)"),
        "(r * 2)",
    ]


def test_symbols_with_other_names() -> None:
    term = written("(a + 1) // 2 * b")
    assert spell(term, {A: "self.width", B: "n_"}) == "((self.width + 1) // 2) * n_"
    with pytest.raises(KeyError):
        spell(term, {A: "a"})


@given(calculations(reals=True), whole, whole, real)
def test_every_source_has_the_value_of_its_term(
    pair: tuple[Term | None, str], a: int, b: int, r: float
) -> None:
    term, _ = pair
    if term is None:
        return
    values = {"a": a, "b": b, "r": r}
    wanted = outcome(lambda: term.evaluate({A: a, B: b, R: r}))
    for text in (spell(term, NAMES), f"0 + {tight(term, NAMES)}", f"{tight(term, NAMES)} * 1"):
        assert outcome(lambda t=text: eval(t, dict(NAMESPACE), values)) == wanted, text  # type: ignore[misc]
