"""A small network with a recipe, and the Keras script that trains it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from inception_dsl_keras import BACKEND
from recipes import recipe

from inception_dsl.backend import Report, Request, TypedProgram
from inception_dsl.ir.recipe import (
    Augmentation,
    Optimizer,
    Training,
    WeightDecay,
    WeightGroup,
)

NETWORK = """\
network: net
input: {channels: 3, height: 8, width: 8}
classes: 3
preprocessing: {scale: 0.00784313725490196, mean: 1.0}
stem:
  - {op: conv_bn, name: stem, filters: 4, kernel_size: 3, batch_norm: {decay: 0.9}}
head:
  - {op: global_avg_pool}
  - {op: dropout, rate: 0.3}
  - {op: dense, name: classifier, units: $classes}
aux_heads: {aux: {after: stem, loss_weight: 0.3,
    steps: [{op: global_avg_pool}, {op: dense, name: out, units: $classes}]}}
"""
IMAGES = recipe(
    optimizer=Optimizer("lamb", 0.01, "tensorflow", beta_1=0.9, beta_2=0.999, epsilon=1e-06),
    weight_decay=WeightDecay(1 / 3, "decoupled", "kernels"),
    groups={"biases": WeightGroup(1 / 3, 1 / 3), "norms": WeightGroup(1 / 7)},
    augmentation=Augmentation(
        crop=(0.08, 1.0),
        aspect=(3 / 4, 4 / 3),
        flip=True,
        brightness=0.125,
        saturation=(0.5, 1.5),
        hue=0.2,
        contrast=(0.5, 1.5),
    ),
)


@pytest.fixture
def network(typed_of: Callable[[str], TypedProgram]) -> Callable[[Training], TypedProgram]:
    """A small network with a recipe."""
    typed = typed_of(NETWORK)
    return lambda found: dataclasses.replace(typed, program=typed.program._replace(training=found))


Network = Callable[[Training], TypedProgram]


def emitted(typed: TypedProgram) -> dict[str, str]:
    """The model and its script."""
    report = Report()
    files = BACKEND.emit(typed, Request("net", train=True), report)
    assert files is not None, report.render()
    return {name: str(text) for name, text in files.items()}
