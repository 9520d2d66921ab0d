"""Parameters of blocks are arguments of one function for all uses, with any name and type."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from checks import checked, farthest

from inception_dsl.backend import TypedProgram
from inception_dsl.verify.bounds import FLOAT32, FLOAT64

Source = Callable[[str], str]
HEAD = "head: [{op: global_avg_pool}, {op: dense, units: $classes}]\n"

EFFICIENT = (
    """\
network: efficient
input: {channels: 3, height: 16, width: 16}
classes: 10
blocks:
  mbconv:
    params: {filters: int, expand: int, kernel_size: int, stride: int, activation: str,
        se_ratio: int, use_bias: bool}
    steps:
      - {op: conv_bn, name: expand, filters: "${in_channels * expand}", kernel_size: 1,
          activation: $activation}
      - {op: depthwise_conv, name: depthwise, kernel_size: $kernel_size, stride: $stride,
          use_bias: $use_bias}
      - {op: batch_norm, name: bn}
      - {op: activation, name: act, function: $activation}
      - name: se
        merge: multiply
        branches:
          features: []
          gate:
            - {op: global_avg_pool}
            - {op: dense, units: "${max(in_channels // se_ratio, 1)}", activation: $activation}
            - {op: dense, units: "${in_channels * expand}", activation: sigmoid}
      - {op: conv_bn, name: project, filters: $filters, kernel_size: 1, activation: none}
stem: [{op: conv_bn, name: stem, filters: 8, kernel_size: 3, stride: 2, activation: silu}]
body:
  - {use: mbconv, name: a, filters: 8, expand: 1, kernel_size: 3, stride: 1, activation: silu,
      se_ratio: 4, use_bias: false}
  - {use: mbconv, name: b, filters: 12, expand: 6, kernel_size: 5, stride: 2, activation: relu6,
      se_ratio: 4, use_bias: true}
"""
    + HEAD
)
GROUPED = (
    """\
network: grouped
input: {channels: 4, height: 16, width: 16}
classes: 10
blocks:
  bottleneck:
    params: {width: int, groups: int, filters: int, stride: int}
    steps:
      - name: residual
        merge: add
        branches:
          shortcut: [{op: conv_bn, filters: $filters, kernel_size: 1, stride: $stride,
              activation: none}]
          residual:
            - {op: conv_bn, filters: $width, kernel_size: 1}
            - {op: conv_bn, filters: $width, kernel_size: 3, stride: $stride, padding: 1,
                groups: $groups}
            - {op: conv_bn, filters: $filters, kernel_size: 1, activation: none}
body:
  - {use: bottleneck, name: a, width: 16, groups: 4, filters: 32, stride: 1}
  - {use: bottleneck, name: b, width: 32, groups: 8, filters: 64, stride: 2}
"""
    + HEAD
)
PADDED = (
    """\
network: padded
input: {channels: 4, height: 17, width: 14}
classes: 3
blocks:
  unit:
    params: {mode: str, f: int, s: int, k: int, d: int, ceil: bool, counted: bool, center: bool}
    steps:
      - {op: conv, name: a, filters: $f, kernel_size: 3, stride: $s, padding: $mode}
      - {op: conv_bn, name: b, filters: $f, kernel_size: $k, stride: 2, dilation: $d,
          padding: $mode, batch_norm: {center: $center}}
      - {op: max_pool, name: c, kernel_size: 2, padding: 1, ceil_mode: $ceil, stride: $s}
      - {op: avg_pool, name: d, kernel_size: 3, stride: 2, padding: 1, ceil_mode: $ceil,
          count_include_pad: $counted}
      - {op: avg_pool, name: e, kernel_size: $k, padding: same, count_include_pad: $counted}
      - {op: avg_pool, name: f, kernel_size: 4, stride: $s, padding: $mode}
      - {op: max_pool, name: g, kernel_size: $k, stride: 1, padding: "${k // 2}"}
      - {op: zero_pad, name: h, padding: $d}
      - {op: conv, name: i, filters: 4, kernel_size: 3, stride: $s, padding: $d}
