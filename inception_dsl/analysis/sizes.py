"""The input sizes that a typed program accepts.

Axes are independent. On each, the pixels of every map are a function of the input's pixels
(:class:`Pixels`), so that a few conditions say which sizes run: each window needs a least size,
branches that meet must have maps of one size, and a layer whose weights depend on the length of a
flattened map needs the size of the spec.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ..ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ops import Flatten
from ..types.tensor import MAX_SIZE
from ..types.window import Pixels
from .size_conditions import AxisSizes, Conditions, Piece, axis_sizes

_STEPS = 200_000
"""Limit on time: layers that are followed, where maps are broadcast for some sizes."""
_DEPTH = 16
"""Limit on time: for maps whose pixels are a longer function, only the spec's input runs."""

Sizes: TypeAlias = tuple[AxisSizes, ...]


class RunningSizes(NamedTuple):
    """The sizes of each axis that run: up to the head, with it, and with auxiliary heads too.

    The outputs with steps of their own run with the head.
    """

    features: Sizes
    inference: Sizes
    training: Sizes


@lru_cache(maxsize=16)
def running_sizes(typed: TypedProgram) -> RunningSizes:
    """The sizes that run; those of the spec's input are always among them."""
    found = [_axis(typed, axis, held=True) for axis in range(typed.program.input.rank)]
    features, inference, training = zip(*found, strict=True) if found else ((), (), ())
    return RunningSizes(features, inference, training)


def compiling_sizes(typed: TypedProgram) -> Sizes:
    """The sizes for which the spec compiles; layers after a flattened map may get other weights."""
    return tuple(_axis(typed, axis, held=False)[-1] for axis in range(typed.program.input.rank))


def minimum_input(typed: TypedProgram, *, heads: bool = False) -> tuple[int, ...]:
    """The smallest spatial sizes that run; ``heads`` includes the auxiliary heads."""
    sizes = running_sizes(typed)
    return tuple(axis.least for axis in (sizes.training if heads else sizes.inference))


@lru_cache(maxsize=16)
def growing(typed: TypedProgram) -> frozenset[int]:
    """The layers, by ``id``, whose map has more than one pixel for some size of the input.

    A flattened map counts only if no weights depend on its length.
    """
    axes = range(typed.program.input.rank)
    return frozenset().union(*(_followed(typed, axis, math.inf)[0].growing for axis in axes))


def _axis(typed: TypedProgram, axis: int, *, held: bool) -> list[AxisSizes]:
    """One axis up to the head, with it, and with auxiliary heads.

    ``held``: flattened maps that weights depend on must keep their size.

    Which maps have one pixel, so that they are broadcast, depends on the size. Each walk is right
    for the largest sizes that are left.
    """
    own, high = typed.program.input.spatial[axis], math.inf
    pieces: list[list[Piece]] = [[], [], []]
    steps = _STEPS
    while high >= 1:
        walk, stages = _followed(typed, axis, high, held=held)
        for found, conditions in zip(pieces, stages, strict=True):
            if found and found[-1].conditions == conditions:
                found[-1] = found[-1]._replace(low=walk.broadcast)
            else:
                found.append(Piece(walk.broadcast, high, conditions))
        high, steps = min(walk.broadcast - 1, MAX_SIZE), steps - walk.steps
        if steps < 0:
            if high < own:
                break
            high = own
    return [axis_sizes(found) for found in pieces]


def _followed(
    typed: TypedProgram, axis: int, high: float, *, held: bool = True
) -> tuple[_Walk, list[Conditions]]:
    """A walk through the program, and the conditions up to the head, with it, with all heads.

    The input has at most ``high`` pixels.
    """
    walk, after = _Walk(axis, typed.program.input.spatial, high, held=held), dict[str, _Tensor]()
    stages, x = [], _Tensor(Pixels())
    for name, chain in typed.sections.items():
        if name == "head":
            stages.append(walk.stage())
        for step in chain.steps:
            x = walk.step(step, x)
            after |= dict.fromkeys(step.node.segments[-1:], x)
    for head, chain in typed.heads:
        if not head.auxiliary:
            walk.chain(chain, after[head.after])
    stages.append(walk.stage())
    for head, chain in typed.heads:
        if head.auxiliary:
            walk.chain(chain, after[head.after])
    return walk, [*stages[:1], stages[-1], walk.stage()]


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

    A chain is followed once for each map that enters it. Axes of one pixel are broadcast. ``own``
    are the sizes of the spec's input, which has at most ``high`` pixels; from ``broadcast`` pixels
    on, the same maps have one pixel. ``growing`` are the layers, by ``id``, on maps that do not
    always have one; a flattened map is not one of them if it must be ``exact`` in its stage.
    ``steps`` are counted.
    """

    def __init__(self, axis: int, own: tuple[int, ...], high: float, *, held: bool) -> None:
        self.axis, self.rank, self.high, self.held = axis, len(own), high, held
        self.own = own[axis]
        self.broadcast, self.steps = 1, 0
        self.conditions = Conditions()
        self.growing, self.exact = set[int](), set[tuple[Pixels, int]]()
        self.flattens: list[tuple[int, tuple[Pixels, int]]] = []
        self.memo: dict[tuple[int, _Tensor], _Tensor] = {}

    def stage(self) -> Conditions:
        """The conditions so far, where the network may end."""
        self.growing |= {node for node, pair in self.flattens if pair not in self.exact}
        self.flattens.clear()
        return self.conditions.copy()

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
        self.steps += 1
        if isinstance(node, TypedUse):
            return self.chain(node.body, x)
        if isinstance(node, TypedFork):
            if node.node.split:  # the sizes add up to the channels of one flattened map only
                self.fixed(x.flattened, always=True)
            return self.merged(node, [self.chain(chain, x) for _, chain in node.branches])
        if x.pixels is None:
            return self.vector(node, x)
        if isinstance(node.op, Flatten):
            pair = x.pixels, node.x.spatial[self.axis]
            self.flattens += [(id(node), pair)] * (x.pixels != _ONE)
            return _Tensor(None, frozenset({pair}))
        if x.pixels != _ONE:
            self.growing.add(id(node))
        least, after = node.op.sizes(self.axis, self.rank)
        self.conditions.at_least(x.pixels, least)
        if (times := node.op.multiple) > 1:
            blocks = x.pixels.then(Pixels(0, times))
            self.conditions.equal(x.pixels, blocks.then(Pixels(0, 1, times)))
        if not node.y.rank:
            return _VECTOR
        y = x.pixels.then(after)
        if y.depth > _DEPTH:
            self.conditions.exactly((Pixels(), self.own))
            y = Pixels(node.y.spatial[self.axis], 0)
        return _Tensor(y)

    def vector(self, node: TypedOp, x: _Tensor) -> _Tensor:
        """The output of a layer on a vector, whose length must not change if there are weights."""
        if node.weights:
            self.fixed(x.flattened)
            return _VECTOR
        return x

    def fixed(self, flattened: frozenset[tuple[Pixels, int]], *, always: bool = False) -> None:
        """Flattened maps must have the pixels that they have for the spec's input, if ``held``."""
        if not self.held and not always:
            return
        self.exact |= flattened
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
                maps = [p for p in maps if p.least(2) <= self.high] or [_ONE]
                self.broadcast = max(self.broadcast, *(p.least(2) for p in maps))
        first = next((pixels for pixels in maps if pixels.stride), maps[0])
        for pixels in maps:
            self.conditions.equal(first, pixels)
        return _Tensor(first)
