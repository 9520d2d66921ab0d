"""Tests the expression parser with random strings: ``strings.py --count 1000000``.

Half of the strings follow the grammar, and some of these are then damaged; the other half are
random characters. Each string is parsed, evaluated, and converted to a term. Only
:class:`ExpressionError` may be raised, with a location inside of the text. The value, the term and
the generated source of a valid expression must be equal to Python's own value. Only this test
evaluates text with Python; the package never does.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from inception_dsl.types.expression import (
    MAX_LENGTH,
    MAX_SIZE,
    Expression,
    ExpressionError,
    parse,
)
from inception_dsl.types.spelling import spell
from inception_dsl.types.terms import Symbol, explain, of

VALUES: Final[dict[str, object]] = {
    "a": 7,
    "b": 20,
    "filters": 64,
    "in_channels": 192,
    "x_1": 0,
    "rate": 0.5,
}
OTHERS: Final[dict[str, object]] = {"flag": True, "word": "same", "nothing": None, "many": (1, 2)}
SYMBOLS: Final = {name: Symbol(name, type(v).__name__) for name, v in VALUES.items()}
TERMS: Final = {name: of(symbol) for name, symbol in SYMBOLS.items()}
OPERATORS: Final = ("+", "-", "*", "//", "%")
PIECES: Final = (
    *(
        "**",
        "/",
        "==",
        "<",
        "and",
        " or ",
        "lambda: ",
        "__import__('os')",
        "().__class__",
        "[0]",
        "{0}",
        "'a'",
        '"',
        ";",
        "\\",
    ),
    *(
        "if",
        "e5",
        "0x1f",
        "1_0",
        "1e9",
        ".5",
        "5.",
        "1.5.2",
        "inf",
        "nan",
        "True",
        "None",
        "@",
        "~",
        ":=",
        "&",
        "|",
        "^",
        "!",
    ),
    *(
        "min",
        "max(",
        "min(,",
        "abs(1)",
        ",",
        ")",
        "(",
        "$",
        "${",
        "}",
        "\n",
        "\t",
        "\x00",
        "\u202e",
        "²",
        "１",
        "ª",
        "é",
        "\ud800",
    ),
    *(
        "9" * 18,
        "9" * 19,
        "07",
        "0" * 30,
        "1." + "0" * 20,
        "-" * 40,
        "(" * 40,
        "min(" * 40,
        "1+" * 200,
        "a " * 20,
        "$a",
        "${a}",
    ),
)


def grammatical(rng: random.Random, depth: int) -> str:
    """An expression that follows the grammar."""
    kind = rng.randrange(9 if depth else 3)
    space = rng.choice(("", "", " "))
    if kind == 0:
        return str(rng.choice((0, 1, 2, 3, 10, 999, 2**31, 10**17, rng.randrange(1000))))
    if kind == 1:
        return rng.choice(("a", "b", "filters", "in_channels", "x_1"))
    if kind == 2:
        return rng.choice(("1.5", "0.25", "rate", "7.0", "flag", "unknown", "word", "2.0"))
    if kind == 3:
        return f"({space}{grammatical(rng, depth - 1)}{space})"
    if kind == 4:
        return f"-{space}{grammatical(rng, depth - 1)}"
    if kind == 5:
        arguments = ",".join(
            grammatical(rng, depth - 1) for _ in range(rng.choice((1, 2, 2, 3, 6)))
        )
        return f"{rng.choice(('min', 'max'))}({arguments})"
    left = grammatical(rng, depth - 1)
    operator = rng.choice(OPERATORS)
    return f"{left}{space}{operator}{space}{grammatical(rng, depth - 1)}"


def damaged(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:place] + rng.choice(PIECES) + text[place:]
    if kind == 1:
        return text[:place] + text[place + rng.randrange(1, 4) :]
    if kind == 2:
        return text[:place]
    return (
        text[:place]
        + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000), rng.randrange(0x110000))))
        + text[place:]
    )


def string(rng: random.Random) -> str:
    """A random value that starts with ``$``."""
    if rng.random() < 0.5:
        text = f"${{{grammatical(rng, rng.randrange(6))}}}"
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            text = damaged(rng, text)
        return text or "$"
    if rng.random() < 0.5:
        inner = "".join(
            rng.choice(PIECES + OPERATORS + ("a", "b", "1", "2", " "))
            for _ in range(rng.randrange(12))
        )
    else:
        inner = rng.randbytes(rng.randrange(40)).decode(
            "latin-1" if rng.random() < 0.5 else "utf-8", "replace"
        )
    return rng.choice(("$", "${")) + inner + rng.choice(("", "}", "}", "}"))


def python_value(text: str, values: dict[str, object]) -> object:
    """Python's own value of ``${…}`` or ``$name``."""
    inner = text[2:-1] if text.startswith("${") else text[1:]
    names = {"min": lambda *v: min(v), "max": lambda *v: max(v), "__builtins__": {}}
    return eval(" ".join(inner.split()), names, values)


