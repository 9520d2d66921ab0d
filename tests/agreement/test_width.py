"""Networks of other widths, against the implementations that the rule comes from."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from frameworks import BACKENDS, emitted, running, typed_program
from operators import declare

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.types.width import Width
from inception_dsl.verify.bounds import FLOAT64, distance

# Howard et al. 2017, table 1
MOBILENET = """\
network: mobilenet
input: {channels: 3, height: 224, width: 224}
defaults: {conv_bn: {activation: relu6}}
blocks:
  separable:
    params: {filters: int, stride: {type: int, default: 1}}
    steps:
      - {op: depthwise_conv, kernel_size: 3, stride: $stride, use_bias: false}
      - {op: batch_norm}
      - {op: activation, function: relu6}
      - {op: conv_bn, filters: $filters, kernel_size: 1}
stem: [{op: conv_bn, filters: 32, kernel_size: 3, stride: 2}]
body:
  - {use: separable, name: s1, filters: 64}
  - {use: separable, name: s2, filters: 128, stride: 2}
  - {use: separable, name: s3, filters: 128}
  - {use: separable, name: s4, filters: 256, stride: 2}
  - {use: separable, name: s5, filters: 256}
  - {use: separable, name: s6, filters: 512, stride: 2}
  - {use: separable, name: s7, filters: 512, repeat: 5}
  - {use: separable, name: s8, filters: 1024, stride: 2}
  - {use: separable, name: s9, filters: 1024}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
# Sandler et al. 2018, table 2
MOBILENET_V2 = """\
network: mobilenet_v2
input: {channels: 3, height: 224, width: 224}
divisor: 8
params: {expand: {type: int, default: 6}}
defaults: {conv_bn: {activation: relu6}}
blocks:
  bottleneck:
    params: {filters: int, stride: {type: int, default: 1}, expand: {type: int, default: $expand}}
    steps:
      - {op: conv_bn, filters: "${in_channels * expand}", kernel_size: 1}
      - {use: narrow, filters: $filters, stride: $stride}
  narrow:
    params: {filters: int, stride: {type: int, default: 1}}
    steps:
      - {op: depthwise_conv, kernel_size: 3, stride: $stride, use_bias: false}
      - {op: batch_norm}
      - {op: activation, function: relu6}
      - {op: conv_bn, filters: $filters, kernel_size: 1, activation: none}
  residual:
    steps:
      - branches: {shortcut: [], bottleneck: [{use: bottleneck, filters: $in_channels}]}
        merge: add
stem: [{op: conv_bn, filters: 32, kernel_size: 3, stride: 2}, {use: narrow, filters: 16}]
body:
  - {use: bottleneck, name: b2, filters: 24, stride: 2}
  - {use: residual, name: r2}
  - {use: bottleneck, name: b3, filters: 32, stride: 2}
  - {use: residual, name: r3, repeat: 2}
  - {use: bottleneck, name: b4, filters: 64, stride: 2}
  - {use: residual, name: r4, repeat: 3}
  - {use: bottleneck, name: b5, filters: 96}
  - {use: residual, name: r5, repeat: 2}
  - {use: bottleneck, name: b6, filters: 160, stride: 2}
  - {use: residual, name: r6, repeat: 2}
  - {use: bottleneck, name: b7, filters: 320}
  - {op: conv_bn, name: last, filters: LAST, kernel_size: 1}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""


def parameters(path: Path, width: float) -> tuple[int, int]:
    """The numbers of trainable and of other parameters."""
    typed = compile_spec(path, {"width": str(width)}, Report())
    assert typed is not None
    found = cost([*layers(typed)])
    return found.trainable, found.non_trainable


@pytest.mark.parametrize("width", [0.25, 0.5, 0.75, 1.0])
def test_mobilenet_of_keras(width: float, write: Callable[..., Path]) -> None:
    model = keras.applications.MobileNet(alpha=width, weights=None)
    found = parameters(write(MOBILENET), width)
    assert sum(found) == model.count_params()


@pytest.mark.parametrize("width", [0.35, 0.5, 0.75, 1.0, 1.3, 1.4])
def test_mobilenet_v2_of_torchvision(width: float, write: Callable[..., Path]) -> None:
    declare()
    from torchvision.models import mobilenet_v2

    model: Any = mobilenet_v2(width_mult=width)
    # the last convolution is never narrower than 1280
    last = "1280" if width > 1 else '"${max(in_channels, 1280)}"'
    found = parameters(write(MOBILENET_V2.replace("LAST", last)), width)
    assert found[0] == sum(p.numel() for p in model.parameters())


def test_the_rule_of_timm() -> None:
    declare()
    from timm.layers import make_divisible

    rng = random.Random(5)
    for _ in range(20_000):
        value, divisor = rng.uniform(0.1, 2_000), rng.randint(2, 32)
        least = rng.choice((divisor, divisor, 2 * divisor))
        assert Width(0.5, divisor, least).count(value) == make_divisible(value, divisor, least)


GROWING = """\
network: n
width: 0.3
DIVISOR
input: {channels: 3, height: 9, width: 8}
params: {growth: {type: int, default: 20}, units: {type: int, default: 9}}
defaults: {conv: {kernel_size: 1}, conv_bn: {kernel_size: 1}}
blocks:
  cell:
    params: {filters: int, size: int, growth: {type: int, default: $growth}}
    steps:
      - branches:
          a: [{op: conv, filters: $filters}, {op: conv, filters: "${4 * filters}", kernel_size: 3}]
          b: [{op: conv, filters: $size, kernel_size: $size}, {op: conv, filters: "${size + 9}"}]
          c: [{op: conv, filters: "${in_channels / 3}"}, {op: conv_bn, filters: $growth}]
        merge: concat
body:
  - {op: conv, filters: $growth, kernel_size: 1}
  - {use: cell, filters: 14, size: 3}
  - {use: cell, name: other, filters: "${growth // 2}", size: 5, repeat: 2}
head: [{op: global_avg_pool}, {op: dense, units: $units}, {op: dense, units: "${classes / 7}"}]
"""


@pytest.mark.parametrize("divisor", ["", "divisor: 4", "minimum: 2"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_scaled_and_rounded_numbers_in_generated_code(
    backend: str, divisor: str, write: Callable[..., Path]
) -> None:
    typed = typed_program(write(GROWING.replace("DIVISOR", divisor)))
    weights, x = seeded(typed, seed=1), batch(typed, seed=2)
    model = running(backend, typed)
    model.load(weights)
    wanted = interpret(typed, weights, x).outputs
    found = model.forward(x)
    assert max(distance(found[n], wanted[n]) for n in wanted) <= FLOAT64


@pytest.mark.parametrize("backend", BACKENDS)
def test_scaled_numbers_are_passed_to_blocks(backend: str, write: Callable[..., Path]) -> None:
    text = emitted(backend, typed_program(write(GROWING.replace("DIVISOR", ""))))
    assert "4 * filters" in text and "filters=4" in text  # 14 * 0.3
    if backend == "keras":  # PyTorch's file has channels that depend on it as numbers
        assert "growth: int = 6" in text and "growth=growth" in text  # 20 * 0.3
    assert "int(in_channels / 3 + 0.5)" in text
    assert "units: int = 9" in text  # which are not scaled
