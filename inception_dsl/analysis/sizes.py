"""The input sizes that a typed program accepts.

Axes are independent. On each, the pixels of every map are a function of the input's pixels
(:class:`Pixels`), so that a few conditions say which sizes run: each window needs a least size,
branches that meet must have maps of one size, and a layer whose weights depend on the length of a
flattened map needs the size of the spec.

Inputs whose branches end in vectors are independent, too. Maps that meet must have one size, so
inputs of one size must keep one (:func:`tied`); others give the map that the spec's input gives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ..ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ops import Flatten
from ..types.tensor import MAX_SIZE
from ..types.window import Pixels
from .size_conditions import AxisSizes, Conditions, Piece, axis_sizes
from .ties import tied

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


@lru_cache(maxsize=64)
def running_sizes(typed: TypedProgram, name: str = "") -> RunningSizes:
    """The sizes of the input ``name`` that run; those of the spec are always among them."""
    found = [_axis(_Input(typed, name, axis), held=True) for axis in _axes(typed, name)]
    features, inference, training = zip(*found, strict=True) if found else ((), (), ())
    return RunningSizes(features, inference, training)


def compiling_sizes(typed: TypedProgram, name: str = "") -> Sizes:
    """The sizes for which the spec compiles; layers after a flattened map may get other weights."""
    return tuple(_axis(_Input(typed, name, axis), held=False)[-1] for axis in _axes(typed, name))


def minimum_input(typed: TypedProgram, name: str = "", *, heads: bool = False) -> tuple[int, ...]:
    """The smallest spatial sizes that run; ``heads`` includes the auxiliary heads."""
    sizes = running_sizes(typed, name)
    return tuple(axis.least for axis in (sizes.training if heads else sizes.inference))


class _Input(NamedTuple):
    """An axis of an input; a single input, or the first of several, has no ``name``."""

    typed: TypedProgram
    name: str
    axis: int

    @property
    def own(self) -> tuple[int, ...]:
        """The sizes of the spec's input."""
        program = self.typed.program
        return program.inputs[self.name].spatial if self.name else program.input.spatial

    def starts(self) -> dict[str, _Tensor]:
        """The inputs: those that change with this one on the axis, and those that stay."""
        inputs = self.typed.program.inputs
        own = self.name or next(iter(inputs))
        groups = (names for names in tied(self.typed, self.axis) if own in names)
        free = next(groups, (own,))
        return {
            name: _Tensor(Pixels())
            if name in free
            else _Tensor(Pixels(x.spatial[self.axis], 0))
            if x.rank > self.axis
            else _VECTOR
            for name, x in inputs.items()
        }


def _axes(typed: TypedProgram, name: str) -> range:
    return range(len(_Input(typed, name, 0).own))


@lru_cache(maxsize=16)
def growing(typed: TypedProgram) -> frozenset[int]:
    """The layers, by ``id``, whose map has more than one pixel for some size of the input.

    A flattened map counts only if no weights depend on its length.
    """
    inputs = [_Input(typed, n, axis) for n in typed.program.inputs for axis in _axes(typed, n)]
    return frozenset().union(*(_followed(one, math.inf)[0].growing for one in inputs))


def _axis(free: _Input, *, held: bool) -> list[AxisSizes]:
    """One axis up to the head, with it, and with auxiliary heads.

    ``held``: flattened maps that weights depend on must keep their size.

    Which maps have one pixel, so that they are broadcast, depends on the size. Each walk is right
    for the largest sizes that are left.
    """
    own, high = free.own[free.axis], math.inf
    pieces: list[list[Piece]] = [[], [], []]
    steps = _STEPS
    while high >= 1:
        walk, stages = _followed(free, high, held=held)
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


def _followed(free: _Input, high: float, *, held: bool = True) -> tuple[_Walk, list[Conditions]]:
    """A walk through the program, and the conditions up to the head, with it, with all heads.

    The input has at most ``high`` pixels.
    """
    typed, walk, after = free.typed, _Walk(free, high, held=held), dict[str, _Tensor]()
    stages, x = [], next(iter(walk.inputs.values()))
    for name, chain in typed.sections.items():
        if name == "head":
            stages.append(walk.stage())
        own: dict[str, _Tensor] = {}
        for step in chain.steps:
            x = walk.step(step, x, own)
        after |= own
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

    def __init__(self, free: _Input, high: float, *, held: bool) -> None:
        self.axis, self.rank, self.high, self.held = free.axis, len(free.own), high, held
        self.own, self.inputs = free.own[free.axis], free.starts()
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
            y, own = x, dict[str, _Tensor]()
            for step in chain.steps:
                y = self.step(step, y, own)
            self.memo[key] = y
        return self.memo[key]

    def step(self, step: TypedStep, x: _Tensor, own: dict[str, _Tensor]) -> _Tensor:
        """The output of a step with its repetitions, which is added to ``own``, the outputs of the
        steps of its chain.
        """
        for run in step.runs:
            for _ in range(run.count):
                before, x = x, self.node(run.typed, x, own)
                if x == before:  # then so are the other repetitions
                    break
        own |= dict.fromkeys(step.node.segments[-1:], x)
        return x

    def node(self, node: Typed, x: _Tensor, own: Mapping[str, _Tensor]) -> _Tensor:
        """The output of a layer, a fork or a use."""
        self.steps += 1
        if isinstance(node, TypedUse):
            return self.chain(node.body, x)
        if isinstance(node, TypedFork):
            if node.node.inputs:
                return self.joined(node)
            if node.node.split:  # the sizes add up to the channels of one flattened map only
                self.fixed(x.flattened, always=True)
            starts = zip(node.branches, node.node.starts(x, own), strict=True)
            return self.merged(node, [self.chain(chain, start) for (_, chain), start in starts])
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

    def joined(self, fork: TypedFork) -> _Tensor:
        """The output of the fork of several inputs.

        Where a map meets one that does not change with it, it must be that of the spec's input: a
        single pixel would be broadcast, but not if all maps have one.
        """
        ends = {name: self.chain(chain, self.inputs[name]) for name, chain in fork.branches}
        kinds = {self.inputs[n].pixels for n, end in ends.items() if end.pixels is not None}
        for name, chain in fork.branches if len(kinds) > 1 else ():
            if (pixels := ends[name].pixels) is not None:
                own = chain.y.spatial[self.axis]
                self.conditions.exactly((pixels, own))
                ends[name] = _Tensor(Pixels(own, 0))
        return self.merged(fork, [*ends.values()])

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
