"""Scopes: how values are printed, and which arguments that creates."""

from __future__ import annotations

from typing import Any

import pytest
from scopes import CHANNELS, FLAG, RATE, ROWS, WORD, N, frame, scope

from inception_dsl.backend import (
    Code,
    Form,
    Read,
    Row,
    Scope,
    Slot,
    SplitError,
    Symbol,
    VariesError,
)
from inception_dsl.backend.frames import UNKNOWN
from inception_dsl.types.expression import parse
from inception_dsl.types.terms import Term, add, constant, multiply, of


def slot(values: tuple[Any, ...], written: Any = None, hint: str = "filters") -> Slot:
    return frame().slot(values, written, hint)


def names(scope: Scope) -> list[tuple[str, str]]:
    return [(argument.name, argument.kind) for argument in scope.signature()]


@pytest.mark.parametrize(
    ("values", "written", "text"),
    [
        ((7, 7, 7), 7, "7"),
        ((7, 7, 7), None, "7"),
        ((0.5, 0.5, 0.5), 0.5, "0.5"),
        ((True, True, True), True, "True"),
        (("same", "same", "same"), "same", '"same"'),
        (((1, 2), (1, 2), (1, 2)), None, "(1, 2)"),
        ((-3, -3, -3), parse("${2 - 5}"), "-3"),
        # an expression that does not give the value of every use
        ((8, 8, 8), parse("$n"), "8"),
        ((8, 8, 8), parse("$other"), "8"),
    ],
)
def test_a_value_that_is_the_same_everywhere_is_a_literal(
    values: tuple[Any, ...], written: Any, text: str
) -> None:
    block = scope()
    found = block.text(slot(values, written))
    assert (found, isinstance(found, Read)) == (text, False)
    assert not block.arguments and not block.reads


@pytest.mark.parametrize(
    ("values", "written", "text", "arguments"),
    [
        ((3, 5, 9), "$n", "n", [("n", "int")]),
        ((4, 6, 10), "${n + 1}", "n + 1", [("n", "int")]),
        (
            (16, 28, 28),
            "${in_channels + n * 2 + 2}",
            "in_channels + 2 * n + 2",
            [("in_channels", "int"), ("n", "int")],
        ),
        ((0.5, 0.25, 0.5), "$rate", "rate", [("rate", "float")]),
        ((True, False, True), "$flag", "flag", [("flag", "bool")]),
        (("relu", "relu", "tanh"), "$word", "word", [("word", "str")]),
        ((3, 3, 3), "${min(n, 3)}", "min(n, 3)", [("n", "int")]),
    ],
)
def test_a_term_that_gives_the_value_of_every_use(
    values: tuple[Any, ...], written: str, text: str, arguments: list[tuple[str, str]]
) -> None:
    """Even if all uses have the same value, as another use may have another."""
    block = scope()
    found = block.text(slot(values, parse(written)))
    assert (found, isinstance(found, Read)) == (text, True)
    assert names(block) == arguments


def test_tight_sums_are_in_parentheses() -> None:
    block = scope()
    assert block.text(slot((4, 6, 10), parse("${n + 1}")), tight=True) == "(n + 1)"
    assert block.text(slot((3, 5, 9), parse("$n")), tight=True) == "n"
    assert block.text(slot((7, 7, 7), 7), tight=True) == "7"


def test_symbols_that_are_spelled_differently() -> None:
    """For example as attributes, in methods that run later."""
    seen = []

    def own(symbol: Symbol, name: Code) -> Code:
        seen.append(symbol)
        return Code(f"self.{name}")

    block = scope()
    assert block.text(slot((4, 6, 10), parse("${n + 1}")), spelled=own) == "self.n + 1"
    assert seen == [N]
    assert block.text(slot((7, 7, 7), 7), spelled=own) == "7"
    assert block.text(slot((1, 2, 3)), spelled=own) == "self.filters"
    assert [symbol.hint for symbol in seen] == ["n", "filters"]
    assert names(block) == [("n", "int"), ("filters", "int")]


def test_values_without_a_term_are_an_argument_with_a_value_for_each_instance() -> None:
    block = scope()
    found = block.text(slot((7, 8, 7)))
    assert (found, isinstance(found, Read)) == ("filters", True)
    (argument,) = block.signature()
    assert (argument.name, argument.kind, argument.symbol) == ("filters", "int", None)
    assert argument.values == (7, 8, 7)
    assert block.text(slot((7, 8, 7))) == "filters", "the same values are the same argument"
    assert block.text(slot((7, 8, 9))) == "filters_value"
    assert block.text(slot((7, 8, 10))) == "filters_value_2"
    assert block.text(slot((7, 8, 7), hint="units")) == "units"
    assert [a.values for a in block.signature()] == [(7, 8, 7), (7, 8, 9), (7, 8, 10), (7, 8, 7)]


def test_names_of_arguments_are_unique() -> None:
    block = scope()
    assert block.text(slot((7, 8, 7), hint="n")) == "n_value"
    assert block.text(slot((3, 5, 9), parse("$n"))) == "n"
    assert names(block) == [("n", "int"), ("n_value", "int")]


@pytest.mark.parametrize("value", [(1.5, 2.5, 1.5), (True, False, False), ("a", "b", "a")])
def test_the_kind_of_an_argument_is_that_of_its_values(value: tuple[Any, ...]) -> None:
    block = scope()
    block.text(slot(value, hint="x"))
    assert names(block) == [("x", type(value[0]).__name__)]


def test_a_term_that_is_too_long_is_an_argument() -> None:
    """Printed, it would be unreadable."""
    term: Term | None = of(N)
    for _ in range(10):
        term = multiply(term, add(term, of(CHANNELS)))
    assert term is None
    values = tuple(r.values[N] * 1000 for r in ROWS)
    block = scope()
    assert block.text(Slot(frame(), values, term, "filters")) == "filters"


