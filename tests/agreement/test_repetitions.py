"""Steps that some uses of a block leave out, or that the channels of the input decide about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import pytest
from frameworks import BACKENDS
from offered_network import case_of, problem, source

from inception_dsl.backend import module_from_source

USES = """
network: uses
input: {channels: 2, height: 8, width: 7}
classes: 5
blocks:
  wide: {params: {n: int}, steps: [{op: conv, filters: 4, kernel_size: 1, repeat: $n}]}
  # a ReLU in place would change the input of the block, which the shortcut reads
  rectified:
    params: {n: int}
    steps:
      - branches:
          shortcut: []
          other:
            - {op: conv, filters: $in_channels, kernel_size: 1, repeat: $n}
            - {op: activation, function: relu}
        merge: concat
body:
  - {use: wide, n: 0}
  - {use: wide, n: 2, name: twice}
  - {use: rectified, n: 0}
  - {use: rectified, n: 1, name: once}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
training: {}
"""
# a use or a fork that one definition of a block leaves out, and a branch without steps
DEFINITIONS = """
block: definitions
input: {channels: 4, height: 6, width: 5}
blocks:
  d: {steps: [{op: conv, filters: $in_channels, kernel_size: 1}]}
  b:
    params: {n: int, f: {type: int, default: 6}}
    steps: [{op: conv, filters: $f, kernel_size: 3, repeat: $n}, {use: d, repeat: $n}]
  c:
    params: {n: int}
    steps:
      - {op: conv, filters: 6, kernel_size: 3, repeat: $n}
      - name: sum
        branches: {x: [], y: [{op: conv, filters: 6, kernel_size: 1}]}
        merge: add
        repeat: $n
      - name: one
        branches: {z: [{op: conv, filters: 6, kernel_size: 1, repeat: $n}, {use: d, repeat: $n}]}
        merge: concat
      - {name: last, branches: {p: [{use: d, repeat: $n}], q: [{use: d}]}, merge: concat}
steps:
  - {use: b, each: {n: [0, 2], f: [4, 6]}}
  - {use: c, name: c1, n: 0}
  - {use: c, name: c2, n: 2}
"""
INPUTS = """
network: inputs
input: {p: {channels: 4, height: 6, width: 5}, q: {channels: 4, height: 6, width: 5}}
classes: 3
blocks:
  b: {params: {n: int}, steps: [{op: conv, filters: 6, kernel_size: 3, repeat: $n}]}
body:
  - branches: {p: [{use: b, name: b1, n: 0}, {use: b, name: b2, n: 2}], q: [{use: b, n: 1}]}
    merge: concat
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
LAST = """
network: last
input: {channels: 2, height: 8, width: 7}
classes: 5
params: {n: {type: int, default: 0}}
body: [{op: conv, filters: 4, kernel_size: 1}]
head: [{op: global_avg_pool}, {op: dense, units: $classes}, {op: dropout, rate: 0.5, repeat: $n}]
"""
CHANNELS = """
network: channels
input: {channels: 2, height: 8, width: 7}
classes: 5
body:
  - {op: conv, name: first, filters: 4, kernel_size: 1, repeat: "${in_channels // 2}"}
  - {op: conv, name: second, filters: 3, kernel_size: 1, repeat: "${in_channels - 2}"}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
training: {}
"""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spec", [USES, CHANNELS, DEFINITIONS, INPUTS, LAST])
def test_verify_agrees(spec: str, backend: str, write: Callable[..., Path]) -> None:
    path = write(spec)
    assert problem(path, backend, source(path, backend), case_of(path)) == ""


def test_a_file_is_for_the_channels_that_it_has_steps_for(write: Callable[..., Path]) -> None:
    path = write(CHANNELS)
    network = module_from_source(source(path, "torch"), "channels_torch").Channels
    with pytest.raises(TypeError, match="in_channels"):
        network(in_channels=4)
    built = module_from_source(source(path, "keras"), "channels_keras").channels
    assert isinstance(built((8, 7, 2)), keras.Model)
    with pytest.raises(ValueError, match="needs 2 sizes and 2 channels"):
        built((8, 7, 4))
