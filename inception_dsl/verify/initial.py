"""Judges initial values by their mean, deviation, shape of the distribution and bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.initial import InitialValue, initial_values
from ..ir.typed import TypedProgram
from ..ir.walk import weighted

ENOUGH: Final = 200  # values; fewer say too little about a distribution
SIGMAS: Final = 6.0  # a right program fails once in 5e8 comparisons
CONSTANTS: Final = {"gamma": 1.0, "beta": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}
CUT: Final = 0.8796256610342398  # deviation of a standard normal that is cut at 2


class Distribution(NamedTuple):
    """Mean 0; the deviation, the kurtosis (fourth moment by the deviation's), the largest value."""

    deviation: float
    kurtosis: float
    bound: float


def distribution(found: InitialValue, shape: tuple[int, ...], *, depthwise: bool) -> Distribution:
    """The distribution of a kernel (spatial axes, input, output channels)."""
    window, inputs, filters = math.prod(shape[:-2]), shape[-2], shape[-1]
    if depthwise:  # (spatial axes, channels, multiplier)
        inputs, filters = 1, inputs * filters
    fan_in, fan_out = window * inputs, window * filters
    if found.name == "truncated_normal":
        return Distribution(CUT * found.number, 2.3656, 2 * found.number)
    if found.name == "he_normal":
        deviation = math.sqrt(2 / fan_in)
        return Distribution(deviation, 2.3656, 2 * deviation / CUT)
    total = fan_in / 3 if found.name == "lecun_uniform" else (fan_in + fan_out) / 6
    return Distribution(math.sqrt(1 / total / 3), 1.8, math.sqrt(1 / total))


def initial_problems(typed: TypedProgram, values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with new initial values."""
    chosen = initial_values(typed)
    for path, node in weighted(typed):
        for weight in node.weights:
            full = "/".join((*path, weight.name))
            if full not in values:
                continue
            wanted = chosen.get(full)
            constant = CONSTANTS.get(weight.name.rpartition("/")[2])
            if wanted is not None and wanted.name == "constant":
                constant = wanted.number
            if constant is not None:
                if not np.allclose(values[full], constant, rtol=1e-6, atol=0):
                    yield f"the initial value of {full} is not {constant:g}"
            elif wanted is not None:
                depthwise = node.op.op == "depthwise_conv" or weight.name.startswith("depthwise/")
                shape = tuple(weight.shape)
                yield from _kernel(
                    full, values[full], distribution(wanted, shape, depthwise=depthwise)
                )


def _kernel(path: str, value: Any, wanted: Distribution) -> Iterator[str]:
    if value.size < ENOUGH:
        return
    n, mean = value.size, float(value.mean())
    squares = np.square(value - mean)
    variance = float(squares.mean())
    deviation = math.sqrt(variance)
    kurtosis = float(np.square(squares).mean()) / variance**2 if variance else 0.0
    largest = float(np.abs(value).max())
    if abs(mean) > SIGMAS * wanted.deviation / math.sqrt(n):
        yield f"the initial values of {path} have the mean {mean:.3g}, expected 0"
    elif abs(deviation / wanted.deviation - 1) > SIGMAS * math.sqrt(
        (wanted.kurtosis - 1) / (4 * n)
    ):
        yield (
            f"the initial values of {path} have the standard deviation {deviation:.3g}, "
            f"expected {wanted.deviation:.3g}"
        )
    elif abs(kurtosis - wanted.kurtosis) > SIGMAS * math.sqrt(24 / n):
        yield (
            f"the initial values of {path} have the kurtosis {kurtosis:.2f}, "
            f"expected {wanted.kurtosis:.2f}"
        )
    elif largest > wanted.bound * (1 + 1e-5):
        yield (
            f"the initial values of {path} reach {largest:.3g}, expected at most {wanted.bound:.3g}"
        )
