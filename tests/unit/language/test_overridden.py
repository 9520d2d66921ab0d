"""Settings that are lost, as a later one sets the same field under another name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.diagnostics.report import Report
from inception_dsl.language.load import load
from inception_dsl.language.overridden import overridden

NET = """
network: net
input: {channels: 3, height: 32, width: 32}
classes: 10
params: {n: {type: int, default: 8}, m: int}
blocks:
  wide: {extends: unit, steps: {last: {filters: 6}}}
import: [unit.yaml]
body:
  - {op: conv, name: a, filters: $n, kernel_size: 3}
  - {op: conv, filters: 4, kernel_size: 3}
  - {use: unit}
  - {use: wide}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
UNIT = "block: unit\nsteps: [{op: conv, name: last, filters: 4, kernel_size: 3}]\n"
TOP = "extends: net.yaml\nbody: {a: {kernel_size: 5}}\n"


@pytest.fixture
def spec(write: Callable[..., Path]) -> Path:
    write(UNIT, "unit.yaml")
    write(NET, "net.yaml")
    return write(TOP, "top.yaml")


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        (("body.0.filters", "3"), ("body.a.filters", "4"), "body.0.filters"),
        (("body.0.filters", "3"), ("body.00.filters", "4"), "body.0.filters"),
        (("body.unit.repeat", "3"), ("body.2.repeat", "4"), "body.2.repeat"),
        (("body.0.filters", "null"), ("body.a.filters", "4"), "body.0.filters"),
        (("body.0.use_bias", "null"), ("body.a.use_bias", "true"), "body.0.use_bias"),
        (("body.a.filters", "4"), ("body.0.filters", "null"), "body.0.filters"),
        (("body", "{a: {filters: 3}}"), ("body.a.filters", "4"), "body.0.filters"),
        (("body.a.filters", "4"), ("body", "{0: {filters: 3}}"), "body.0.filters"),
        (("body.a.filters", "4"), ("body", "[{op: identity}]"), "body.0.filters"),
        (("body.a.kernel_size", "[3, 1]"), ("body.0.kernel_size", "1"), "body.0.kernel_size.1"),
        (("body.a.kernel_size", "3"), ("body.0", "{op: identity}"), "body.0.kernel_size"),
        (("input", "64"), ("input.height", "32"), "input.height"),
        (("input.height", "32"), ("input", "64"), "input.height"),
        (("input", "64x64x1"), ("input.channels", "3"), "input.channels"),
        (("input.channels", "3"), ("input", "64x64x1"), "input.channels"),
        (("n", "3"), ("params.n", "4"), "params.n.default"),
        (("params.n.default", "3"), ("n", "4"), "params.n.default"),
        (("params", "{n: {default: 3}}"), ("n", "4"), "params.n.default"),
        (("m", "3"), ("params.m.default", "4"), "params.m.default"),
        (
            ("blocks.unit.steps.0.filters", "3"),
            ("blocks.unit.steps.last.filters", "5"),
            "blocks.unit.steps.0.filters",
        ),
        (
            ("blocks.wide.steps.0.filters", "3"),
            ("blocks.wide.steps.last.filters", "5"),
            "blocks.wide.steps.0.filters",
        ),
    ],
)
def test_settings_of_one_field(
    spec: Path, one: tuple[str, str], other: tuple[str, str], field: str
) -> None:
    """The earlier one would be lost, wholly or in part."""
    names = (one[0], other[0])
    found = overridden(spec, {one[0]: [one[1]], "classes": ["3"], other[0]: [other[1]]})
    assert found == (*names, field)
    assert str(found) == f"`{names[0]}` and `{names[1]}` both set `{field}`"
    with pytest.raises(ValueError, match="both set"):
        inception_dsl.sweep(spec, dict([one, other]))


@pytest.mark.parametrize(
    "settings",
    [
        {"body.0.filters": "3", "body.a.kernel_size": "1"},
        {"body.0.filters": "3", "body.1.filters": "1", "body.unit.repeat": "2"},
        {"body.unit.repeat": "3", "body.0.filters": "1"},
        {"body": "{a: {kernel_size: 1}}", "body.a.filters": "4"},
        {"body.0": "{op: max_pool, kernel_size: 2}", "body.a.stride": "2"},
        {"input": "64", "input.channels": "1"},
        {"input.height": "64", "input.width": "48"},
        {"n": "3", "m": "4", "classes": "5"},
        {"params": "{n: {default: 3}}", "m": "4"},
        {"blocks.unit.steps.0.filters": "3", "blocks.wide.steps.last.filters": "5"},
        {"blocks.unit": "{steps: {0: {filters: 3}}}", "blocks.unit.steps.last.kernel_size": "5"},
        {"body.0.filterz": "3", "body.a.filters": "4"},
        {"body.7.filters": "3", "body.z.filters": "4"},
        {"body.0.filters": "[", "body.a.filters": "4"},
    ],
)
def test_settings_that_all_have_an_effect(spec: Path, settings: dict[str, str]) -> None:
    """Or that are errors of their own, which the compiler reports."""
    assert overridden(spec, {name: [value] for name, value in settings.items()}) is None


def test_any_of_several_values(spec: Path) -> None:
    """One value of a thousand is enough, if it sets other fields than those before."""
    sizes = [*map(str, range(1, 1000)), "96x96x3"]
    found = overridden(spec, {"input.channels": ["1"], "input": sizes})
    assert found == ("input.channels", "input", "input.channels")
    assert overridden(spec, {"input.channels": ["1"], "input": sizes[:-1]}) is None
    steps = ["{a: {kernel_size: 1}}", "{a: {kernel_size: 5}}", "{a: {op: identity}}"]
    assert overridden(spec, {"body.a.filters": ["1"], "body": steps[:2]}) is None
    assert overridden(spec, {"body.a.filters": ["1"], "body": steps}) is not None


def test_the_api(spec: Path) -> None:
    same = {"body.0.filters": 3, "body.a.filters": 4}
    with pytest.raises(ValueError, match=r"`body.0.filters` and `body.a.filters` both set"):
        inception_dsl.load(spec, m=1, **same)
    with pytest.raises(ValueError, match=r"`input.height` and `input` both set `input.height`"):
        inception_dsl.fit(spec, "input", macs=10**9, m=1, **{"input.height": 64})
    with pytest.raises(ValueError, match="`m` is varied, and set to `1`"):
        inception_dsl.sweep(spec, {"m": [1, 2]}, m=1)


def test_a_spec_that_cannot_be_read(tmp_path: Path) -> None:
    settings = {"body.0.filters": ["3"], "body.a.filters": ["4"]}
    assert overridden(tmp_path / "no.yaml", settings) is None
    assert load(tmp_path / "no.yaml", {}, Report()) is None