def attempt(text: str) -> tuple[str, str]:
    """The outcome of a string, and the problem with it, if any."""
    try:
        parsed = parse(text)
    except ExpressionError as error:
        inside = 0 <= error.offset <= len(text) and error.length >= 1 and str(error)
        return "not parsed", "" if inside else f"{error} at {error.offset}, {error.length}"
    found: object = None
    try:
        found = parsed.evaluate({**VALUES, **OTHERS})
        outcome, problem = "evaluated", compared(text, found)
    except ExpressionError as error:
        inside = 0 <= error.offset < len(text) and len(str(error)) < 200
        return "no value", "" if inside else f"{error} at {error.offset}"
    return outcome, problem or explained(parsed, found)


def compared(text: str, found: object) -> str:
    """How a value differs from Python's, or an empty text."""
    if isinstance(found, bool | str | tuple) or found is None:
        return ""  # a single name
    expected = python_value(text, VALUES)
    if not isinstance(found, int | float) or abs(found) > MAX_SIZE:
        return f"the value is {found!r}"
    return (
        ""
        if found == expected and type(found) is type(expected)
        else f"{found!r}, expected {expected!r}"
    )


def explained(parsed: Expression, found: object) -> str:
    """How the term of an expression, or the source of the term, differs from the value."""
    term = explain(parsed, TERMS)
    if term is None or not isinstance(found, int | float) or isinstance(found, bool):
        return ""
    value = term.evaluate({symbol: VALUES[name] for name, symbol in SYMBOLS.items()})
    text = spell(term, {symbol: name for name, symbol in SYMBOLS.items()})
    names = {"min": min, "max": max, "__builtins__": {}}
    again = eval(text, names, dict(VALUES))
    same = value == found and again == found and type(value) is type(again) is type(found)
    return "" if same else f"`{text}` is {value!r} and {again!r}, expected {found!r}"


def chunk(first: int, count: int) -> tuple[Counter[str], list[str], float]:
    """The outcomes of ``count`` seeds, their findings, and the longest time of one string."""
    outcomes, findings, most = Counter[str](), list[str](), 0.0
    for seed in range(first, first + count):
        text = string(random.Random(seed))
        start = time.process_time()
        try:
            outcome, problem = attempt(text)
        except Exception as error:
            outcome, problem = "finding", f"{type(error).__name__}: {error}"
        most = max(most, time.process_time() - start)
        outcomes[outcome] += 1
        if problem:
            findings.append(f"seed {seed}: {text!r}: {problem}")
    return outcomes, findings, most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="number (default: 10000)")
    parser.add_argument(
        "--seed", type=int, default=0, help="first seed; the others follow it (default: 0)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="number of processes (default: 2)")
    given = parser.parse_args()
    started, size = time.perf_counter(), 10_000
    total, findings, most = Counter[str](), list[str](), 0.0
    firsts = range(given.seed, given.seed + given.count, size)
    with ProcessPoolExecutor(given.jobs) as pool:
        for outcomes, found, longest in pool.map(
            partial(chunk, count=min(size, given.count)), firsts
        ):
            total, findings, most = total + outcomes, findings + found, max(most, longest)
            for line in found:
                print(line, flush=True)
    shares = ", ".join(f"{number:,} {outcome}" for outcome, number in total.most_common())
    print(
        f"{total.total():,} strings, shorter and longer than the limit of {MAX_LENGTH} characters, "
        f"{len(findings)} findings: {shares}; "
        f"slowest: {most * 1000:.1f} ms ({time.perf_counter() - started:.0f} s)"
    )
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
