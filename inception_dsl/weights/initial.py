"""Initial values of single layers, by the initialisers of the spec."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from ..analysis.initial import InitialValue, initial_values
from ..ir.typed import TypedProgram
from ..ir.walk import weighted
from ..types.weight import Weight

DEFAULT = InitialValue("glorot_uniform")
"""Of kernels for which the spec has none; it is that of Keras's layers."""
REST = 0.8796256610342398
"""The standard deviation of a normal distribution that is cut at two standard deviations."""
CONSTANTS = {"gamma": 1.0, "moving_variance": 1.0}


def initial(typed: TypedProgram, paths: Collection[str], seed: int) -> dict[str, Any]:
    """Initial values of the weights at ``paths``, in float64."""
    rng, values, found = np.random.default_rng(seed), initial_values(typed), {}
    for path, node in weighted(typed):
        for weight in node.weights:
            name = "/".join(filter(None, (*path, weight.name)))
            if name in paths:
                found[name] = _value(weight, node.op.op, values.get(name), rng)
    return found


def _value(weight: Weight, op: str, value: InitialValue | None, rng: np.random.Generator) -> Any:
    leaf, shape = weight.name.rpartition("/")[2], tuple(weight.shape)
    if leaf != "kernel":
        number = value.number if value is not None else CONSTANTS.get(leaf, 0.0)
        return np.full(shape, number)
    value = value or DEFAULT
    depthwise = op == "depthwise_conv" or weight.name.startswith("depthwise/")
    window = math.prod(shape[:-2])
    fan_in = window if depthwise else window * shape[-2]
    fan_out = window * (shape[-2] * shape[-1] if depthwise else shape[-1])
    if value.name == "truncated_normal":
        return _truncated(value.number, shape, rng)
    if value.name == "he_normal":
        return _truncated(math.sqrt(2 / fan_in) / REST, shape, rng)
    bound = 3 / fan_in if value.name == "lecun_uniform" else 6 / (fan_in + fan_out)
    return rng.uniform(-math.sqrt(bound), math.sqrt(bound), shape)


def _truncated(stddev: float, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """A normal distribution that is cut at two standard deviations."""
    values = rng.normal(0.0, stddev, shape)
    while np.any(beyond := np.abs(values) > 2 * stddev):
        values[beyond] = rng.normal(0.0, stddev, int(np.count_nonzero(beyond)))
    return values
