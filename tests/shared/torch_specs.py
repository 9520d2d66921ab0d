"""A small network and its model in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl_torch import BACKEND
from inception_dsl_torch.runner import TorchModel, create

from inception_dsl.backend import Report, Request
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded

Compiled = Callable[..., TypedProgram]
SMALL = """
network: small
input: {channels: 2, height: 5, width: 4}
classes: 3
blocks: {unit: {steps: [{op: conv_bn, name: inner, filters: 3, kernel_size: 3}]}}
stem: [{op: conv_bn, filters: 3, kernel_size: 3}, {op: max_pool, kernel_size: 2}]
body:
  - {use: unit, name: units, repeat: 2}
  - {op: separable_conv, name: conv, filters: 4, kernel_size: 1, repeat: 2}
  - {name: fork, branches: {branch_a: [], branch_b: [{use: unit}]}, merge: concat}
head: [{op: global_avg_pool}, {op: dense, name: fc, units: $classes}]
"""


def running(typed: TypedProgram, dtype: str = "float64") -> TorchModel:
    """A model with seeded weights."""
    files = BACKEND.emit(typed, Request("small"), Report())
    assert files is not None
    model = create(typed, files, dtype)
    model.load(seeded(typed, seed=5))
    return model