# repetitions


INDEX = Symbol("i")
LOOP = tuple(Row({**row.values, INDEX: i}, row.instance) for row in ROWS for i in (0, 4))


def test_values_that_vary_between_repetitions_cannot_be_written_once() -> None:
    block, inside = scope(), frame(LOOP)
    with pytest.raises(VariesError):
        block.text(inside.slot((1, 2, 3, 3, 4, 4), None, "filters"))
    assert issubclass(VariesError, SplitError)
    assert not block.arguments
    assert block.text(inside.slot((1, 1, 3, 3, 4, 4), None, "filters")) == "filters"
    assert [a.values for a in block.signature()] == [(1, 3, 4)]


def test_the_index_of_a_loop_is_known_inside_of_it() -> None:
    block, inside = scope(), frame(LOOP)
    values = tuple(row.values[N] + 2 * row.values[INDEX] for row in LOOP)
    term = add(of(N), multiply(of(INDEX), constant(2)))
    found = Slot(inside, values, term, "filters")
    with pytest.raises(VariesError):
        block.text(found)
    with block.loop(INDEX, "k"):
        assert block.text(found) == "n + 2 * k"
    assert names(block) == [("n", "int")]
    with pytest.raises(VariesError):
        block.text(found)
    with block.loop(None, ""):
        assert block.text(slot((3, 5, 9), parse("$n"))) == "n"
    with pytest.raises(RuntimeError), block.loop(INDEX, "k"):
        raise RuntimeError
    assert INDEX not in block.known


def test_channels_that_may_differ_between_repetitions_are_never_printed() -> None:
    """Not even if they are the same."""
    with pytest.raises(VariesError):
        scope().text(Slot(frame(), (7, 7, 7), UNKNOWN, "in_channels"))


# sizes


def test_a_value_that_depends_on_sizes_is_an_argument_of_a_block() -> None:
    """A block may be used at other sizes; the top level has one size."""
    found = Slot(frame(), (7, 7, 7), None, "in_features", sized=True)
    block = scope()
    assert block.text(found) == "in_features"
    (argument,) = block.signature()
    assert (argument.values, argument.sized) == ((7, 7, 7), True)
    top = scope(ROWS[:1])
    assert top.text(Slot(frame(ROWS[:1], sized=True), (7,), None, "in_features", sized=True)) == "7"
    assert not top.arguments


def test_the_top_level_has_no_derived_arguments() -> None:
    inside = frame(ROWS[:2], sized=True)
    with pytest.raises(VariesError):
        scope().text(Slot(inside, (7, 8), None, "filters"))


# forms


PAIR = Form("pair", "tuple[int, int]", lambda value: f"({value}, {value})")
CALL = Form("call", "Callable", lambda value: f"nn.{value.title()}", hint="activation")


def test_another_form_of_a_value() -> None:
    block = scope()
    assert block.text(slot((7, 7, 7), 7), PAIR) == "(7, 7)"
    assert block.text(slot(("relu",) * 3), CALL) == "nn.Relu"
    assert not block.arguments


def test_a_parameter_that_is_read_in_two_forms_is_two_arguments() -> None:
    block = scope()
    assert block.text(slot((3, 5, 9), parse("$n")), PAIR) == "n"
    assert block.text(slot((3, 5, 9), parse("$n"))) == "n_value"
    assert block.text(slot(("relu", "relu", "tanh"), parse("$word")), CALL) == "activation"
    found = block.signature()
    assert [(a.name, a.kind, a.form.key) for a in found] == [
        ("n", "tuple[int, int]", "pair"),
        ("n_value", "int", ""),
        ("activation", "Callable", "call"),
    ]
    assert [a.symbol for a in found] == [N, N, WORD]
    assert found[2].values == ("relu", "relu", "tanh")
    assert block.text(slot((3, 5, 9), parse("$n")), PAIR) == "n"


def test_no_arithmetic_on_another_form() -> None:
    """Only numbers can be added; other forms become derived arguments."""
    block = scope()
    assert block.text(slot((4, 6, 10), parse("${n + 1}")), PAIR) == "filters"
    (argument,) = block.signature()
    assert (argument.kind, argument.symbol, argument.values) == (
        "tuple[int, int]",
        None,
        (4, 6, 10),
    )


# records


def test_arguments_are_what_is_read_in_the_order_of_the_spec() -> None:
    block = scope()
    assert not block.signature()
    for values, written in (
        ((1, 2, 1), None),
        ((True, False, True), "$flag"),
        ((3, 5, 9), "$n"),
        ((8, 16, 8), "$in_channels"),
    ):
        block.text(slot(values, written and parse(written)))
    assert [a.name for a in block.signature()] == ["in_channels", "n", "flag", "filters"]
    assert [*block.reads] == [FLAG, N, CHANNELS]
    assert RATE not in block.reads


def test_a_symbol_that_is_known_and_not_given_is_no_argument() -> None:
    """For example the input channels, if they are a variable of the body."""
    block = scope()
    block.given = frozenset({N})
    assert block.text(slot((8, 16, 8), parse("$in_channels"))) == "in_channels"
    assert not block.arguments
    assert [*block.reads] == [CHANNELS]


def test_restore_undoes_later_reads() -> None:
    block = scope()
    block.text(slot((3, 5, 9), parse("$n")))
    before, state = dict(block.arguments), block.state()
    block.text(slot((1, 2, 1)))
    block.text(slot((0.5, 0.25, 0.5), parse("$rate")))
    assert len(block.arguments) == 3
    block.restore(state)
    assert block.arguments == before
    assert [*block.reads] == [N]
    assert block.text(slot((1, 2, 3))) == "filters", "its name is free again"
