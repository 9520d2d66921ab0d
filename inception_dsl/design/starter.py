"""The spec that ``inception-dsl new`` writes."""

from __future__ import annotations

_TEXT = """\
network: {name}
title: {title}
# paper: {{arxiv: "1409.4842", table: 1}}

input: {{channels: 3, height: 64, width: 64}}
classes: 10

# Default attributes of all steps; a step can override them.
defaults:
  batch_norm: {{epsilon: 0.001, decay: 0.9}}

# A block is defined once and used with different values. `$name` is a parameter, `${{a // 2}}`
# is arithmetic; `$in_channels` is available in every block.
blocks:
  inception:
    params: {{filters: int, pool_filters: {{type: int, default: 32}}}}
    steps:
      - branches:
          branch_1x1: [{{op: conv_bn, filters: $filters, kernel_size: 1}}]
          branch_3x3:
            - {{op: conv_bn, filters: "${{filters // 2}}", kernel_size: 1}}
            - {{op: conv_bn, filters: $filters, kernel_size: 3}}
          branch_pool:
            - {{op: avg_pool, kernel_size: 3}}
            - {{op: conv_bn, filters: $pool_filters, kernel_size: 1}}
        merge: concat
  residual: # parallel branches; the empty one passes the input on
    steps:
      - branches:
          shortcut: []
          branch_3x3: [{{op: conv_bn, filters: $in_channels, kernel_size: 3, activation: none}}]
        merge: add

stem:
  - {{op: conv_bn, name: conv1, filters: 32, kernel_size: 3, stride: 2}}

# `width: 0.5` multiplies all filters, `divisor: 8` rounds them to multiples of 8.
# `outputs:` can refer to any step by its name, `aux_heads:` to those of stem and body.
body:
  - {{use: inception, name: mixed_1, filters: 32}}
  - {{use: residual, repeat: 2}}
  - {{op: max_pool, name: pool1, kernel_size: 3, stride: 2}}
  - {{use: inception, name: mixed_2, filters: 64, repeat: 2}}

head:
  - {{op: global_avg_pool}}
  - {{op: dropout, rate: 0.2}}
  - {{op: dense, name: classifier, units: $classes}}
"""


def starter(name: str) -> str:
    """A commented spec of a small network called ``name``."""
    return _TEXT.format(name=name, title=title_of(name))


def title_of(name: str) -> str:
    """The title of a new spec: its name in words."""
    return name.replace("_", " ").capitalize()