body:
  - {use: unit, name: a, mode: same, f: 4, s: 1, k: 3, d: 1, ceil: true, counted: false,
      center: true}
  - {use: unit, name: b, mode: same, f: 6, s: 2, k: 1, d: 2, ceil: false, counted: true,
      center: false}
  - {use: unit, name: c, mode: same, f: 6, s: 2, k: 2, d: 2, ceil: true, counted: true,
      center: false}
"""
    + HEAD
)
WORDS = (
    """\
network: words
input: {channels: 4, height: 13, width: 12}
classes: 3
blocks:
  unit:
    params: {mode: str, k: int, s: int, d: int}
    steps:
      - {op: conv, name: a, filters: 4, kernel_size: $k, stride: $s, dilation: $d, padding: $mode}
      - {op: max_pool, name: b, kernel_size: $k, stride: 1, padding: $mode}
      - {op: depthwise_conv, name: c, kernel_size: [$k, 3], stride: [1, $s], depth_multiplier: $d}
      - {op: separable_conv, name: e, filters: 4, kernel_size: $k, depth_multiplier: "${d + 1}",
          stride: $s, dilation: $d}
      - {op: conv_bn, name: f, filters: 4, kernel_size: $k, padding: $mode}
      - {op: group_norm, name: g, groups: $s}
      - {op: local_response_norm, name: h, size: $k}
      - {op: adaptive_avg_pool, name: i, output_size: ["${k + 4}", 5]}
body:
  - {use: unit, name: a, mode: same, k: 3, s: 1, d: 1}
  - {use: unit, name: b, mode: valid, k: 1, s: 2, d: 2}
  - {op: conv_bn, name: last, filters: 4, kernel_size: 1}
"""
    + HEAD
)
FUNCTIONS = (
    """\
network: functions
input: {channels: 4, height: 7, width: 6}
classes: 3
blocks:
  one: {params: {a: str, s: float, r: bool}, steps: [{op: activation, function: $a, alpha: $s,
      approximate: $r}, {op: conv_bn, filters: 4, kernel_size: 3, activation: $a}]}
  two: {params: {a: str}, steps: [{op: activation, function: $a}, {op: conv, filters: 4,
      kernel_size: 1, activation: $a}, {op: conv_bn, filters: 4, kernel_size: 3, stride: 2,
      dilation: 2, activation: $a}]}
body:
  - {use: one, name: a, a: leaky_relu, s: 0.25, r: false}
  - {use: one, name: b, a: elu, s: 0.5, r: true}
  - {use: one, name: c, a: gelu, s: 0.5, r: true}
  - {use: one, name: d, a: gelu, s: 0.5, r: false}
  - {use: two, name: e, a: leaky_relu}
  - {use: two, name: f, a: none}
"""
    + HEAD
)
REPEATED = """\
network: repeated
input: {channels: 2, height: 4, width: 5}
classes: 3
blocks:
  vector: {params: {n: int}, steps: [{op: flatten}, {op: dense, units: $n}]}
  grow: {params: {k: int, times: int}, steps: [{branches: {a: [], b: [{op: conv, filters: $k,
      kernel_size: 3}]}, merge: concat, repeat: $times}]}
  outer: {params: {index: int, conv_bn: int}, steps: [{use: grow, k: $index,
      times: "${conv_bn + 1}", repeat: 2}, {op: conv, filters: $in_channels, kernel_size: 1,
      repeat: $conv_bn}]}
body:
  - {use: grow, k: 2, times: 1, name: g1}
  - {use: outer, index: 2, conv_bn: 1, name: o1}
  - {use: outer, index: 3, conv_bn: 2, name: o2, repeat: 2}
  - {op: conv, filters: 2, kernel_size: 1, repeat: $classes}
  - {use: vector, n: 7, repeat: 3}
  - {op: flatten, repeat: 2}
