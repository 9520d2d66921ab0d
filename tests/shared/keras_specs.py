"""Specs for tests of the Keras backend."""

from __future__ import annotations

EVERYTHING = """\
network: everything
input: {channels: 4, height: 21, width: 18}
classes: 5
preprocessing: {channel_order: bgr, scale: 0.5, mean: [1, 2, 3, 4], std: 2}
blocks:
  unit:
    params: {filters: int, kernel: int, stride: {type: int, default: 1}, scale: float,
        unused: {type: int, default: 3}}
    steps:
      - {op: conv, name: conv, filters: $filters, kernel_size: $kernel, stride: $stride}
      - {op: scale, name: scaled, value: $scale}
  residual:
    steps:
      - branches:
          shortcut: []
          gate: [{op: global_avg_pool}, {op: dense, units: $in_channels, activation: sigmoid}]
        merge: multiply
      - {op: conv, name: last, filters: "${in_channels // 2}", kernel_size: 1}
stem:
  - {op: conv_bn, name: first, filters: 8, kernel_size: 3, stride: 2, padding: 1}
  - {op: conv_bn, name: second, filters: 8, kernel_size: [1, 3], activation: silu,
      batch_norm: {epsilon: 0.01}}
  - {op: local_response_norm, name: norm_a}
  - {op: local_response_norm, name: norm_b, size: 4, alpha: 0.1}
  - {op: max_pool, name: pool_a, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}
  - {op: avg_pool, name: pool_b, kernel_size: 2, count_include_pad: true}
  - {op: avg_pool, name: pool_c, kernel_size: 3, stride: [2, 1]}
  - {op: conv, name: wide, filters: 8, kernel_size: 3, stride: 2, dilation: 2}
body:
  - {use: unit, name: unit_a, filters: 8, kernel: 3, scale: 0.5}
  - {use: unit, name: unit_b, filters: 8, kernel: 1, stride: 2, scale: 0.25, repeat: 2}
  - {use: residual, repeat: 2}
aux_heads:
  side: {after: unit_a, loss_weight: 0.3,
      steps: [{op: global_max_pool}, {op: dense, units: $classes}]}
outputs: {early: second}
head: [{op: activation, function: gelu, approximate: true}, {op: flatten},
    {op: dense, units: $classes}]
training: {label_smoothing: 0.1}
"""

SMALL = """\
network: small
input: {channels: 3, height: 9, width: 9}
classes: 4
stem: [{op: conv_bn, name: first, filters: 8, kernel_size: 3}]
aux_heads: {side: {after: first, loss_weight: 0.3,
    steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}}
head: [{op: flatten}, {op: dropout, rate: 0.1}, {op: dense, units: $classes}]
training: {label_smoothing: 0.1}
"""

# window geometry without a Keras option: inputs, and steps for two, one and three axes
AREAS = ["height: 9, width: 6", "height: 8, width: 11", "height: 12, width: 7"]
FLAT = [
    "{op: conv, filters: 3, kernel_size: 3, stride: 2, dilation: 2}",
    "{op: conv, filters: 3, kernel_size: [3, 2], stride: [1, 3], dilation: [2, 1], "
    "padding: [[1, 0], [2, 1]]}",
    "{op: conv_bn, filters: 4, kernel_size: 3, stride: 2, dilation: 2, groups: 2, "
    "activation: leaky_relu}",
    "{op: conv, filters: 4, kernel_size: 4, stride: 3, groups: 4}",
    "{op: depthwise_conv, kernel_size: 3, stride: [1, 2], depth_multiplier: 2, activation: relu}",
    "{op: depthwise_conv, kernel_size: [2, 3], stride: 2, dilation: 2}",
    "{op: separable_conv, filters: 5, kernel_size: 3, stride: [2, 1], depth_multiplier: 2}",
    "{op: separable_conv, filters: 5, kernel_size: 3, stride: 2, dilation: [1, 2], "
    "padding: [2, 0]}",
    "{op: max_pool, kernel_size: [3, 2], stride: [2, 3], padding: [1, 0], ceil_mode: true}",
    "{op: max_pool, kernel_size: 2, stride: 3, padding: 1, ceil_mode: true}",
    "{op: max_pool, kernel_size: 3, stride: 1, padding: [[1, 0], [0, 1]]}",
    "{op: avg_pool, kernel_size: 3, stride: 2, padding: [[1, 0], [0, 1]]}",
    "{op: max_pool, kernel_size: 1, stride: 2, padding: 0, ceil_mode: true}",
    "{op: avg_pool, kernel_size: [5, 2], stride: [2, 3], padding: [2, 1], ceil_mode: true}",
    "{op: avg_pool, kernel_size: 2, stride: 3, padding: 1, ceil_mode: true, "
    "count_include_pad: true}",
    "{op: avg_pool, kernel_size: 4, stride: 2}",
    "{op: avg_pool, kernel_size: 3, stride: 2, count_include_pad: true}",
    "{op: avg_pool, kernel_size: [2, 5], padding: [1, 2], count_include_pad: true}",
]
LINES = [
    "{op: conv, filters: 3, kernel_size: 4, stride: 2, dilation: 3, padding: [[4, 5]]}",
    "{op: depthwise_conv, kernel_size: 3, stride: 2, dilation: 2, depth_multiplier: 3}",
    "{op: separable_conv, filters: 5, kernel_size: 4, stride: 3, depth_multiplier: 2}",
    "{op: max_pool, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
    "{op: avg_pool, kernel_size: 4, stride: 3, padding: [[1, 2]]}",
    "{op: avg_pool, kernel_size: 3, stride: 2, count_include_pad: true}",
]
SOLIDS = [
    "{op: conv, filters: 4, kernel_size: [3, 1, 2], stride: [2, 1, 3], groups: 2}",
    "{op: conv, filters: 4, kernel_size: [1, 3, 3], stride: 3}",
    "{op: depthwise_conv, kernel_size: 2, stride: 2, depth_multiplier: 2}",
    "{op: separable_conv, filters: 3, kernel_size: 3, padding: [1, 0, 1], activation: relu}",
    "{op: zero_pad, padding: [[0, 1], [2, 0], [1, 1]]}",
    "{op: branches}",
]
POOLS = [
    "{op: conv, filters: 4, kernel_size: [3, 1, 2], stride: 2, dilation: [1, 2, 1], groups: 2}",
    "{op: max_pool, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
    "{op: avg_pool, kernel_size: [2, 3, 2], stride: 2}",
    "{op: avg_pool, kernel_size: 3, stride: 2, padding: 1, count_include_pad: true}",
]
EXCITE = (
    "{branches: {x: [], gate: [{op: global_avg_pool}, {op: dense, units: 4}]}, merge: multiply}"
)


def block(step: str, axes: str) -> str:
    """A block of one step, on an input of four channels."""
    step = EXCITE if step == "{op: branches}" else step
    return f"block: case\ninput: {{channels: 4, {axes}}}\nsteps: [{step}]\n"
