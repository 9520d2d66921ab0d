"""Frames and slots: when a term can be printed for all uses."""

from __future__ import annotations

from typing import Any

import pytest
from scopes import CHANNELS, FLAG, RATE, ROWS, WORD, N, frame

from inception_dsl.backend import Frame, Row, Slot, SplitError, Symbol
from inception_dsl.types.expression import parse
from inception_dsl.types.terms import Term, add, constant, divide, multiply, of


@pytest.mark.parametrize(
    ("written", "term"),
    [
        (7, constant(7)),
        (0.5, constant(0.5)),
        (True, None),
        ("same", None),
        (None, None),
        ((1, 2), None),
        (parse("$n"), of(N)),
        (parse("$flag"), of(FLAG)),
        (parse("$word"), of(WORD)),
        (parse("${n * 2 + in_channels}"), add(multiply(of(N), constant(2)), of(CHANNELS))),
        (parse("$other"), None),
        (parse("${n + other}"), None),
    ],
)
def test_the_term_of_a_value_in_a_spec(written: Any, term: Term | None) -> None:
    assert frame().term(written) == term


@pytest.mark.parametrize(
    ("term", "values", "holds"),
    [
        (of(N), (3, 5, 9), True),
        (of(N), (3, 5, 8), False),
        (of(N), (4, 5, 9), False),
        (constant(3), (3, 3, 3), True),
        (constant(3), (3, 3, 5), False),
        (multiply(of(N), constant(2)), (6, 10, 18), True),
        (of(RATE), (0.5, 0.25, 0.5), True),
        (of(FLAG), (True, False, True), True),
        (of(WORD), ("relu", "relu", "tanh"), True),
        (None, (3, 5, 9), False),
        # a bool is not a number here, although True == 1 in Python
        (of(FLAG), (1, 0, 1), False),
        (constant(1), (True, True, True), False),
        # terms that cannot be evaluated in some use
        (of(Symbol("n")), (3, 5, 9), False),
        (divide(constant(27), add(of(N), constant(-3))), (0, 13, 4), False),
        (add(of(WORD), constant(1)), (3, 5, 9), False),
    ],
)
def test_a_term_holds_if_it_gives_the_value_of_every_use(
    term: Term | None, values: tuple[Any, ...], holds: bool
) -> None:
    assert frame().holds(term, values) is holds
    assert frame().held(term, values) == (term if holds else None)


def test_every_use_has_a_value() -> None:
    with pytest.raises(ValueError, match="zip"):
        frame().holds(of(N), (3, 5))


def test_slots() -> None:
    found = frame().slot((3, 5, 9), parse("$n"), "filters")
    assert (found.values, found.term, found.hint, found.sized) == (
        (3, 5, 9),
        of(N),
        "filters",
        False,
    )
    fixed = frame().fixed(7, "repeat")
    assert (fixed.values, fixed.term, fixed.hint) == ((7, 7, 7), constant(7), "repeat")
    assert frame().fixed("same").term is None


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ((3, 3, 3), True),
        ((3, 3, 4), False),
        ((3, 3.0, 3), False),
        ((1, True, 1), False),
        (("a", "a", "a"), True),
        ((None, None, None), True),
        (((1, 2), (1, 2), (1, 2)), True),
    ],
)
def test_the_same_value_is_of_the_same_type(values: tuple[Any, ...], same: bool) -> None:
    assert Slot(frame(), values, None, "x").same is same


def test_one_value_in_all_uses() -> None:
    slot = Slot(frame(), (3, 3, 3), None, "x")
    assert slot.all(3)
    assert not slot.all(4)
    assert not slot._replace(values=(3, 3, 4)).all(3)


def test_a_split_error_groups_instances_by_the_kinds_of_their_rows() -> None:
    """Loops make several rows for an instance."""
    rows = (ROWS[0], ROWS[0], ROWS[1], ROWS[2])
    node: Any = object()
    error = Frame({}, rows, sized=False).split(node, ["a", "b", "a", "a"])
    assert isinstance(error, SplitError)
    assert error.groups == {0: ("a", "b"), 1: ("a",), 2: ("a",)}
    assert SplitError().groups == SplitError(node).groups == {}


def test_a_symbol_has_a_value_in_every_row() -> None:
    for row in ROWS:
        assert isinstance(row, Row)
        assert [row.values[symbol] for symbol in (CHANNELS, N)] in ([8, 3], [16, 5], [8, 9])
