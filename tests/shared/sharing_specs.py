"""Specs of steps that share weights."""

from __future__ import annotations

from typing import Final

# Zhang et al. 2017, PolyNet, figure 4: poly-2 is x + F(x) + F(F(x))
POLY: Final = """\
network: poly
input: {channels: 3, height: 9, width: 7}
classes: 5
training: {initializer: {name: he_normal}}
blocks:
  f:
    steps:
      - branches:
          a: [{op: conv_bn, filters: 4, kernel_size: 1}]
          b: [{op: conv_bn, filters: 4, kernel_size: 3}]
        merge: concat
      - {op: conv, name: up, filters: $in_channels, kernel_size: 1}
  poly_2:
    steps:
      - branches:
          x: []
          first: [{use: f, name: f}]
          second: [{use: f, name: once, weights: first/f}, {use: f, name: twice, weights: first/f}]
        merge: add
      - {op: activation, function: relu}
stem: [{op: conv, name: stem, filters: 8, kernel_size: 3}]
body: [{use: poly_2, name: unit, repeat: 2}]
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
# Bromley et al. 1993: one tower on both parts of the input, here of two sizes
SIAMESE: Final = """\
network: siamese
input: {channels: 3, height: 20, width: 16}
classes: 4
training: {label_smoothing: 0.1}
blocks:
  tower:
    params: {width: {type: int, default: 4}}
    steps:
      - {op: conv_bn, filters: $width, kernel_size: 3, stride: 2}
      - {op: dropout, rate: 0.2}
      - {op: max_pool, kernel_size: 3, stride: 2}
      - {op: global_avg_pool}
body:
  - {op: conv, filters: 6, kernel_size: 3}
  - name: pair
    branches:
      left: [{use: tower, name: tower}]
      right:
        - {op: max_pool, kernel_size: 2, stride: 2}
        - {op: zero_pad, padding: [[0, 1], [0, 1]]}
        - {use: tower, weights: left/tower}
    merge: concat
head: [{op: dense, units: $classes}]
"""
CASES: Final = {
    "poly": POLY,
    "siamese": SIAMESE,
    "recurrent": """\
network: recurrent
input: {channels: 3, height: 6, width: 5}
params: {turns: {type: int, default: 3}}
stem: [{op: conv, name: cell, filters: 3, kernel_size: 3}]
body:
  - {op: conv, filters: 3, kernel_size: 3, weights: cell, repeat: $turns, name: again}
  - {op: batch_norm, name: norm, decay: 0.7}
  - {op: conv, filters: 3, kernel_size: 1, name: mix, activation: tanh}
  - {op: batch_norm, decay: 0.7, weights: norm, repeat: 2, name: norm_again}
head: [{op: conv, filters: 3, kernel_size: 3, weights: cell, name: last}]
outputs: {early: again, late: norm_again}
""",
    "layers": """\
network: many_layers
input: {channels: 4, height: 6, width: 5}
body:
  - branches:
      a: [{op: conv_bn, name: c, filters: 4, kernel_size: 3, activation: gelu}]
      b:
        - {op: activation, function: tanh}
        - {op: conv_bn, filters: 4, kernel_size: 3, activation: gelu, weights: a/c}
    merge: concat
  - branches:
      s: [{op: separable_conv, filters: 4, kernel_size: 3}]
      t:
        - {op: max_pool, kernel_size: 3}
        - {op: separable_conv, filters: 4, kernel_size: 3, weights: s}
      u: [{op: depthwise_conv, name: d, kernel_size: [3, 1], padding: [1, 0], depth_multiplier: 2}]
      v:
        - {op: max_pool, kernel_size: 3}
        - op: depthwise_conv
          kernel_size: [3, 1]
          padding: [1, 0]
          depth_multiplier: 2
          weights: u/d
    merge: concat
    name: second
  - {op: scale, value: 0.5, learned: true, name: s1}
  - {op: layer_norm, name: l1}
  - {op: scale, value: 0.5, learned: true, weights: s1}
  - {op: layer_norm, weights: l1}
  - {op: group_norm, groups: 4, name: g1}
  - {op: conv, filters: 40, kernel_size: 3, dilation: 2, groups: 2, name: x}
  - {op: group_norm, groups: 4, weights: g1}
head: [{op: flatten}]
""",
    "repeated fork": """\
block: repeated
input: {channels: 4, length: 9}
params: {depth: {type: int, default: 2}}
blocks:
  cell:
    params: {width: int}
    steps:
      - {op: conv, name: c, filters: $width, kernel_size: 3, activation: relu}
      - {op: conv, name: e, filters: $in_channels, kernel_size: 1}
      - {op: conv, filters: $width, kernel_size: 3, activation: relu, weights: c}
      - {op: conv, filters: $in_channels, kernel_size: 1, weights: e}
steps:
  - repeat: $depth
    branches:
      a: [{use: cell, name: left, width: 3}]
      b: [{op: activation, function: tanh}, {use: cell, name: right, width: 3, weights: a/left}]
      c: [{use: cell, name: other, width: 5}, {use: cell, name: more, width: 5, weights: other}]
      d: [{use: cell, name: most, width: 5, weights: c/more}]
    merge: add
""",
}
"""Networks and blocks with every way to share weights."""
