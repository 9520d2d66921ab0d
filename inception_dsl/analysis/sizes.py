"""The input sizes that a typed program accepts.

Axes are independent. On each, the pixels of every map are a function of the input's pixels
(:class:`Pixels`), so that a few conditions say which sizes run: each window needs a least size,
branches that meet must have maps of one size, and a layer whose weights depend on the length of a
flattened map needs the size of the spec.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ..ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ops import Flatten
from ..types.window import Pixels

_TRIED, _LAYERS, _COMPARED = 200, 50_000, 5_000
"""Limits on time: sizes below and above the spec's that are tried one by one, where maps are
broadcast, and the layers that are followed for that; and sizes that are compared, where those that
run are finite and follow no period.
"""


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


Sizes: TypeAlias = tuple[AxisSizes, ...]


class RunningSizes(NamedTuple):
    """The sizes of each axis that run: up to the head, with it, and with auxiliary heads too."""

    features: Sizes
    inference: Sizes
    training: Sizes


@lru_cache(maxsize=16)
def running_sizes(typed: TypedProgram) -> RunningSizes:
    """The sizes that run; those of the spec's input are always among them."""
    found = [_axis(typed, axis) for axis in range(typed.program.input.rank)]
    features, inference, training = zip(*found, strict=True) if found else ((), (), ())
    return RunningSizes(features, inference, training)


def minimum_input(typed: TypedProgram, *, heads: bool = False) -> tuple[int, ...]:
    """The smallest spatial sizes that run; ``heads`` includes the auxiliary heads."""
    sizes = running_sizes(typed)
    return tuple(axis.least for axis in (sizes.training if heads else sizes.inference))


