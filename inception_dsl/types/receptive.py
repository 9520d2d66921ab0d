"""Receptive fields: which pixels of an earlier map the positions of a map depend on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple


class ReceptiveField(NamedTuple):
    """The pixels of one axis that each position of a map depends on, from the first to the last.

    A window over padding sees pixels before 0, so the size does not depend on the size of the map.
    ``firsts`` and ``lasts`` are those of the positions 0, 1, and so on; after these, every position
    sees ``step`` pixels further than the position ``len(firsts)`` before. If ``step`` is none,
    there are no further positions, and what is broadcast sees the same everywhere.
    """

    firsts: tuple[int, ...] = (0,)
    lasts: tuple[int, ...] = (0,)
    step: int | None = 1

    def first(self, position: int) -> int:
        """The first pixel; after the last one if the position depends on none."""
        return self._at(self.firsts, position)

    def last(self, position: int) -> int:
        """The last pixel."""
        return self._at(self.lasts, position)

    def _at(self, pixels: tuple[int, ...], position: int) -> int:
        if self.step is None:
            return pixels[min(max(position, 0), len(pixels) - 1)]
        rounds, index = divmod(position, len(pixels))
        return pixels[index] + rounds * self.step

    @property
    def size(self) -> int:
        """The number of pixels from the first to the last, of the position that has most."""
        pairs = zip(self.firsts, self.lasts, strict=True)
        return max(max(last - first + 1 for first, last in pairs), 0)

    @property
    def stride(self) -> Fraction | None:
        """The pixels between the windows of neighbours; none if the field is that of all."""
        return None if self.step is None else Fraction(self.step, len(self.firsts))

    @property
    def padding(self) -> int:
        """The pixels before the map that the first position sees: the effective padding."""
        return -self.first(0)

    @property
    def whole(self) -> bool:
        """Whether all positions see the same."""
        return self.step is None and len(self.firsts) == 1

    def then(self, following: ReceptiveField, size: int) -> ReceptiveField:
        """What a map of ``size`` pixels sees through this one, of which it sees ``following``."""
        count, step = len(following.firsts), following.step
        if step is not None and self.step is not None and count == len(self.firsts) == 1:
            return self._regular(following, step * self.step)  # for speed: most layers
        if step is not None:
            if self.step is None:
                count, step = size, None
            else:
                period = len(self.firsts)
                times = period // math.gcd(period, step)
                count, step = count * times, self.step * (step * times // period)
        return _listed(count, step, lambda p: self._through(following.first(p), following.last(p)))

    def _regular(self, following: ReceptiveField, step: int) -> ReceptiveField:
        """As :meth:`then`, where all positions of both see the same but for the shift."""
        first, last = self._through(following.firsts[0], following.lasts[0])
        return ReceptiveField((first,), (last,), step)

    def _through(self, first: int, last: int) -> tuple[int, int]:
        """The pixels that the positions from ``first`` to ``last`` see.

        Those at the ends that see nothing, as in a transposed convolution, may be anywhere.
        """
        start = self.first(first)
        if first > last:
            return start, start - 1
        for _ in range(len(self.firsts) - 1):
            first += first < last and self.first(first) > self.last(first)
            last -= first < last and self.first(last) > self.last(last)
        return self.first(first), self.last(last)


def whole(size: int) -> ReceptiveField:
    """Every position sees all of ``size`` pixels."""
    return ReceptiveField((0,), (size - 1,), None)


def joined(fields: Sequence[ReceptiveField], size: int) -> ReceptiveField:
    """What the merge of maps sees, if it has ``size`` pixels."""
    if len(set(fields)) == 1:
        return fields[0]
    if all(field.whole for field in fields):
        size = 1
    count, step, stride = size, None, fields[0].stride
    if stride is not None and all(field.stride == stride for field in fields):
        count = math.lcm(*(len(field.firsts) for field in fields))
        step = int(count * stride)

    def union(position: int) -> tuple[int, int]:
        seen = [(field.first(position), field.last(position)) for field in fields]
        found = [pair for pair in seen if pair[0] <= pair[1]] or seen
        return min(first for first, _ in found), max(last for _, last in found)

    return _listed(count, step, union)


def _listed(count: int, step: int | None, seen: Callable[[int], tuple[int, int]]) -> ReceptiveField:
    found = [seen(position) for position in range(count)]
    if step is None and len(set(found)) == 1:
        found = found[:1]
    firsts, lasts = zip(*found, strict=True)
    return ReceptiveField(firsts, lasts, step)
