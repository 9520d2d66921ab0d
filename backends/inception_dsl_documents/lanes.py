"""Branches that begin after an earlier step: on which side of the column their lines run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from .tree import Fork, Item

_MOST: Final = 8
"""Of the lines of one fork, how many get the best sides; more are all on the left."""


class Lane(NamedTuple):
    """A line beside a column, from the item ``source`` to a branch of the fork ``target``.

    ``side`` is -1 for the left. A negative ``source`` is in a column before, and a ``target`` after
    the last item in a later one: such lines are at the right.
    """

    source: int
    target: int
    branch: int
    side: int

    def overlaps(self, other: Lane) -> bool:
        """Whether both are beside the same part of the column."""
        return self.source < other.target and other.source < self.target


def lanes_of(
    items: Sequence[Item],
    axes: Mapping[int, Sequence[float]],
    first: int = 0,
    heads: Collection[int] = (),
    passing: Collection[int] = (),
) -> list[Lane]:
    """The lines of a chain, those nearer to the column first; ``axes`` are those of the branches
    of its forks. ``first`` is the index of the first of these items in the chain; ``heads`` are
    the items after which a head begins, at the right, and ``passing`` those of which a line goes
    on in a later column.
    """
    found = [Lane(source, len(items), 0, 1) for source in passing]
    for target, item in enumerate(items):
        if isinstance(item, Fork):
            begun = ((n, b.after) for n, b in enumerate(item.branches))
            starts = [(n, after - first) for n, after in begun if after is not None]
            found += _best(target, starts, len(axes[target]), found, heads)
    return sorted(found, key=lambda lane: (lane.target - lane.source, -lane.side * lane.branch))


def arrivals(started: Collection[int], axes: Sequence[float]) -> dict[int, int]:
    """The order in which the lines of these branches arrive: those of outer ones nearer to them."""
    ordered = sorted(started, key=lambda number: abs(axes[number]))
    return {number: level for level, number in enumerate(ordered)}


def _best(
    target: int,
    starts: Sequence[tuple[int, int]],
    branches: int,
    placed: Sequence[Lane],
    heads: Collection[int],
) -> list[Lane]:
    """The lanes of one fork on the sides with the fewest crossings; outer branches outside."""
    choices = (
        product((-1, 1), repeat=len(starts))
        if len(starts) <= _MOST
        else [tuple(1 if start < 0 else -1 for _, start in starts)]
    )
    middle = (branches - 1) / 2
    best: tuple[tuple[int, float], list[Lane]] | None = None
    for sides in choices:
        if any(start < 0 and side < 0 for (_, start), side in zip(starts, sides, strict=True)):
            continue
        lanes = [Lane(s, target, b, e) for (b, s), e in zip(starts, sides, strict=True)]
        away = sum(abs(lane.branch - (0 if lane.side < 0 else 2 * middle)) for lane in lanes)
        right = (lane for lane in lanes if lane.side > 0)
        lines = sum(lane.source < head < target for lane in right for head in heads)
        cost = (_crossings(lanes, branches, placed) + lines, away)
        if best is None or cost < best[0]:
            best = cost, lanes
    return best[1] if best else []


def _crossings(lanes: Sequence[Lane], branches: int, placed: Sequence[Lane]) -> int:
    """How many lines cross: a lane and the branches outside of its own, or other lanes."""
    own = {lane.branch for lane in lanes}
    count = 0
    for lane in lanes:
        outside = range(lane.branch) if lane.side < 0 else range(lane.branch + 1, branches)
        count += sum(number not in own for number in outside)
        for other in lanes:
            later = other.source > lane.source or other.side != lane.side
            count += other.branch in outside and later
        for other in placed:
            apart = other.source < lane.source < other.target <= lane.target
            count += other.side == lane.side and apart and other.target != lane.source
    return count
