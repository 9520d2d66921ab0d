"""Conditions on the number of pixels of the input on one axis, and the sizes that fulfil them.

Sets of sizes are bits of an integer: bit ``n`` is the size ``n``, up to the largest that a spec can
have and one period more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from ..types.tensor import MAX_SIZE
from ..types.window import Pixels

_PERIOD: Final = 5_000
"""The longest period that gaps of several periods are joined to."""
_LIMIT: Final = MAX_SIZE + 2 * _PERIOD


class Gap(NamedTuple):
    """Sizes that do not run: ``length`` from ``start``, again every ``period`` pixels if not 0."""

    start: int
    length: int
    period: int

    def has(self, size: int) -> bool:
        """Whether this size is one of them."""
        beyond = size - self.start
        return beyond >= 0 and (beyond % self.period if self.period else beyond) < self.length


class AxisSizes(NamedTuple):
    """The sizes of one axis that run: from ``least`` to ``most`` (or all above), without gaps.

    ``fixed``: layers have weights for the length of a flattened map.
    """

    least: int
    most: int | None = None
    gaps: tuple[Gap, ...] = ()
    fixed: bool = False

    def fits(self, size: int) -> bool:
        """Whether an input of this size runs."""
        if size < self.least or (self.most is not None and size > self.most):
            return False
        return not any(gap.has(size) for gap in self.gaps)


@dataclass
class Conditions:
    """Conditions on the input's pixels on one axis; ``possible``: some size may fulfil them."""

    least: int = 1
    most: float = math.inf
    possible: bool = True
    pairs: set[tuple[Pixels, Pixels]] = field(default_factory=set)
    fixed: bool = False

    def copy(self) -> Conditions:
        """The conditions so far."""
        return replace(self, pairs={*self.pairs})

    def at_least(self, pixels: Pixels, least: int) -> None:
        """``pixels`` are at least so many."""
        if pixels.stride:
            self.least = max(self.least, pixels.least(least))
        elif pixels.offset < least:
            self.possible = False

    def exactly(self, *maps: tuple[Pixels, int]) -> None:
        """Each has exactly so many pixels."""
        for pixels, wanted in maps:
            self.at_least(pixels, wanted)
            if pixels.stride:
                self.most = min(self.most, pixels.least(wanted + 1) - 1)
            elif pixels.offset != wanted:
                self.possible = False

    def equal(self, one: Pixels, other: Pixels) -> None:
        """Both are the same number of pixels."""
        if one == other:
            return
        if not other.stride:
            self.exactly((one, other.offset))
        elif _plain(one, other) and abs(one.offset - other.offset) >= one.stride:
            self.possible = False
        else:
            self.pairs.add((min(one, other), max(one, other)))

    def fulfilled(self, low: int, high: float) -> int:
        """The sizes from ``low`` to ``high`` that fulfil the conditions."""
        if not self.possible:
            return 0
        found = _range(max(low, self.least), min(high, self.most))
        for gap in self.gaps() if found else ():
            found &= ~_again(gap)
        for one, other in self.pairs if found else ():
            if not _periods(one, other):
                found &= _equal(*sorted((one, other), key=lambda pixels: pixels.stride))
        return found

    def gaps(self) -> list[Gap]:
        """The sizes at which maps differ, if periodic; each goes on below its start."""
        found = [gap for one, other in self.pairs for gap in _differing(one, other)]
        joined: list[Gap] = []
        for gap in sorted(found, key=lambda gap: (gap.period, gap.start)):
            last = joined[-1] if joined else gap._replace(period=0)
            if gap.period == last.period and gap.start <= last.start + last.length:
                length = max(last.length, gap.start + gap.length - last.start)
                joined[-1] = last._replace(length=length)
            else:
                joined.append(gap)
        return joined


class Piece(NamedTuple):
    """The sizes from ``low`` to ``high``, all of which have the same conditions."""

    low: int
    high: float
    conditions: Conditions


def axis_sizes(pieces: list[Piece]) -> AxisSizes:
    """The sizes that run; ``pieces`` begin with the one that has no end."""
    top = pieces[0].conditions
    upper = top.fulfilled(pieces[0].low, pieces[0].high)
    sizes = upper
    for low, high, conditions in pieces[1:]:
        sizes |= conditions.fulfilled(low, high)
    first, most = _lowest(upper), (sizes & _range(1, MAX_SIZE)).bit_length() - 1
    if first > MAX_SIZE or not all(_periods(one, other) for one, other in top.pairs):
        gaps, endless = [*_between(sizes, most)], most == MAX_SIZE
    else:
        period, after = _periodic(top, first)
        endless = top.most == math.inf and period <= _PERIOD
        after = [gap for gap in after if endless or gap.start < most]
        gaps = [*_between(sizes, first), *after]
    return AxisSizes(_lowest(sizes), None if endless else most, tuple(gaps), top.fixed)


