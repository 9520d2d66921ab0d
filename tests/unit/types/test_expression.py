"""Expressions in specs."""

from __future__ import annotations

import random

import pytest

from inception_dsl.types.expression import ExpressionError, is_expression, parse
from inception_dsl.types.terms import Symbol, of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$a", 7),
        ("${a}", 7),
        ("${1 + 2 * 3}", 7),
        ("${(1 + 2) * 3}", 9),
        ("${a // 2}", 3),
        ("${a % 4}", 3),
        ("${-a + 10}", 3),
        ("${- -a}", 7),
        ("${min(a, b, 3)}", 3),
        ("${max(a, b) - 1}", 19),
        ("${1.5 * 2}", 3.0),
        ("${10 - 3 - 2}", 5),
        ("${100 // 7 // 2}", 7),
        ("${2*a+1}", 15),
        ("${ a }", 7),
        ("$text", "relu"),
        ("$flag", True),
        ("${1.5}", 1.5),
        ("${half * 2}", 1.0),
        ("${half // 2}", 0.0),
        ("${min(half, a)}", 0.5),
        ("${max(3)}", 3),
        ("${1 + max(2, 5, a) * 2 - 1}", 14),
        ("${min}", 1),
        ("${1099511627776}", 2**40),
        ("${-1099511627776}", -(2**40)),
        ("${" + "1+" * 126 + "1}", 127),
        ("$" + "a" * 255, 5),
        *((f"${{{'(' * n}1{')' * n}}}", 1) for n in (1, 32)),
        *((f"${{{'-' * n}1}}", 1) for n in (2, 32)),
        *((f"${{{'min(' * n}1{')' * n}}}", 1) for n in (1, 32)),
        *((f"${{{'1+(' * n}1{')' * n}}}", n + 1) for n in (1, 16)),
        *((f"${{{'1*min(' * n}1{')' * n}}}", 1) for n in (1, 16)),
    ],
)
def test_values(text: str, value: object) -> None:
    environment = {
        "a": 7,
        "b": 20,
        "text": "relu",
        "flag": True,
        "half": 0.5,
        "min": 1,
        "a" * 255: 5,
    }
    found = parse(text).evaluate(environment)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("$", 0),
        ("${", 0),
        ("$a.b", 0),
        ("a$b", 0),
        ("${}", 2),
        ("${a +}", 5),
        ("${a b}", 4),
        ("${(a}", 4),
        ("${a)}", 3),
        ("${sqrt(a)}", 6),
        ("${round(a, 2)}", 2),
        ("${a ** 2}", 5),
        ("${a; b}", 3),
        ("${min()}", 6),
        ("${min(a,)}", 8),
        ("${__import__('os')}", 13),
        ("${a.b}", 3),
        ("${1e3}", 2),
        ("${0x10}", 2),
        ("${1_000}", 2),
        ("${'a'}", 2),
        ("${a == b}", 4),
        ("${" + "(" * 40 + "1" + ")" * 40 + "}", 35),
        ("${" + "-" * 40 + "1}", 35),
        ("${" + "1+" * 200 + "1}", 0),
        ("$" + "a" * 256, 0),
        ("a}", 0),
        ("$a\n", 0),
        ("${a", 0),
        ("${a + é}", 6),
        ("${a +  ?}", 7),
        ("${a}}", 3),
        ("${1.}", 2),
        ("${- }", 4),
        ("${min(1, 2 3)}", 11),
        ("${max(1, 2}", 10),
        ("${min a}", 6),
        ("${a(1)}", 3),
        (f"${{{'1+(' * 17}1{')' * 17}}}", 52),
        (f"${{{'1*min(' * 17}1{')' * 17}}}", 100),
        (f"${{{'min(' * 33}1{')' * 33}}}", 134),
    ],
)
def test_expressions_that_cannot_be_parsed(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert error.value.offset == offset


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        (
            "${foo + bar",
            "invalid expression: the whole value must be `$name` or `${…}`",
            "${foo + bar",
        ),
        ("$" + "a" * 256, "the expression has more than 256 characters", "$" + "a" * 256),
        ("${a + ? b}", "unexpected `?`", "?"),
        ("${foo bar}", "unexpected `bar`", "bar"),
        ("${foo // )}", "unexpected `)`", ")"),
        ("${foo +}", "unexpected end of the expression", "}"),
        ("${-" + "(" * 40 + "}", "more than 32 levels of nesting", "("),
    ],
)
def test_messages_and_locations_of_parse_errors(text: str, message: str, place: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert str(error.value) == message
    assert text[error.value.offset :][: error.value.length] == place


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("$foo", "unknown parameter `foo`", "foo"),
        ("${1 + foo}", "unknown parameter `foo`", "foo"),
        ("${1 + text}", "`text` is not a number", "text"),
        ("${1 // (1 - 1)}", "division by zero", "/"),
        ("${1 + 1 % 0}", "division by zero", "%"),
        ("${1 + 1099511627776}", "the value exceeds the limit of 1099511627776", "+"),
        ("${-1099511627776 - 1}", "the value exceeds the limit of 1099511627776", "-"),
        ("${0 - 1099511627777}", "the value exceeds the limit of 1099511627776", "1"),
    ],
)
def test_messages_and_locations_of_evaluation_errors(text: str, message: str, place: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text).evaluate({"text": "relu"})
    assert str(error.value) == message
    assert text[error.value.offset :][: error.value.length] == place


