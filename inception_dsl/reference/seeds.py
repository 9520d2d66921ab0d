"""Seeded random weights that reveal bugs in generated code.

Moving statistics are far from 0 and 1, activations exceed 6, kernels are asymmetric: so a missing
batch norm, a ReLU6 in place of a ReLU, or a transposed kernel changes the output.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..ir.program import INPUT
from ..ir.typed import TypedProgram
from ..ir.walk import weighted
from ..types.weight import Weight
from .forward import interpret

VALUES: Final = 16
"""Batch norm of a few values magnifies rounding errors: two become -1 and 1, however close they
are. So that many such layers do not add up, each has this many values of a channel.
"""
PIXELS: Final = 2**17
"""A limit on the input, in all samples: a larger one has few layers that small."""


def seeded(typed: TypedProgram, seed: int = 0) -> dict[str, Any]:
    """A float64 value for every weight of a program, by path.

    The scale of the kernels keeps activations at about the same size through the layers.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for path, node in weighted(typed):
        gain = 1.0 if getattr(node.op, "activation", "none") == "none" else 2.0
        for weight in node.weights:
            found["/".join((*path, weight.name))] = _value(weight, node.op.op, gain, rng)
    return found


def _value(weight: Weight, op: str, gain: float, rng: np.random.Generator) -> Any:
    """Kernels have the variance ``gain`` / fan-in (He et al. 2015: gain 2 before a ReLU)."""
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
        return rng.normal(0.0, 1.5, shape)  # so that activations exceed 6 after any batch norm
    return rng.normal(0.0, 0.5, shape)


def calibrated(typed: TypedProgram, weights: Mapping[str, Any], x: Any) -> dict[str, Any]:
    """``weights`` with the statistics of the batch ``x`` as moving statistics: the mean of them, if
    several layers share one.

    In a trained network, too, the moving statistics fit the data.
    """
    found = interpret(typed, weights, x, training=True).statistics
    return {**weights, **{path: sum(each[1:], each[0]) / len(each) for path, each in found.items()}}


def enough(typed: TypedProgram) -> int:
    """The samples that a batch needs: two, or more if batch norm would have fewer values of a
    channel than ``VALUES``, as on maps of one pixel.
    """
    pixels = sum(x.positions() for x in typed.program.inputs.values())
    least = min(
        (
            node.y.positions()
            for _, node in weighted(typed)
            if any("moving_variance" in weight.name for weight in node.weights)
        ),
        default=VALUES,
    )
    return max(2, min(math.ceil(VALUES / least), PIXELS // pixels))


def batch(typed: TypedProgram, seed: int = 0, size: int = 2) -> Any:
    """A random batch (N, spatial axes, channels) in float64; all samples differ.

    By name, and all different, if there are several inputs.
    """
    rng, inputs = np.random.default_rng(seed), typed.program.inputs
    found = {name: rng.normal(0.0, 1.0, (size, *x.shape)) for name, x in inputs.items()}
    return found if typed.program.several else found[INPUT]
