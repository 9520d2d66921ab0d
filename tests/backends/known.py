"""Defects of the frameworks that remain: each with the versions it was seen in, and the cases that show it.

A case listed here must fail in float64; when a framework mends the defect, the test says so.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Defect(NamedTuple):
    """A defect: the backend whose framework has it, the cases that show it in float64, and what it is."""

    backend: str
    cases: str
    reason: str


DEFECTS = (
    Defect("keras", r"(max|avg|adaptive_avg)_pool-3d-.*", "TensorFlow 2.21 has no 3-D pool in float64 on a CPU"),
    Defect("keras", r".*leaky_relu.*(?<!0\.0})", "TensorFlow 2.21 keeps the slope of leaky_relu in float32"),
    Defect(
        "keras", r"(activation|conv|conv_bn|vector)-gelu", "TensorFlow 2.21 computes gelu with constants in float32"
    ),
)


def defect(backend: str, case: str) -> str:
    """The reason why ``case`` fails in float64, or nothing."""
    return next((d.reason for d in DEFECTS if d.backend == backend and re.fullmatch(d.cases, case)), "")
