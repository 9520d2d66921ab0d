"""The width of a network, and fractions that become numbers of channels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

Compiled = Callable[..., TypedProgram]


def channels(typed: TypedProgram) -> list[int]:
    """The output channels of all convolutions and dense layers."""
    return [layer.y.channels for layer in layers(typed) if layer.weights]


NETWORKS = {
    "numbers in steps": (
        "width: 0.5\nbody: [{op: conv, filters: 64, kernel_size: 1}, "
        "{op: conv_bn, filters: 10, kernel_size: 1}, "
        "{op: separable_conv, filters: 6, kernel_size: 3, depth_multiplier: 2}]",
        [32, 5, 3],
    ),
    "a width of one": ("width: 1\nbody: [{op: conv, filters: 65, kernel_size: 1}]", [65]),
    "no width": ("divisor: 8\nbody: [{op: conv, filters: 65, kernel_size: 1}]", [65]),
    "rounding": (
        "width: 0.3\nbody: [{op: conv, filters: 5, kernel_size: 1}, "
        "{op: conv, filters: 8, kernel_size: 1}, {op: conv, filters: 1, kernel_size: 1}]",
        [2, 2, 1],
    ),
    "a divisor": (
        "width: 0.35\ndivisor: 8\nbody: [{op: conv, filters: 32, kernel_size: 1}, "
        "{op: conv, filters: 160, kernel_size: 1}, {op: conv, filters: 8, kernel_size: 1}]",
        [16, 56, 8],
    ),
    "a minimum": (
        "width: 0.1\ndivisor: 4\nminimum: 16\nbody: [{op: conv, filters: 64, kernel_size: 1}]",
        [16],
    ),
    "not the units and classes": (
        "width: 0.5\nclasses: 10\nbody: [{op: conv, filters: 8, kernel_size: 1}]\n"
        "head: [{op: global_avg_pool}, {op: dense, units: 64}, {op: dense, units: $classes}]",
        [4, 64, 10],
    ),
    "a classifier that is a convolution": (
        "width: 0.5\nclasses: 10\nbody: [{op: conv, filters: $classes, kernel_size: 1}, "
        '{op: conv, filters: "${classes + 2}", kernel_size: 1}]',
        [10, 12],
    ),
    "what is computed from the channels of the input": (
        "width: 0.5\nblocks: {b: {params: {f: int}, steps: [{op: conv, filters: $in_channels, "
        'kernel_size: 1}, {op: conv, filters: "${in_channels // 4}", kernel_size: 1}, '
        "{op: conv, filters: $f, kernel_size: 1}]}, "
        'c: {steps: [{use: b, f: "${in_channels * 2}"}]}}\n'
        "body: [{op: conv, filters: 64, kernel_size: 1}, {use: b, f: 24}, {use: c}]",
        [32, 32, 8, 12, 12, 3, 24],
    ),
    "a default of an op": (
        "width: 0.5\ndefaults: {conv: {filters: 64}}\nbody: [{op: conv, kernel_size: 1}]",
        [32],
    ),
    "a parameter that is only a number of filters": (
        "width: 0.3\nblocks: {b: {params: {n: int}, steps: [{op: conv, filters: $n, "
        'kernel_size: 1}, {op: conv, filters: "${4 * n}", kernel_size: 1}, '
        '{op: conv, filters: "${n // 2}", kernel_size: 1}]}}\n'
        "body: [{use: b, n: 5}, {use: b, name: c, n: 20}]",
        [2, 8, 1, 6, 24, 3],
    ),
    "such a parameter in two blocks and the network": (
        "width: 0.5\nparams: {g: {type: int, default: 12}}\n"
        "blocks: {a: {params: {n: int}, steps: [{op: conv, filters: $n, kernel_size: 1}]}, "
        'b: {params: {n: int}, steps: [{use: a, n: $n}, {use: a, name: a2, n: "${n * 2}"}]}}\n'
        'body: [{use: b, n: $g}, {use: a, name: last, n: 6}, {op: conv, filters: "${3 * g}", '
        "kernel_size: 1}]",
        [6, 12, 3, 18],
    ),
    "a parameter that is more than that": (
        "width: 0.5\nblocks: {b: {params: {n: int}, steps: [{op: conv, filters: $n, "
        'kernel_size: $n}, {op: conv, filters: "${n + 1}", kernel_size: 1}]}}\n'
        "body: [{use: b, n: 3}]",
        [2, 2],
    ),
    "a parameter that no step has alone": (  # as the language reference says
        "width: 0.25\nblocks: {b: {params: {planes: int}, steps: [{op: conv, "
        'filters: "${2 * planes}", kernel_size: 1}, {op: conv, filters: "${planes + 2}", '
        'kernel_size: 1}, {op: conv, filters: "${4 * planes}", kernel_size: 1}]}}\n'
        "body: [{use: b, planes: 66}]",
        [33, 17, 66],
    ),
    "a parameter that no step has alone, with a divisor": (
        "width: 0.25\ndivisor: 4\nblocks: {b: {params: {planes: int}, steps: [{op: conv, "
        'filters: "${4 * planes}", kernel_size: 1}]}}\n'
        "body: [{use: b, planes: 66}]",
        [68],
    ),
    "a parameter that a block with such a parameter gets": (
        "width: 0.25\nblocks: {a: {params: {n: int}, steps: [{op: conv, filters: $n, "
        "kernel_size: 1}]}, b: {params: {n: int}, steps: [{use: a, n: $n}, "
        '{op: conv, filters: "${4 * n}", kernel_size: 1}]}}\n'
        "body: [{use: b, n: 66}]",
        [17, 68],
    ),
    "a sum with a number": (
        "width: 0.5\nblocks: {b: {params: {n: int}, steps: [{op: conv, filters: $n, "
        'kernel_size: 1}, {op: conv, filters: "${n + 10}", kernel_size: 1}]}}\n'
        "body: [{use: b, n: 4}]",
        [2, 7],
    ),
    "a float of the network is rounded where it is used": (
        "params: {w: {type: float, default: 10.5}}\nbody: [{op: conv, filters: $w, "
        'kernel_size: 1}, {op: conv, filters: "${2 * w}", kernel_size: 1}]',
        [11, 21],
    ),
    "a sum of parameters of both kinds": (
        "width: 0.5\nparams: {a: {type: int, default: 32}, b: {type: int, default: 16}}\n"
        'body: [{op: conv, filters: $a, kernel_size: 1}, {op: conv, filters: "${b + 8}", '
        'kernel_size: 1}, {op: conv, filters: "${a + b}", kernel_size: 1}]',
        [16, 12, 24],
    ),
    "a float that is given as an integer": (
        "divisor: 8\nparams: {w: {type: float, default: 1}}\n"
        'body: [{op: conv, filters: "${60 * w}", kernel_size: 1}]',
        [64],
    ),
    "a multiplier is no number of filters": (
        "width: 0.5\nblocks: {b: {params: {m: int}, steps: [{op: conv, "
        'filters: "${64 * m}", kernel_size: 1}]}}\n'
        "body: [{use: b, m: 1}]",
        [32],
    ),
    "fractions": (
        "params: {alpha: {type: float, default: 0.33}}\nclasses: 7\n"
        'body: [{op: conv, filters: "${64 * alpha}", kernel_size: 1}, '
        '{op: conv, filters: "${0.1 * alpha}", kernel_size: 1}]\n'
        'head: [{op: dense, units: "${classes / 2}"}]',
        [21, 1, 4],
    ),
    "fractions with a divisor": (
        "params: {alpha: {type: float, default: 0.33}}\ndivisor: 8\n"
        'body: [{op: conv, filters: "${64 * alpha}", kernel_size: 1}, '
        '{op: conv, filters: 21, kernel_size: 1}, {op: conv, filters: "${20 + 1}", '
        "kernel_size: 1}]",
        [24, 21, 21],
    ),
    "whole fractions as counts": (
        'body: [{op: conv, filters: 8, kernel_size: "${6 / 2}", stride: "${2 / 2}", '
        'groups: "${2 / 2}", repeat: "${4 / 2}"}]',
        [8, 8],
    ),
    "rounded numbers of any kind": (
        'body: [{op: conv, filters: "${floor(7 / 2)}", kernel_size: "${ceil(5 / 2)}", '
        'repeat: "${round(1.6)}"}]',
        [3, 3],
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_numbers_of_channels(name: str, compiled: Compiled) -> None:
    text, wanted = NETWORKS[name]
    typed = compiled(f"network: n\ninput: {{channels: 2, height: 8, width: 8}}\n{text}\n")
    assert channels(typed) == wanted


def test_width_of_a_shipped_network() -> None:
    report = Report()
    whole = compile_spec("v4", {}, report)
    half = compile_spec("v4", {"width": "0.5"}, report)
    assert whole and half
    assert [n // 2 for n in channels(whole)[:-1]] == channels(half)[:-1]
    assert channels(half)[-1] == 1000
    assert half.program.width.note == "All numbers of filters are multiplied by 0.5 and rounded."


def test_width_of_a_block_counts_only_where_it_is_built(write: Callable[..., Path]) -> None:
    step = "steps: [{op: conv, filters: 8, kernel_size: 1}]"
    block = f"block: b\nwidth: 0.5\ninput: {{channels: 1, length: 4}}\n{step}\n"
    path = write(block, "b.yaml")
    network = "network: n\nimport: [b.yaml]\ninput: {channels: 1, length: 4}\nbody: [{use: b}]\n"
    alone, inside = (compile_spec(p, {}, Report()) for p in (path, write(network)))
    assert alone and inside
    assert (channels(alone), channels(inside)) == ([4], [8])


def test_width_in_overlays(write: Callable[..., Path]) -> None:
    base = (
        "network: n\nwidth: 0.5\ndivisor: 4\ninput: {channels: 1, length: 4}\n"
        "body: [{op: conv, filters: 20, kernel_size: 1}]\n"
    )
    write(base, "base.yaml")
    for change, wanted in (
        ("title: Same", [12]),
        ("width: 2", [40]),
        ("width: null", [20]),
        ("divisor: null", [10]),
        ("minimum: 16", [16]),
        ("body: [{op: conv, filters: 80, kernel_size: 1}]", [40]),
    ):
        typed = compile_spec(write(f"extends: base.yaml\n{change}\n"), {}, Report())
        assert typed and channels(typed) == wanted, change
    typed = compile_spec(write("extends: base.yaml\n"), {"width": "1.5"}, Report())
    assert typed and channels(typed) == [32]


PASSED = """\
network: n
input: {{channels: 3, length: 8}}
params: {{growth: {{type: int, default: 12}}, act: {{type: str, default: tanh}}}}
blocks:
  layer:
    params: {{filters: {{type: int, default: $growth}}, act: {{type: str, default: $act}}}}
    steps: [{{op: conv, filters: $filters, kernel_size: 1, activation: $act}}]
  cell:
    params: {{growth: int}}
    steps: [{{use: layer}}, {{use: layer, name: own, filters: $growth}}]
  units:
    params: {{classes: {{type: int, default: $classes}}}}
    steps: [{{op: dense, units: $classes}}]
