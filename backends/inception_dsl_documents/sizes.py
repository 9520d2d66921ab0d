"""Sizes in figures and tables: as text, and those of print."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

COLUMN: Final = 229.4
"""The width of a column of LaTeX's class ``article``, the narrowest of those in use, in points of
TeX, of which an inch has 72.27."""
PAGE: Final = 468.0
"""The width of its text in two columns."""
TEXT: Final = 344.5
"""The same in one column."""


def times(shape: object) -> str:
    """A shape as it is printed: ``35×35×384``."""
    return str(shape).replace("x", "×")


def joined(sizes: Iterable[object]) -> str:
    """Sizes of axes: ``1×7``."""
    return "×".join(map(str, sizes))


def by_axis(sizes: Iterable[int]) -> str:
    """Sizes of axes; one number if all are equal."""
    found = [*sizes]
    return str(found[0]) if len(set(found)) == 1 else joined(found)


def pt(value: float) -> str:
    """Points, with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.005 else "0"
