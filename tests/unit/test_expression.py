"""The arithmetic of specs."""

from __future__ import annotations

import random

import pytest

from inception_dsl.expression import ExpressionError, parse
from inception_dsl.symbolic import Symbolic, source


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
    ],
)
def test_values(text: str, value: object) -> None:
    assert parse(text).evaluate({"a": 7, "b": 20, "text": "relu"}) == value


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
        ("${a / 2}", 4),
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
    ],
)
def test_what_cannot_be_parsed(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert error.value.offset == offset


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$c", "unknown parameter `c`"),
        ("${a + c}", "unknown parameter `c`"),
        ("${a // 0}", "division by zero"),
        ("${a % (3 - 3)}", "division by zero"),
        ("${99999999 * 99999999}", "grows beyond"),
        ("${flag + 1}", "`flag` is not a number"),
        ("${text + 1}", "`text` is not a number"),
    ],
)
def test_what_cannot_be_evaluated(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse(text).evaluate({"a": 7, "flag": True, "text": "relu"})


def test_names_have_places() -> None:
    assert parse("${a + min(b, 2)}").names == (("a", 2), ("b", 10))


def test_names_stay_names() -> None:
    value = parse("${(a + 2) // 2 * b}").evaluate({"a": Symbolic.name("filters"), "b": 4})
    assert source(value) == "4 * ((filters + 2) // 2)"  # type: ignore[arg-type]


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
        return f"{expression(depth - 1)} {rng.choice(['+', '-', '*', '//', '%'])} {expression(depth - 1)}"

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
