"""Finds results that are zero except for rounding errors: no digit of them can be compared.

The terms of such a result cancel, as in the mean over the channels after a layer norm, or the
variance of equal values. What is left depends on the order of the computation, so that an error
relative to it says nothing. As in stochastic arithmetic (Vignes, "A stochastic arithmetic for
reliable scientific computation", 1993), the reference is computed again with rounding errors added
to all values that an op reads: where all digits change, the result is zero, and the change is the
largest value that rounding can leave there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from ..reference.arrays import Noise
from .bounds import FLOAT64, distance

DRAWS: Final = 4  # of rounding errors, as one may have no effect by chance
ULPS: Final = 16.0  # a framework may add many terms in a row, and rounds after each
SUSPECT: Final = {"float64": FLOAT64, "float32": 1e-3}
"""Relative errors above which a result may be zero: only then it is computed again."""

_Key = TypeVar("_Key")
Draw: TypeAlias = Callable[[Noise], Mapping[_Key, float]]
"""The relative errors of the reference itself, computed with rounding errors added."""


def without_zeros(
    errors: Mapping[_Key, float], draw: Draw[_Key], dtype: str = "float64"
) -> dict[_Key, float]:
    """``errors`` relative to the reference in float64, as found in ``dtype``.

    They are 0 for a result that is zero except for rounding, if rounding in ``dtype`` may leave
    what was found. All other results keep their errors.
    """
    found = dict(errors)
    suspects = {key for key, e in found.items() if SUSPECT[dtype] < e < math.inf}
    if suspects:
        exact = _largest(draw, "float64")
        zeros = {key for key in suspects if exact.get(key, 0.0) >= 1}
        left = _largest(draw, dtype) if zeros and dtype != "float64" else exact
        found |= {key: 0.0 for key in zeros if found[key] <= left[key]}
    return found


def apart(
    found: Mapping[str, Any], reference: Callable[[Noise | None], Mapping[str, Any]]
) -> dict[str, float]:
    """The errors of results in float64, relative to a ``reference`` that has the same names."""
    wanted = reference(None)

    def errors(values: Mapping[str, Any]) -> dict[str, float]:
        return {name: distance(values[name], wanted[name]) for name in found}

    return without_zeros(errors(found), lambda noise: errors(reference(noise)))


def _largest(draw: Draw[_Key], dtype: str) -> dict[_Key, float]:
    """The largest error of each result in some draws, with values off by up to ``ULPS``."""
    rng, largest = np.random.default_rng(0), dict[_Key, float]()
    eps = float(np.finfo(dtype).eps)

    def noise(value: Any) -> Any:
        return value * (1 + ULPS * eps * rng.uniform(-1, 1, np.shape(value)))

    for _ in range(DRAWS):
        for key, error in draw(noise).items():
            largest[key] = max(largest.get(key, 0.0), error)
    return largest
