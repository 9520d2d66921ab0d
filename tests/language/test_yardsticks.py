"""The commonest changes of a network, and how many lines each takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

SQUEEZE = """\
block: squeeze_excite
params: {ratio: {type: int, default: 16}}
steps:
  - branches:
      shortcut: []
      gate:
        - {op: global_avg_pool, keepdims: true}
        - {op: conv, filters: "${in_channels // ratio}", kernel_size: 1, activation: relu}
        - {op: conv, filters: $in_channels, kernel_size: 1, activation: sigmoid}
    merge: multiply
"""


class Yardstick(NamedTuple):
    """A change of a network: its text, and what it must change the layers by, op for op."""

    text: str
    lines: int
    added: dict[str, int]


YARDSTICKS = {
    "squeeze-and-excitation in every module of BN-Inception": Yardstick(
        """\
extends: inception-dsl:v2
import: [squeeze_excite.yaml]
blocks:
  inception_avg: {steps: [..., {use: squeeze_excite}]}
  inception_max: {steps: [..., {use: squeeze_excite}]}
  inception_stride: {steps: [..., {use: squeeze_excite}]}
""",
        6,
        {"multiply": 10, "conv": 20, "global_avg_pool": 10},
    ),
    "batch norm after the first convolutions of GoogLeNet": Yardstick(
        """\
extends: inception-dsl:v1
stem: {conv1: {..., op: conv_bn}, norm1: null, conv2_reduce: {..., op: conv_bn}}
""",
        2,
        {"conv_bn": 2, "conv": -2, "local_response_norm": -1},
    ),
    "one module of Inception-v4 without its pool": Yardstick(
        """\
extends: inception-dsl:v4
blocks: {slim: {extends: inception_a, steps: {0: {branches: {branch_pool: null}}}}}
body: {inception_a: [{use: inception_a, repeat: 3}, {use: slim}]}
""",
        3,
        {"avg_pool": -1, "conv_bn": -1},
    ),
    "no auxiliary heads": Yardstick(
        "extends: inception-dsl:v1\naux_heads: null\n",
        2,
        {"avg_pool": -2, "conv": -2, "dense": -4, "dropout": -2, "flatten": -2},
    ),
}


def counts(typed: TypedProgram) -> dict[str, int]:
    found: dict[str, int] = {}
    for layer in layers(typed):
        found[layer.op] = found.get(layer.op, 0) + 1
    return found


@pytest.mark.parametrize("name", YARDSTICKS)
def test_a_change_is_short(name: str, write: Callable[..., Path]) -> None:
    text, lines, added = YARDSTICKS[name]
    assert len(text.splitlines()) == lines
    write(SQUEEZE, "squeeze_excite.yaml")
    report = Report()
    base = compile_spec(text.split()[1], {}, report)
    changed = compile_spec(write(text, "changed.yaml"), {"checkpoints": "null"}, report)
    assert base is not None, report.render()
    assert changed is not None, report.render()
    before, after = counts(base), counts(changed)
    differences = {op: after.get(op, 0) - before.get(op, 0) for op in {*before, *after}}
    assert {op: n for op, n in differences.items() if n} == added
    assert cost(list(layers(changed))).total != cost(list(layers(base))).total


def test_half_of_all_filters_is_one_line(write: Callable[..., Path]) -> None:
    text = "extends: inception-dsl:v4\nwidth: 0.5\n"
    report = Report()
    base = compile_spec("v4", {}, report)
    half = compile_spec(write(text, "half.yaml"), {"checkpoints": "null"}, report)
    assert base is not None, report.render()
    assert half is not None, report.render()
    widths = [
        [layer.y.channels for layer in layers(typed) if layer.op == "conv_bn"]
        for typed in (base, half)
    ]
    assert len(widths[0]) == 149
    assert [2 * channels for channels in widths[1]] == widths[0]
