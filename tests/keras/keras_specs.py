"""Specs that the tests of this folder share."""

EVERYTHING = """\
network: everything
input: {channels: 4, height: 21, width: 18}
classes: 5
preprocessing: {channel_order: bgr, scale: 0.5, mean: [1, 2, 3, 4], std: 2}
blocks:
  unit:
    params: {filters: int, kernel: int, stride: {type: int, default: 1}, scale: float, unused: {type: int, default: 3}}
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
  - {op: conv_bn, name: second, filters: 8, kernel_size: [1, 3], activation: silu, batch_norm: {epsilon: 0.01}}
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
  side: {after: unit_a, loss_weight: 0.3, steps: [{op: global_max_pool}, {op: dense, units: $classes}]}
outputs: {early: second}
head: [{op: activation, function: gelu, approximate: true}, {op: flatten}, {op: dense, units: $classes}]
training: {label_smoothing: 0.1}
"""

SMALL = """\
network: small
input: {channels: 3, height: 9, width: 9}
classes: 4
stem: [{op: conv_bn, name: first, filters: 8, kernel_size: 3}]
aux_heads: {side: {after: first, loss_weight: 0.3, steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}}
head: [{op: flatten}, {op: dropout, rate: 0.1}, {op: dense, units: $classes}]
training: {label_smoothing: 0.1}
"""
