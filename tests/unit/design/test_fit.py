"""Tests `fit` against all values of the range: the largest that fits, and the next one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.design import fit as module
from inception_dsl.design.fit import Range, fit, range_of
from inception_dsl.design.measured import Measured, Spec, totals
from inception_dsl.design.sweep import Limits
from inception_dsl.design.variations import VariationError

NET = """
network: net
input: {channels: 3, height: 16, width: 16}
classes: 10
params: {n: {type: int, default: 8}, rate: {type: float, default: 0.5}}
body:
  - {op: conv, name: first, filters: 32, kernel_size: 3}
  - {op: conv, filters: "${n * 2}", kernel_size: 3}
head: [{op: global_avg_pool}, {op: dropout, rate: $rate}, {op: dense, units: $classes}]
"""


def all_costs(spec: Spec, varied: Range) -> list[Measured | None]:
    return [totals(spec, {**spec.settings, varied.name: value}) for value in varied.values]


@pytest.mark.parametrize("text", ["width=0.1..2:0.05", "n=1..40", "input=1..40", "classes=1..30"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 0.5, 0.9, 1.0])
def test_the_largest_value_that_fits(write: Callable[..., Path], text: str, share: float) -> None:
    """By trying all; with a width, costs are a staircase, as filters are multiples of 8."""
    spec = Spec(write(f"{NET}divisor: 8\n" if text[0] == "w" else NET))
    varied = range_of(text, spec)
    costs = all_costs(spec, varied)
    known = [cost for cost in costs if cost]
    low, high = known[0].macs, known[-1].macs
    limit = int(low + share * (high - low))
    found = fit(spec, varied, Limits(macs=limit))
    fitting = [i for i, cost in enumerate(costs) if cost and cost.macs <= limit]
    assert found.value == varied.values[fitting[-1]]
    after = [varied.values[i] for i in range(fitting[-1] + 1, len(costs)) if costs[i]]
    assert (found.above.values[0] if found.above else None) == (after[0] if after else None)


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[int, int]], list[int]]:
    """Replaces the compiler: costs of each value; the result lists the values that are tried."""

    def costs(known: dict[int, int]) -> list[int]:
        tried: list[int] = []

        def totals(spec: Spec, settings: dict[str, str]) -> Measured | None:
            value = int(settings["n"])
            tried.append(value)
            found = known.get(value)
            return None if found is None else Measured(1, found, "", 1, 1, "", None)

        monkeypatch.setattr(module, "totals", totals)
        return tried

    return costs


def value(costs: dict[int, int], limit: int, last: int = 1000) -> str | None:
    values = tuple(map(str, range(1, last + 1)))
    return fit(Spec("net"), Range("n", values), Limits(macs=limit)).value


def test_costs_that_increase_are_bisected(costs) -> None:
    known = {n: n // 7 for n in range(1, 1001)}
    tried = costs(known)
    for limit in (0, 1, 50, 141, 142, 1000):
        tried.clear()
        wanted = max(n for n in known if known[n] <= limit)
        assert value(known, limit) == str(wanted)
        assert len(tried) <= 90
        assert len(tried) == len(set(tried))


def test_costs_that_do_not_increase_are_all_tried(costs) -> None:
    known = {n: (n * 37) % 501 for n in range(1, 501)}
    costs(known)
    for limit in (3, 100, 400):
        assert value(known, limit, 500) == str(max(n for n in known if known[n] <= limit))


def test_costs_that_fall_once_beyond_the_result(costs) -> None:
    """Far above the values that are bisected, so that only those in between show it."""
    known = {n: n if n < 700 or n > 760 else 5 for n in range(1, 1001)}
    tried = costs(known)
    assert value(known, 30) == "760"
    assert len(tried) > 90


@pytest.mark.parametrize("by", [2, 8, 32])
def test_values_that_are_not_valid_are_passed_over(costs, by: int) -> None:
    known = {n: n for n in range(1, 1001) if n % by == 0}
    costs(known)
    for limit in range(by, 1001, 97):
        assert value(known, limit) == str(limit // by * by)
    assert value(known, by - 1) is None


def test_nothing_is_valid(costs) -> None:
    costs({})
    found = fit(Spec("net"), Range("n", ("1", "2")), Limits(macs=1))
    assert not found
    assert (found.value, found.above, found.setting) == (None, None, "")


@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [
        ("width", "0.01", "8.0", 800),
        ("rate", "0.01", "8.0", 800),
        ("n", "1", "4096", 4096),
        ("input", "1", "4096", 4096),
        ("body.1.repeat", "1", "4096", 4096),
        ("n=5..9", "5", "9", 5),
        ("n=8..64:8", "8", "64", 8),
        ("width=0.25..2", "0.25", "2.0", 176),
        ("width=1..2.5:0.5", "1.0", "2.5", 4),
    ],
)
def test_ranges(write: Callable[..., Path], text: str, first: str, last: str, count: int) -> None:
    found = range_of(text, Spec(write(NET)))
    assert found.name == text.partition("=")[0]
    assert (found.values[0], found.values[-1], len(found.values)) == (first, last, count)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n=", "expected NAME or NAME=first..last"),
        ("=1..2", "expected NAME or NAME=first..last"),
        ("n=1,2", "expected NAME or NAME=first..last"),
        ("n=3..1", "does not increase"),
        ("n=1..3:-1", "does not increase"),
        ("n=1..3:0", "the step of 1..3 is 0"),
        ("n=1..9999999", "more than 100,000"),
    ],
)
def test_ranges_that_are_not_valid(write: Callable[..., Path], text: str, message: str) -> None:
    with pytest.raises(VariationError, match=message):
        range_of(text, Spec(write(NET)))


def test_the_api(write: Callable[..., Path]) -> None:
    path = write(NET)
    found = inception_dsl.fit(path, "n=1..100", parameters=20_000, classes=5)
    assert found.value is not None
    n = int(found.value)
    most = inception_dsl.load(path, n=n, classes=5).parameters
    assert most <= 20_000 < inception_dsl.load(path, n=n + 1, classes=5).parameters
    assert found.to_dict()["largest"]["parameters"] == most
    assert found.setting == f"--set n={n}"
    words = ["inception-dsl", "summary", str(path), "--set", "classes=5", "--set", f"n={n}"]
    assert shlex.split(found.command) == words
    assert str(found).endswith(f"\n{found.command}")
    assert not inception_dsl.fit(path, "n", macs=1)
    with pytest.raises(ValueError, match="expected a limit"):
        inception_dsl.fit(path, "n")
    with pytest.raises(inception_dsl.SpecError, match="did you mean `n`"):
        inception_dsl.fit(path, "nn", macs=1)
