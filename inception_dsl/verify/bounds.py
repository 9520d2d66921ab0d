"""How far two computations of the same network may lie apart, in units of the reference's largest
value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

FLOAT64: Final = 1e-10
GRADIENT64: Final = 1e-8
FLOAT32: Final = 1e-5
LEAST: Final = 1e-4
"""The least unit of a layer's gradients, as a share of the largest gradient in the network."""

PARTS: Final = ("conv", "bn", "depthwise", "pointwise")  # of conv_bn and separable_conv


def distance(found: Any, reference: Any) -> float:
    """The largest difference in units of the reference's largest value.

    Infinite where the shapes differ.
    """
    found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    if found.shape != reference.shape or not np.isfinite(found).all():
        return float("inf")
    largest = float(np.abs(reference).max(initial=0.0))
    return float(np.abs(found - reference).max(initial=0.0)) / (largest or 1.0)


def allowed(rounding: float) -> float:
    """The bound in float32, given how far the reference framework's own float32 lies from its
    float64.
    """
    return max(FLOAT32, 4 * rounding)


def gradient_errors(found: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, float]:
    """The largest difference of every gradient by path.

    Infinite where one is missing, left over or misshapen.

    The unit is the largest value of the reference's gradients in the same layer, and at least 1e-4
    of that in the whole network. A gradient alone is no unit: that of a bias in front of batch norm
    is zero but for rounding, and rounding is proportional to what flows through the layer; nor is
    that of a layer in front of what passes no gradient on.
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
    """The layer that a weight belongs to.

    Its path less its name, and less the part of a composite op.

    A convolution and a batch norm that a spec itself calls ``conv`` and ``bn``, side by side, are
    one layer too.
    """
    *parent, _ = path.split("/")
    return "/".join(parent[:-1] if parent and parent[-1] in PARTS else parent)