head: [{op: dense, units: $classes}]
"""
NAMES = [
    "x",
    "name",
    "index",
    "inner_index",
    "keras",
    "layers",
    "ops",
    "range",
    "max",
    "num_classes",
]
NAMES += ["in_channels_", "width", "conv_bn", "unit", "activate", "b", "padding", "named", "shape"]
EXACT = {
    "efficient": EFFICIENT,
    "grouped": GROUPED,
    "padded": PADDED,
    "words": WORDS,
    "repeated": REPEATED,
}


def signatures(source: str) -> dict[str, list[str]]:
    """The arguments of every function."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [argument.arg for argument in node.args.args]
    return found


@pytest.mark.parametrize("spec", EXACT.values(), ids=EXACT)
def test_all_uses_match_the_reference(spec: str, typed_of: Callable[[str], TypedProgram]) -> None:
    assert farthest(typed_of(spec)) <= FLOAT64


def test_activations_by_name_match_the_reference(typed_of: Callable[[str], TypedProgram]) -> None:
    """In float32, as TensorFlow computes some functions with float32 constants."""
    assert farthest(typed_of(FUNCTIONS), "float32") <= FLOAT32


@pytest.mark.parametrize("spec", [*EXACT.values(), FUNCTIONS], ids=[*EXACT, "functions"])
def test_source_passes_ruff(spec: str, source_of: Source, tmp_path: Path) -> None:
    assert not checked(source_of(spec), tmp_path)


@pytest.mark.parametrize(
    ("spec", "block"),
    [
        (EFFICIENT, "mbconv"),
        (GROUPED, "bottleneck"),
        (PADDED, "unit"),
        (WORDS, "unit"),
        (FUNCTIONS, "one"),
        (REPEATED, "outer"),
    ],
)
def test_signature_does_not_depend_on_the_uses(spec: str, block: str, source_of: Source) -> None:
    """With one use or with several, every parameter is an argument of the one function."""
    start = f"  - {{use: {block}, name"
    steps = re.split(r"(?m)^(?=  - |\w)", spec)  # a use may span several lines
    uses = [step for step in steps if step.startswith(start)]
    alone = "".join(step for step in steps if step not in uses[1:])
    found = signatures(source_of(spec))[block]
    assert signatures(source_of(alone))[block] == found
    assert f"def {block}_2" not in source_of(spec)


@pytest.mark.parametrize("kind", ["int", "float"])
def test_parameters_can_have_any_name(kind: str, typed_of: Callable[[str], TypedProgram]) -> None:
    """As filters and as scales, in branches with the same names as the parameters."""
    step = (
        "{op: conv, filters: $%s, kernel_size: 1}" if kind == "int" else "{op: scale, value: $%s}"
    )
    branches = ", ".join(f"{name}: [{step % name}]" for name in NAMES)
    values = ", ".join(
        f"{name}: {number}" for number, name in enumerate(NAMES, 2) if name != "name"
    )
    params = ", ".join(f"{name}: {kind}" for name in NAMES if name != "name")
    branches = branches.replace(
        step % "name", "{op: conv, filters: '${max(max // 1, in_channels)}', kernel_size: 1}"
    )
    if kind == "float":
        branches = branches.replace("'${max(max // 1, in_channels)}'", "$in_channels")
    text = (
        "network: net\ninput: {channels: 3, height: 4, width: 4}\n"
        f"blocks:\n  unit:\n    params: {{{params}}}\n    steps:\n"
        f"      - {{branches: {{{branches}}}, merge: concat, repeat: 2}}\n"
        f"body: [{{use: unit, {values}}}]\n"
    )
    assert farthest(typed_of(text)) <= FLOAT64


def test_parameters_of_a_block_spec_are_default_arguments(source_of: Source) -> None:
    source = source_of(
        "block: alone\ninput: {channels: 3, height: 4, width: 4}\n"
        "params: {act: {type: str, default: none}, x: {type: int, default: 2}}\n"
        "steps: [{op: conv, filters: $x, kernel_size: 1, activation: $act}]\n"
    )
    assert 'act: str = "linear"' in source
    assert "x_: int = 2" in source
