"""Tests what a sweep varies: lists, ranges with exact decimals, limits, numbers with units."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.design.variations import (
    MAX_VARIANTS,
    Variation,
    VariationError,
    Variations,
    amount,
    plain,
    values_of,
    variation,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", "a"),
        ("224,299", "224 299"),
        ("0.5..2:0.5", "0.5 1.0 1.5 2.0"),
        ("0..0.3:0.1", "0.0 0.1 0.2 0.3"),
        ("0.1..0.3:0.1,7", "0.1 0.2 0.3 7"),
        ("1..4", "1 2 3 4"),
        ("1..10:4", "1 5 9"),
        ("8..1:-3", "8 5 2"),
        ("-2..2:2", "-2 0 2"),
        ("3..3", "3"),
        ("1e-3..2e-3:5e-4", "0.001 0.0015 0.002"),
        ("1.50..2:0.25", "1.5 1.75 2.0"),
        ("[1,7],[7,1]", "[1,7] [7,1]"),
        ("[[1,2],[3,4]],5", "[[1,2],[3,4]] 5"),
        ("{op: conv,n: 1},2", "{op: conv,n: 1}|2"),
        ("'a,b',c", "'a,b' c"),
        ("96x96x3, 224x224x3", "96x96x3 224x224x3"),
        ("../a", "../a"),
    ],
)
def test_values(text: str, values: str) -> None:
    assert values_of(text, "x") == tuple(values.split("|" if "|" in values else " "))


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("width", "expected NAME=VALUES, got `width`", "example: `width=0.5,1`"),
        ("=1", "expected NAME=VALUES", ""),
        ("w=", "expected NAME=VALUES|a value is missing", ""),
        ("w=a,,b", "`w`: a value is missing in `a,,b`", "write a list `w=a,b,c`"),
        ("w=1,2,", "a value is missing", ""),
        ("w=1..5:0", "the step of 1..5 is 0", "first..last:step"),
        ("w=1..5:-1", "the range 1..5 with the step -1 is empty", "the step is positive"),
        ("w=5..1", "the range 5..1 with the step 1 is empty", "the step is negative"),
        ("w=5..1:0.5", "is empty", "the step is negative"),
        ("w=0.5..2", "the range 0.5..2 has decimals and no step", "write `0.5..2:STEP`"),
        ("w=1...5", "`1...5` is not a range", ""),
        ("w=1..", "`1..` is not a range", ""),
        ("w=1..5:", "is not a range", ""),
        ("w=1..nan", "is not a range", ""),
        ("w=a..5", "is not a range", ""),
        ("w=[1,2", "`[1,2` has no closing `]`", ""),
        ("w='a", "has no closing `'`", ""),
        ("w=0..1:0.000000000000001", f"more than {MAX_VARIANTS:,}", "use a larger step"),
        ("w=1..999999999999999", "999,999,999,999,999 variants are more", ""),
    ],
)
def test_values_that_are_not_valid(text: str, message: str, help: str) -> None:
    with pytest.raises(VariationError) as error:
        variation(text)
    assert any(part in error.value.message for part in message.split("|"))
    assert help in error.value.help


@given(
    st.integers(-500, 500),
    st.integers(0, 40),
    st.integers(1, 300),
    st.integers(0, 6),
    st.booleans(),
)
def test_decimals_are_exact(first: int, count: int, step: int, digits: int, down: bool) -> None:
    """Every value is the first and a multiple of the step, and the last is included."""
    by = Decimal(-step if down else step).scaleb(-digits)
    start = Decimal(first).scaleb(-digits)
    wanted = [start + by * index for index in range(count + 1)]
    found = values_of(f"{start:f}..{wanted[-1]:f}:{by:f}", "x")
    assert [*map(Decimal, found)] == wanted
    assert all(len(text) <= 12 for text in found)
    assert all(("." in text) == bool(digits) for text in found)


def test_all_combinations_in_order() -> None:
    """As `itertools.product`, but each by its index."""
    varied = [variation("a=1..3"), variation("b=x,y"), variation("c=0.5,1,2,4")]
    found = Variations(varied)
    assert found.count == 24
    assert [found.values(i) for i in range(24)] == [*product(*(v.values for v in varied))]
    assert found.settings(23, {"z": "9", "a": "0"}) == {"z": "9", "a": "3", "b": "y", "c": "4"}


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        (["a=1", "b=2", "a=3"], "`a` is varied more than once"),
        (["a=1,2,1"], "`a` has the value `1` twice"),
        (["a=1..400", "b=1..400"], "160,000 variants are more than 100,000"),
    ],
)
def test_combinations_that_are_not_valid(varied: list[str], message: str) -> None:
    with pytest.raises(VariationError, match=message):
        Variations([*map(variation, varied)])


def test_a_name_without_values() -> None:
    with pytest.raises(VariationError, match="`a` has no values"):
        Variations([Variation("a", ())])


def test_the_most_variants() -> None:
    assert Variations([variation("a=1..400"), variation("b=1..250")]).count == MAX_VARIANTS


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("600k", 600_000),
        ("10M", 10_000_000),
        ("1.5G", 1_500_000_000),
        ("0.1T", 100_000_000_000),
        ("1.2e9", 1_200_000_000),
        (" 5M ", 5_000_000),
        ("1.0005k", 1000),
    ],
)
def test_amounts(text: str, number: int) -> None:
    assert amount(text) == number


@pytest.mark.parametrize(
    "text", ["", "M", "5m", "-3M", "1,000", "1 M", "1e3.5", "nan", "١", "1KiB"]
)
def test_amounts_that_are_not_valid(text: str) -> None:
    with pytest.raises(VariationError, match="expected a number") as error:
        amount(text)
    assert "`1.5G`" in error.value.help


@pytest.mark.parametrize(
    ("text", "data"),
    [("0.5", 0.5), ("3", 3), ("true", True), ("[1, 7]", [1, 7]), ("9x9x3", "9x9x3"), ("[", "[")],
)
def test_values_as_data(text: str, data: object) -> None:
    assert plain(text) == data