def _periodic(conditions: Conditions, first: int) -> tuple[int, list[Gap]]:
    """The fewest gaps above ``first``, a size that runs, and their common period."""
    gaps = conditions.gaps()
    period = math.lcm(*(gap.period for gap in gaps))
    gaps = [gap._replace(start=first + (gap.start - first) % gap.period) for gap in gaps]
    if period > _PERIOD:
        return period, gaps
    sizes = replace(conditions, most=math.inf).fulfilled(first, first + 2 * period) >> first
    for shorter in sorted({gap.period for gap in gaps}):
        if not (sizes ^ sizes >> shorter) & _range(0, period):
            period = shorter
            break
    joined = [gap._replace(start=first + gap.start) for gap in _between(sizes, period, period)]
    return period, min(gaps, joined, key=len)


def _lowest(sizes: int) -> int:
    """The smallest of some sizes; a size that none has, if there are none."""
    return (sizes & -sizes).bit_length() - 1 if sizes else _LIMIT


def _range(low: int, high: float) -> int:
    """The sizes from ``low`` to ``high``."""
    low, high = max(low, 0), min(high, _LIMIT)
    return (1 << int(high) + 1) - (1 << low) if low <= high else 0


def _again(gap: Gap) -> int:
    """The sizes in a gap and all its repetitions, also below its start."""
    start, length, period = gap
    found = _range(start, start + length - 1) | _range(0, start + length - 1 - period)
    while period <= _LIMIT:
        found |= found << period
        period *= 2
    return found & _range(0, _LIMIT)


def _plain(one: Pixels, other: Pixels) -> bool:
    """Whether both are ``(n + offset) // stride`` with one stride."""
    return one[1:] == other[1:] and one.factor == 1 and not one.before


def _periods(one: Pixels, other: Pixels) -> int:
    """The period of the sizes at which maps have the same pixels.

    0 if there is none, as one of them grows faster, or if it is longer than all sizes.
    """
    (inputs, outputs), (others, more) = one.cycle, other.cycle
    period = math.lcm(inputs, others)
    return period if inputs * more == others * outputs and period <= _LIMIT else 0


@lru_cache(maxsize=4096)
def _differing(one: Pixels, other: Pixels) -> tuple[Gap, ...]:
    """The sizes of one period at which maps differ; none if there is no period."""
    if _plain(one, other):
        return (Gap(-other.offset % one.stride, other.offset - one.offset, one.stride),)
    period = _periods(one, other)
    bits = "".join("01"[one.at(n) != other.at(n)] for n in range(period))
    found = re.finditer("1+", bits)
    return tuple(Gap(ones.start(), ones.end() - ones.start(), period) for ones in found)


@lru_cache(maxsize=4096)
def _equal(one: Pixels, other: Pixels) -> int:
    """The sizes at which maps have the same pixels; the stride of ``one`` is the smaller."""
    if one.stride == other.stride or one[2:] != (1, ()) or other[2:] != (1, ()):
        same = "".join("01"[one.at(n) == other.at(n)] for n in range(_LIMIT, -1, -1))
        return int(same, 2)
    slower = other.stride - one.stride
    first = -((one.offset - other.offset + other.stride - 1) // slower)
    last = min((other.offset - one.offset + one.stride - 1) // slower, one.at(_LIMIT))
    found = 0
    for pixels in range(max(first, 0), last + 1):
        low = max(p.stride * pixels - p.offset for p in (one, other))
        high = min(p.stride * (pixels + 1) - p.offset - 1 for p in (one, other))
        found |= _range(low, high)
    return found


def _between(sizes: int, most: int, period: int = 0) -> Iterator[Gap]:
    """The gaps between the smallest of ``sizes`` and ``most``."""
    bits = f"{sizes & _range(0, most):b}"[::-1]
    for zeros in re.finditer("(?<=1)0+(?=1)", bits):
        yield Gap(zeros.start(), zeros.end() - zeros.start(), period)
