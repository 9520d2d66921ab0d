"""Seeded weights that make defects show.

Statistics far from 0 and 1, activations beyond 6, asymmetric kernels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program
from ..types.weight import Weight
from .forward import interpret


def seeded(typed: TypedProgram, seed: int = 0) -> dict[str, Any]:
    """A value in float64 for every weight of a program, by path.

    Activations stay of one size through the layers.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for path, node in walk_program(typed):
        if isinstance(node, TypedOp):
            gain = 1.0 if getattr(node.op, "activation", "none") == "none" else 2.0
            for weight in node.op.weights(node.x):
                found["/".join((*path, weight.name))] = _value(weight, node.op.op, gain, rng)
    return found


def _value(weight: Weight, op: str, gain: float, rng: np.random.Generator) -> Any:
    name = weight.name.rsplit("/", 1)[-1]
    shape = tuple(weight.shape)
    if name == "kernel":
        depthwise = op == "depthwise_conv" or weight.name.startswith("depthwise/")
        fan_in = math.prod(shape[:-2] if depthwise else shape[:-1])
        return rng.normal(0.0, math.sqrt(gain / fan_in), shape)
    if name == "gamma":
        return rng.uniform(0.5, 2.0, shape)
    if name == "moving_variance":
        return rng.uniform(0.05, 3.0, shape)
    if name == "moving_mean":
        return rng.normal(0.5, 0.7, shape)
    if name == "beta":
        return rng.normal(0.0, 1.5, shape)  # so that activations pass 6 after any batch norm
    return rng.normal(0.0, 0.5, shape)


def calibrated(typed: TypedProgram, weights: Mapping[str, Any], x: Any) -> dict[str, Any]:
    """``weights`` with the moving statistics that the batch ``x`` has, as a trained network's fit
    its data.
    """
    return {**weights, **interpret(typed, weights, x, training=True).statistics}


def batch(typed: TypedProgram, seed: int = 0, size: int = 2) -> Any:
    """A batch of different samples (N, spatial axes, channels) in float64."""
    shape = tuple(typed.program.input.shape)
    return np.random.default_rng(seed).normal(0.0, 1.0, (size, *shape))