classes: 5
body: [{}]
head: [{{use: units}}]
"""


def test_blocks_read_parameters_of_the_network(compiled: Compiled) -> None:
    typed = compiled(PASSED.format("{use: layer}, {use: cell, growth: 2}"))
    assert channels(typed) == [12, 12, 2, 5]
    assert {block: dict(b.parameters) for block, b in typed.program.blocks.items()} == {
        "layer": {"filters": "int", "act": "str"},
        "cell": {"growth": "int", "network_growth": "int", "act": "str"},
        "units": {"classes": "int"},
    }
    ops = [layer.op for layer in layers(typed)]
    assert ops == ["conv", "conv", "conv", "dense"]


def test_the_parameter_of_the_network_reaches_all_blocks(write: Callable[..., Path]) -> None:
    path = write(PASSED.format("{use: cell, growth: 2}"))
    typed = compile_spec(path, {"growth": "7", "classes": "3"}, Report())
    assert typed and channels(typed) == [7, 2, 3]
    half = compile_spec(path, {"growth": "8", "width": "0.5"}, Report())
    assert half and channels(half) == [4, 1, 5]


def test_an_argument_replaces_the_default(compiled: Compiled) -> None:
    typed = compiled(
        PASSED.format('{use: layer, filters: 3}, {use: cell, growth: "${growth / 4}"}')
    )
    assert channels(typed) == [3, 12, 3, 5]


def test_errors_that_a_width_causes_are_at_the_width(write: Callable[..., Path]) -> None:
    path = write(
        "network: n\ninput: {channels: 1, length: 4}\n"
        "body: [{op: conv, filters: 64, kernel_size: 1}, "
        "{op: conv, filters: 64, kernel_size: 1, groups: 32}]\n"
    )
    report = Report()
    assert compile_spec(path, {"width": "0.3"}, report) is None
    assert [(d.code, str(d.span)) for d in report] == [("E403", "--set width:1:1")]


def test_a_divisor_for_a_split_that_the_width_makes_uneven(
    compiled: Compiled, errors: Callable[..., Report]
) -> None:
    text = (
        "network: n\ninput: {channels: 2, height: 8, width: 8}\nwidth: 0.25\nbody: [{op: conv, "
        "filters: 104, kernel_size: 1}, {split: equal, merge: concat, branches: {a: [], b: [], "
        "c: [], d: []}}]\n"
    )
    (error,) = errors(text)
    assert "`divisor: 4` rounds what the width scales to such numbers" in error.help
    assert channels(compiled(text, divisor="4")) == [28]
