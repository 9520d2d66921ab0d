"""How far two computations of the same network may lie apart, in units of the reference's largest value."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

FLOAT64: Final = 1e-10
FLOAT32: Final = 1e-5


def distance(found: Any, reference: Any) -> float:
    """The largest difference in units of the reference's largest value; infinite where the shapes differ."""
    found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    if found.shape != reference.shape or not np.isfinite(found).all():
        return float("inf")
    largest = float(np.abs(reference).max(initial=0.0))
    return float(np.abs(found - reference).max(initial=0.0)) / (largest or 1.0)
