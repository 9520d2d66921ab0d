"""Constructs of the language that meet in one network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frameworks import BACKENDS

from inception_dsl.testing.conformance import Agrees, prepared

NETWORK = """
network: together
input:
  left: {channels: 3, height: 17, width: 21}
  right: {channels: 3, height: 17, width: 21}
  table: {channels: 5}
classes: 4
blocks:
  cell:
    params: {n: {type: int, default: 1}}
    steps:
      - {op: identity, name: given}
      - {op: conv_bn, name: first, filters: 6, kernel_size: 3}
      - {op: conv_bn, name: again, filters: 6, kernel_size: 3, repeat: $n}
      - branches: {last: [], early: [{op: conv, filters: 6, kernel_size: 1}], first: []}
        after: {early: given, first: first}
        merge: add
        name: joined
  tower:
    steps:
      - {op: conv, kernel_size: 3, each: {filters: [4, 6], stride: [2, 1]}}
      - {use: cell, n: 0}
      - {use: cell, name: deep, n: 2}
      - {op: global_avg_pool}
body:
  - name: inputs
    branches:
      left: [{use: tower, name: tower}]
      right: [{use: tower, weights: left/tower}]
      table: [{op: dense, units: 6, activation: relu}]
    merge: concat
  - name: weigh
    branches:
      parts: []
      attention: [{op: dense, units: 18}, {op: activation, function: softmax, parts: 3}]
    merge: multiply
  - {branches: {a: [], b: [], c: []}, split: equal, merge: add, name: sum}
  - {op: dense, name: late, units: 6, repeat: 0}
head: [{op: dense, units: $classes}]
outputs: {age: {after: sum, loss: mean_squared_error, steps: [{op: dense, units: 1}]}}
training: {}
"""

OPTIONAL = """
network: optional
input: {channels: 4, height: 9, width: 8}
classes: 3
blocks:
  b:
    params: {n: int}
    steps:
      - {op: conv_bn, name: one, filters: 4, kernel_size: 3}
      - {op: conv_bn, name: more, filters: 4, kernel_size: 3, repeat: $n}
      - {op: conv_bn, name: two, filters: 4, kernel_size: 3, weights: one}
body: [{use: b, name: without, n: 0}, {use: b, name: with_two, n: 2}]
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_shared_weights_beside_a_step_that_some_uses_leave_out(
    backend: str, write: Callable[..., Path]
) -> None:
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(prepared(write(OPTIONAL), {}))


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_in_one_network(backend: str, write: Callable[..., Path]) -> None:
    """Inputs, shared weights, earlier outputs, lists of repetitions, steps that are not there."""
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(prepared(write(NETWORK), {}))
