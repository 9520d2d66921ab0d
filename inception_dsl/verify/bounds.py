"""Errors and bounds, relative to the largest absolute value of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

FLOAT64: Final = 1e-10
GRADIENT64: Final = 1e-8
FLOAT32: Final = 1e-5
LEAST: Final = 1e-4
"""The smallest unit for the gradients of a layer, relative to the network's largest gradient."""

PARTS: Final = ("conv", "bn", "depthwise", "pointwise")  # parts of conv_bn and separable_conv


def distance(found: Any, reference: Any, unit: Any = None) -> float:
    """The largest difference, relative to the largest value of the reference, or of ``unit``.

    Infinite if the shapes differ or ``found`` has NaN or infinite values.
    """
    found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    if found.shape != reference.shape or not np.isfinite(found).all():
        return float("inf")
    largest = float(np.abs(reference if unit is None else unit).max(initial=0.0))
    return float(np.abs(found - reference).max(initial=0.0)) / (largest or 1.0)


def allowed(rounding: float) -> float:
    """The bound in float32: 4 times the rounding error of the exact framework, at least 1e-5.

    ``rounding`` is the error of its float32 results relative to its float64 results.
    """
    return max(FLOAT32, 4 * rounding)


def gradient_errors(found: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, float]:
    """The relative error of every gradient by path.

    Infinite if a gradient is missing, unexpected, or has the wrong shape.

    The unit is the largest reference gradient of the same layer, but at least 1e-4 of the largest
    in the network. The gradient itself is not a suitable unit: for a bias before batch norm it is
    zero except for rounding errors, and for a layer before an op without gradient it is exactly
    zero.
    """
    layers: dict[str, float] = {}
    for path, gradient in reference.items():
        layers[layer(path)] = max(
            layers.get(layer(path), 0.0), float(np.abs(gradient).max(initial=0.0))
        )
    least = LEAST * max(layers.values(), default=0.0)
    errors = dict.fromkeys(found.keys() ^ reference.keys(), float("inf"))
    for path in found.keys() & reference.keys():
        value, wanted = np.asarray(found[path], np.float64), np.asarray(reference[path], np.float64)
        if value.shape != wanted.shape or not np.isfinite(value).all():
            errors[path] = float("inf")
        else:
            unit = max(layers[layer(path)], least) or 1.0
            errors[path] = float(np.abs(value - wanted).max(initial=0.0)) / unit
    return errors


def layer(path: str) -> str:
    """The layer of a weight: its path without its name, and without the part of a composite op.

    Separate steps that the spec names ``conv`` and ``bn`` count as one layer, too.
    """
    *parent, _ = path.split("/")
    return "/".join(parent[:-1] if parent and parent[-1] in PARTS else parent)