def _axis(typed: TypedProgram, axis: int) -> list[AxisSizes]:
    """One axis up to the head, with it, and with auxiliary heads.

    Where maps are broadcast only for some sizes, these are tried one by one.
    """
    size = typed.program.input.spatial[axis]
    walk, stages = _followed(typed, axis, Pixels())
    chains = [*typed.sections.values(), *(chain for _, chain in typed.heads)]
    tries = min(_TRIED, _LAYERS // (1 + sum(chain.size for chain in chains)))
    own = range(max(1, size - tries), size + 1 + tries)
    tried = range(1, walk.broadcast) if walk.broadcast <= len(own) else own
    running = {n: _followed(typed, axis, Pixels(n, 0))[1] for n in tried}
    return [
        stage.sizes(size, tried.stop, [n for n in tried if running[n][number].possible])
        for number, stage in enumerate(stages)
    ]


def _followed(typed: TypedProgram, axis: int, pixels: Pixels) -> tuple[_Walk, list[_Conditions]]:
    """A walk through the program, and the conditions up to the head, with it, with all heads."""
    walk, after = _Walk(axis, typed.program.input.rank), dict[str, _Tensor]()
    stages, x = [], _Tensor(pixels)
    for name, chain in typed.sections.items():
        if name == "head":
            stages.append(walk.conditions.copy())
        for step in chain.steps:
            x = walk.step(step, x)
            after |= dict.fromkeys(step.node.segments[-1:], x)
    stages.append(walk.conditions.copy())
    for head, chain in typed.heads:
        walk.chain(chain, after[head.after])
    return walk, [*stages[:1], stages[-1], walk.conditions]


class _Tensor(NamedTuple):
    """A map by its ``pixels``; or a vector, and the maps that it holds flattened, each with the
    pixels that it has for the spec's input.
    """

    pixels: Pixels | None
    flattened: frozenset[tuple[Pixels, int]] = frozenset()


_VECTOR = _Tensor(None)
_ONE = Pixels(1, 0)


class _Walk:
    """Follows the pixels on one axis through a program, and collects the conditions on its input.

    A chain is followed once for each map that enters it. Axes of one pixel are broadcast; below
    ``broadcast`` pixels of input there may be others than those that always have one.
    """

    def __init__(self, axis: int, rank: int) -> None:
        self.axis, self.rank = axis, rank
        self.broadcast = 1
        self.conditions = _Conditions()
        self.memo: dict[tuple[int, _Tensor], _Tensor] = {}

    def chain(self, chain: TypedChain, x: _Tensor) -> _Tensor:
        """The output of a chain."""
        key = id(chain), x
        if key not in self.memo:
            y = x
            for step in chain.steps:
                y = self.step(step, y)
            self.memo[key] = y
        return self.memo[key]

    def step(self, step: TypedStep, x: _Tensor) -> _Tensor:
        """The output of a step with its repetitions."""
        for run in step.runs:
            for _ in range(run.count):
                before, x = x, self.node(run.typed, x)
                if x == before:  # then so are the other repetitions
                    break
        return x

    def node(self, node: Typed, x: _Tensor) -> _Tensor:
        """The output of a layer, a fork or a use."""
        if isinstance(node, TypedUse):
            return self.chain(node.body, x)
        if isinstance(node, TypedFork):
            return self.merged(node, [self.chain(chain, x) for _, chain in node.branches])
        if x.pixels is None:
            return self.vector(node, x)
        if isinstance(node.op, Flatten):
            return _Tensor(None, frozenset({(x.pixels, node.x.spatial[self.axis])}))
        least, after = node.op.sizes(self.axis, self.rank)
        self.conditions.at_least(x.pixels, least)
        return _Tensor(x.pixels.then(after)) if node.y.rank else _VECTOR

    def vector(self, node: TypedOp, x: _Tensor) -> _Tensor:
        """The output of a layer on a vector, whose length must not change if there are weights."""
        if node.weights:
            self.fixed(x.flattened)
            return _VECTOR
        return x

    def fixed(self, flattened: frozenset[tuple[Pixels, int]]) -> None:
        """Flattened maps must have the pixels that they have for the spec's input."""
        self.conditions.exactly(*flattened)
        self.conditions.fixed |= any(pixels.stride for pixels, _ in flattened)

    def merged(self, fork: TypedFork, ys: list[_Tensor]) -> _Tensor:
        """The output of a fork; vectors are broadcast, except by concat."""
        flattened = frozenset(pair for y in ys for pair in y.flattened)
        if fork.node.merge == "concat" and not fork.y.rank:
            return _Tensor(None, flattened)
        self.fixed(flattened)
        if not fork.y.rank:
            return _VECTOR
        maps = [y.pixels for y in ys if y.pixels is not None]
        if fork.node.merge != "concat":
            maps = [pixels for pixels in maps if pixels != _ONE] or [_ONE]
            if len({*maps}) > 1:
                self.broadcast = max(self.broadcast, *(p.least(2) for p in maps))
        first = next((pixels for pixels in maps if pixels.stride), maps[0])
        for pixels in maps:
            self.conditions.equal(first, pixels)
        return _Tensor(first)


class _Conditions:
    """Conditions on the input's pixels on one axis; ``possible``: some size may fulfil them."""

    def __init__(self) -> None:
        self.least, self.most, self.possible = 1, math.inf, True
        self.pairs: set[tuple[Pixels, Pixels]] = set()
        self.fixed = False

    def copy(self) -> _Conditions:
        """The conditions so far."""
        found = _Conditions()
        found.least, found.most, found.possible = self.least, self.most, self.possible
        found.pairs, found.fixed = {*self.pairs}, self.fixed
        return found

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
        elif one.stride == other.stride and abs(one.offset - other.offset) >= one.stride:
            self.possible = False
        else:
            self.pairs.add((min(one, other), max(one, other)))

    def sizes(self, size: int, start: int, below: list[int]) -> AxisSizes:
        """The sizes that fulfil the conditions from ``start`` on, and those of ``below``.

        ``size`` is one of them.
        """
        least, periodic, endless = max(self.least, start), list[Gap](), False
        if not self.possible:
            found = below
        elif self.most == math.inf and all(one.stride == other.stride for one, other in self.pairs):
            pairs = [
                Gap(-other.offset % one.stride, other.offset - one.offset, one.stride)
                for one, other in self.pairs
            ]
            first, periodic = _without(least, pairs)
            endless = first is not None
            found = below if first is None else [*below, first]
        else:
            low, high = max(least, size - _COMPARED), min(self.most, size + _COMPARED)
            found = [*below, *(n for n in range(low, int(high) + 1) if self.hold(n))]
        gaps = (*_between(found, 0), *periodic)
        return AxisSizes(found[0], None if endless else found[-1], gaps, self.fixed)

    def hold(self, size: int) -> bool:
        """Whether all pairs are equal for this size."""
        return all(one.at(size) == other.at(size) for one, other in self.pairs)


def _without(least: int, gaps: list[Gap]) -> tuple[int | None, list[Gap]]:
    """The first size from ``least`` outside of ``gaps``, and the fewest gaps above it.

    All have a period; they may overlap, and together leave no size.
    """
    joined: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: (gap.period, gap.start)):
        last = joined[-1] if joined else gap._replace(period=0)
        if gap.period == last.period and gap.start <= last.start + last.length:
            length = max(last.length, gap.start + gap.length - last.start)
            joined[-1] = last._replace(length=length)
        else:
            joined.append(gap)
    end = least + math.lcm(*(gap.period for gap in joined))
    while inside := [gap for gap in joined if (least - gap.start) % gap.period < gap.length]:
        least += max(gap.length - (least - gap.start) % gap.period for gap in inside)
        if least >= end:
            return None, []
    moved = [gap._replace(start=least + (gap.start - least) % gap.period) for gap in joined]
    return least, min(moved, _together(least, moved), key=len)


def _together(least: int, gaps: list[Gap]) -> list[Gap]:
    """The gaps above ``least`` with their common period, if it is not too long to try all sizes."""
    period = math.lcm(*(gap.period for gap in gaps))
    if period > _COMPARED:
        return gaps
    sizes = range(least, least + period + 1)  # the first fits, and so does the last
    fitting = [n for n in sizes if not any(gap.has(n) for gap in gaps)]
    return _between(fitting, period)


def _between(sizes: list[int], period: int) -> list[Gap]:
    """The gaps between sizes that run."""
    steps = itertools.pairwise(sizes)
    return [Gap(n + 1, above - n - 1, period) for n, above in steps if above > n + 1]