def test_the_default_location_of_an_error() -> None:
    assert (ExpressionError("x").offset, ExpressionError("x").length) == (0, 1)


def test_expressions_start_with_a_dollar_sign() -> None:
    assert [is_expression(v) for v in ("$a", "${1}", "$", "a$", "", 7, None, ["$a"])] == [
        True,
        True,
        True,
        *[False] * 5,
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b", 10),
        ("a - b", 4),
        ("a * b", 21),
        ("a // b", 2),
        ("a % b", 1),
        ("min(a, b)", 3),
        ("max(a, b)", 7),
        ("a // 2", 3),
        ("2 // a", 0),
        ("-a", -7),
        ("-a // b", -3),
        ("-a % b", 2),
        ("min(a, b, 7.5) - max(b)", 0),
    ],
)
def test_the_operators_of_two_names(text: str, value: int) -> None:
    found = parse(f"${{{text}}}").evaluate({"a": 7, "b": 3})
    assert (found, type(found)) == (value, int)


def test_min_and_max_of_equal_numbers_are_the_first() -> None:
    """As in Python; it matters if their types differ."""
    values = {"a": 1, "b": 1.0}
    for text, kind in (("min(a, b)", int), ("min(b, a)", float), ("max(b, a, a)", float)):
        assert type(parse(f"${{{text}}}").evaluate(values)) is kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$c", "unknown parameter `c`"),
        ("${a + c}", "unknown parameter `c`"),
        ("${a // 0}", "division by zero"),
        ("${a % (3 - 3)}", "division by zero"),
        ("${99999999 * 99999999}", "exceeds the limit"),
        ("${flag + 1}", "`flag` is not a number"),
        ("${text + 1}", "`text` is not a number"),
    ],
)
def test_expressions_that_cannot_be_evaluated(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse(text).evaluate({"a": 7, "flag": True, "text": "relu"})


def test_names_have_offsets() -> None:
    assert parse("${a + min(b, 2)}").names == (("a", 2), ("b", 10))
    assert parse("$name").names == (("name", 1),)
    assert parse("${1 + 2}").names == ()


@pytest.mark.parametrize("value", [of(Symbol("filters")), Symbol("filters"), "7", None, (7,)])
def test_arithmetic_is_on_numbers_only(value: object) -> None:
    """A single name can have any value; a symbol or a term is not a number."""
    assert parse("$a").evaluate({"a": value}) is value
    for text in ("${a + 1}", "${-a}", "${min(a, 1)}", "${1 // a}"):
        with pytest.raises(ExpressionError, match="`a` is not a number"):
            parse(text).evaluate({"a": value})


def test_random_expressions_agree_with_python() -> None:
    rng = random.Random(7)

    def expression(depth: int) -> str:
        kind = rng.randrange(7 if depth else 2)
        if kind == 0:
            return str(rng.randrange(100))
        if kind == 1:
            return rng.choice("ab")
        if kind == 2:
            return f"({expression(depth - 1)})"
        if kind == 3:
            return f"{rng.choice(['min', 'max'])}({expression(depth - 1)}, {expression(depth - 1)})"
        if kind == 4:
            return f"-{expression(0)}"
        return (
            f"{expression(depth - 1)} {rng.choice(['+', '-', '*', '//', '%'])} "
            f"{expression(depth - 1)}"
        )

    agreed = 0
    for _ in range(2000):
        text = expression(4)
        values = {"a": rng.randrange(50), "b": rng.randrange(50)}
        if len(text) > 250:
            continue
        try:
            expected = eval(text, {"min": min, "max": max}, values)
        except ZeroDivisionError:
            with pytest.raises(ExpressionError):
                parse(f"${{{text}}}").evaluate(values)
            continue
        if abs(expected) < 1e9:
            assert parse(f"${{{text}}}").evaluate(values) == expected, text
            agreed += 1
    assert agreed > 1000


@pytest.mark.parametrize(
    ("text", "write", "help"),
    [
        ("${a & 2}", "", "max"),
        ("$a + 1", '"${a + 1}"', '`"${a + 1}"`'),
        ("${a", "$a", "`$a`"),
        ("$(a )", "$a", "`$a`"),
        ("$a / $b", '"${a / b}"', '`"${a / b}"`'),
        ("${a ** 2}", "", "powers are not supported"),
        ("${* 2 *}", "", ""),
        ("${2 * a *}", "", ""),
        ("${a + * 2}", "", ""),
        ("$1", "", ""),
        ("${a} b", "", ""),
        ("$$a", "", ""),
    ],
)
def test_help_and_replacement(text: str, write: str, help: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert error.value.write == write
    assert help in error.value.help
    assert bool(help) == bool(error.value.help)


def test_an_error_without_help() -> None:
    error = ExpressionError("x")
    assert (str(error), error.offset, error.length, error.help, error.write) == ("x", 0, 1, "", "")


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("${007}", "expected a number with at most 18 digits and no leading zero", 2),
        (
            "${a +  1234567890123456789}",
            "expected a number with at most 18 digits and no leading zero",
            7,
        ),
        ("${a ? b}", "unexpected `?`", 4),
    ],
)
def test_what_is_no_word_of_an_expression(text: str, message: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert (str(error.value), error.value.offset) == (message, offset)
