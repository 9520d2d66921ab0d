"""The shipped specs, and a small network with every kind of kernel."""

from __future__ import annotations

SMALL = """\
network: small
input: {channels: 3, height: 7, width: 6}
classes: 4
training: {label_smoothing: 0.1}
body:
  - {op: conv_bn, name: stem, filters: 6, kernel_size: [3, 2]}
  - {op: depthwise_conv, name: depthwise, kernel_size: 3, depth_multiplier: 2}
  - {op: conv, name: grouped, filters: 4, kernel_size: 3, groups: 2}
head: [{op: flatten}, {op: dense, name: classifier, units: $classes}]
aux_heads: {aux: {after: stem, loss_weight: 0.3,
    steps: [{op: global_avg_pool}, {op: dense, name: out, units: $classes}]}}
"""
LIST = """\
aux/out/bias 4
aux/out/kernel 6x4
classifier/bias 4
classifier/kernel 168x4
depthwise/bias 12
depthwise/kernel 3x3x6x2
grouped/bias 4
grouped/kernel 3x3x6x4
stem/bn/beta 6
stem/bn/gamma 6
stem/bn/moving_mean 6
stem/bn/moving_variance 6
stem/conv/kernel 3x2x3x6
"""
