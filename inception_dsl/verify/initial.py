"""Judges initial values by their mean, deviation, shape of the distribution and bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from ..backend.protocol import Model
from ..ir.program import Initializer
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program

ENOUGH: Final = 200  # values; fewer say too little about a distribution
SIGMAS: Final = 6.0  # a right program fails once in 5e8 comparisons
CONSTANTS: Final = {"gamma": 1.0, "beta": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}
CUT: Final = 0.8796256610342398  # deviation of a standard normal that is cut at 2


class Distribution(NamedTuple):
    """Mean 0; the deviation, the kurtosis (fourth moment by the deviation's), the largest value."""

    deviation: float
    kurtosis: tuple[float, ...]
    bound: float


def distribution(found: Initializer, shape: tuple[int, ...]) -> Distribution | None:
    """What the spec says of a kernel (spatial axes, input, output channels)."""
    fan_in, fan_out = math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]
    if found.name == "truncated_normal":
        return Distribution(CUT * found.stddev, (2.3656,), 2 * found.stddev)
    if found.name == "glorot_uniform":
        bound = math.sqrt(6 / (fan_in + fan_out))
        return Distribution(bound / math.sqrt(3), (1.8,), bound)
    if found.name == "he_normal":  # cut at two deviations in Keras, not in PyTorch
        return Distribution(math.sqrt(2 / fan_in), (2.3656, 3.0), math.inf)
    return None


def initial_problems(typed: TypedProgram, model: Model) -> Iterator[str]:
    """What is wrong with new initial values; they depend on the spec's ``training`` only."""
    values, training = model.initial(), typed.program.training
    chosen = training.initializer if training else None
    for path, node in walk_program(typed):
        if not isinstance(node, TypedOp):
            continue
        for weight in node.op.weights(node.x):
            name, full = weight.name.rsplit("/", 1)[-1], "/".join((*path, weight.name))
            if full not in values:
                continue
            constant = CONSTANTS.get(name)
            if name == "bias" and chosen:
                constant = chosen.bias
            if constant is not None:
                if not np.allclose(values[full], constant, rtol=1e-6):
                    yield f"the initial value of {full} is not {constant:g}"
            elif name == "kernel" and chosen and "depthwise" not in (node.op.op, *full.split("/")):
                yield from _kernel(full, values[full], distribution(chosen, tuple(weight.shape)))


def _kernel(path: str, value: Any, wanted: Distribution | None) -> Iterator[str]:
    if wanted is None or value.size < ENOUGH:
        return
    n, deviation = value.size, float(value.std())
    kurtosis = float(((value - value.mean()) ** 4).mean() / deviation**4) if deviation else 0.0
    largest = float(np.abs(value).max())
    widest = max(wanted.kurtosis)
    if abs(value.mean()) > SIGMAS * wanted.deviation / math.sqrt(n):
        yield f"the initial values of {path} have the mean {value.mean():.3g}, expected 0"
    elif abs(deviation / wanted.deviation - 1) > SIGMAS * math.sqrt((widest - 1) / (4 * n)):
        yield (
            f"the initial values of {path} have the standard deviation {deviation:.3g}, "
            f"expected {wanted.deviation:.3g}"
        )
    elif all(abs(kurtosis - k) > SIGMAS * math.sqrt(24 / n) for k in wanted.kurtosis):
        yield (
            f"the initial values of {path} have the kurtosis {kurtosis:.2f}, "
            f"expected {wanted.kurtosis[0]:.2f}"
        )
    elif largest > wanted.bound * (1 + 1e-5):
        yield (
            f"the initial values of {path} reach {largest:.3g}, expected at most {wanted.bound:.3g}"
        )
