"""The width of a network: a factor of all numbers of filters, and how they are rounded."""

from __future__ import annotations

from typing import Final, NamedTuple

KEPT: Final = 0.9  # a number of channels is rounded down to no less than this share of it


class Width(NamedTuple):
    """``factor`` scales every number of filters; ``None`` leaves them as they are.

    Results are rounded to multiples of ``divisor``, at least ``minimum``.
    """

    factor: float | None = None
    divisor: int = 1
    minimum: int = 1

    @property
    def note(self) -> str:
        """What the width does, as a sentence."""
        by = f" to multiples of {self.divisor}" if self.divisor > 1 else ""
        return f"All numbers of filters are multiplied by {self.factor:g} and rounded{by}."

    def count(self, value: float) -> int:
        """The number of channels for a computed number.

        The nearest multiple of the divisor, halves up, but at least the minimum; with a divisor
        above 1, the next multiple if that is less than 90% of ``value`` (as in the code of
        MobileNetV2, Sandler et al. 2018).
        """
        by = self.divisor
        found = max(self.minimum, int(value + by / 2) // by * by)
        return found if by == 1 or found >= KEPT * value else found + by

    def channels(self, value: float, *, scaled: bool) -> int:
        """The number of channels for a value; ``scaled``: the factor applies to it."""
        if scaled and self.factor is not None:
            return self.count(value * self.factor)
        return self.count(value) if isinstance(value, float) else value

    def unscaled(self, channels: int) -> int:
        """A number of filters that gives these channels; 0 if there is none."""
        near = channels / (self.factor or 1)
        found = (n for n in (round(near), int(near), int(near) + 1) if n > 0)
        return next((n for n in found if self.channels(n, scaled=True) == channels), 0)


UNCHANGED: Final = Width()
"""The width of a network that sets none."""
