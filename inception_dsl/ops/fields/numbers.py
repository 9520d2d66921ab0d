"""The checks of numbers, and floats that expressions give."""

import math
from collections.abc import Callable
from typing import Any, Final

from . import guess
from .refusal import refuse, shown

ROUNDED: Final = "round it with `round(…)`, `floor(…)` or `ceil(…)`"


class Computed(float):
    """A float that an expression gives. It is an integer if it has no fraction."""

    def as_integer(self) -> Any:
        """The integer, or the same value if it has a fraction."""
        return int(self) if self.is_integer() else self


def integer(low: int, high: int) -> Callable[[Any], int]:
    """A check for integers in a range, ends included."""

    def check(value: Any) -> int:
        if isinstance(value, Computed):
            value = value.as_integer()
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            write = guess.number(value, low, high)
            message = f"expected an integer from {low} to {high}, found {shown(value)}"
            help = ROUNDED if isinstance(value, Computed) else write and f"write `{write}`"
            raise refuse(message, help=help, write=write)
        return value

    return check


def real(
    low: float, high: float, *, open_low: bool = False, open_high: bool = False
) -> Callable[[Any], float]:
    """A check for numbers in a range; ``open_low`` and ``open_high`` exclude its ends."""
    left, right = (">" if open_low else ">="), ("<" if open_high else "<=")
    limits = f"{left} {low:.10g} and {right} {high:.10g}"

    def fits(value: float) -> bool:
        return (
            low <= value <= high
            and not (open_low and value == low)
            and not (open_high and value == high)
        )

    def check(value: Any) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or not fits(value)
        ):
            message = f"expected a number {limits}, found {shown(value)}"
            write = guess.share(value)
            write = write if write and fits(float(write)) else ""
            raise refuse(message, help=write and f"write `{write}`", write=write)
        return float(value)

    return check
