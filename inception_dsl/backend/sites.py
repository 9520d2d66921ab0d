"""Sites: everything that is written once, with its types in every use.

A site is a step of a block (a layer, a fork, a use of another block) together with its typed nodes
in all uses of the block, which hold the concrete numbers. Its terms
(:mod:`inception_dsl.types.terms`) compute these numbers from the block's parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from ..ir.program import Chain, ForkNode, Node, OpNode, UseNode
from ..ir.typed import TypedChain, TypedFork, TypedStep, TypedUse
from ..types.expression import Expression
from ..types.split import EQUAL
from ..types.terms import Symbol, Term, add, constant, multiply, of, replace, subtract
from .forks import divided, ends, merged
from .frames import UNKNOWN, Frame, Row, Slot, SplitError
from .layer_site import LayerSite
from .runs import at, constant_channels, slope, spans


class Callee(Protocol):
    """The part of :class:`.definitions.Definition` that uses of a block read."""

    @property
    def channels(self) -> Symbol:
        """The symbol for the number of input channels."""

    @property
    def parameters(self) -> Mapping[str, Symbol]:
        """The symbols of its parameters, by their names in the spec."""

    @property
    def filters(self) -> frozenset[str]:
        """The parameters that are only numbers of filters."""

    @property
    def chain(self) -> ChainSite:
        """Its steps."""

    def instance(self, use: TypedUse) -> int:
        """The index of the instance that a use refers to."""


class Plan(Protocol):
    """Finds the definition of a use; ``growing`` are the layers whose maps may have more positions
    at other input sizes, by ``id``.
    """

    @property
    def growing(self) -> frozenset[int]: ...

    def of(self, typed: tuple[TypedUse, ...]) -> Callee:
        """The definition of a use; raises :class:`SplitError` if its rows need several."""


@dataclass(frozen=True, eq=False)
class ForkSite:
    """A fork: branches by name, and their merge.

    ``split`` has the number of channels of each branch's input. It is empty if every branch gets
    all of the input.
    """

    frame: Frame
    node: ForkNode
    typed: tuple[TypedFork, ...]
    branches: tuple[tuple[str, ChainSite], ...]
    split: tuple[Slot, ...] = ()

    @cached_property
    def y(self) -> Term | None:
        """The term of the channels after the merge."""
        terms = [branch.y for _, branch in self.branches]
        return merged(self.frame, self.node, self.typed, terms)

    @property
    def equal(self) -> bool:
        """Whether all parts of the input have the same size, whatever it is."""
        return self.node.split == EQUAL

    @property
    def ends(self) -> tuple[Slot, ...]:
        """Where each part of the input ends, except the last."""
        return ends(self.split)


@dataclass(frozen=True, eq=False)
class UseSite:
    """A use of a block: the definition, and the index of its instance in every row."""

    frame: Frame
    node: UseNode
    typed: tuple[TypedUse, ...]
    definition: Callee
    x: Term | None

    @property
    def instances(self) -> tuple[int, ...]:
        return tuple(self.definition.instance(t) for t in self.typed)

    @cached_property
    def y(self) -> Term | None:
        """The term of the output channels: the block's own, with this use's arguments."""
        inner = self.definition
        terms = {
            inner.channels: self.x,
            **{s: self.argument(name).term for name, s in inner.parameters.items()},
        }
        return self.frame.held(
            replace(inner.chain.y, terms), tuple(t.y.channels for t in self.typed)
        )

    def argument(self, name: str, hint: str = "") -> Slot:
        """The slot of an argument; those that are numbers of filters are scaled."""
        written, values = self.node.arguments[name], tuple(t.arguments[name] for t in self.typed)
        slot = self.frame.channels if name in self.definition.filters else self.frame.slot
        return slot(values, written, hint or name)


Site: TypeAlias = "LayerSite | ForkSite | UseSite"


@dataclass(frozen=True, eq=False)
class Part:
    """Repetitions of a step that are written once: from ``start`` up to, not including, ``stop``.

    ``index`` is the symbol of the loop variable, or ``None`` for a single repetition; ``count`` is
    the number of repetitions.
    """

    index: Symbol | None
    start: int
    stop: Slot
    count: Slot
    site: Site


@dataclass(frozen=True, eq=False)
class StepSite:
    """A step of a chain with its repetitions, in every row."""

    frame: Frame
    node: Node
    typed: tuple[TypedStep, ...]
    x: Term | None
    plan: Plan

    @property
    def repeated(self) -> bool:
        """Whether the spec sets ``repeat``."""
        return self.typed[0].repeated

    @cached_property
    def site(self) -> Site:
        """The first repetition."""
        return self._once(0)

    @cached_property
    def y(self) -> Term | None:
        values = tuple(t.y.channels for t in self.typed)
        first = self.site
        if not self.repeated:
            return first.y
        found = [first.y]
        if constant_channels(self.typed, 1):
            found.append(self._rest_term())
        if (added := self._slope()) is not None:
            found.append(add(self.x, multiply(added, self.frame.term(self.node.repeat))))
        return next((term for term in found if self.frame.holds(term, values)), None)

    def _rest_term(self) -> Term | None:
        parts = self._loop(1, self.site.y) if all(t.count > 1 for t in self.typed) else None
        return parts.site.y if parts else None

    def parts(self) -> Iterator[tuple[Part, ...]]:
        """Ways to write the repetitions, the shortest first; the last one is always correct.

        A caller uses the first one in which no value differs between repetitions that are written
        once (:class:`~inception_dsl.backend.scope.VariesError`).
        """
        for way in self._ways():
            try:
                found = way()
            except SplitError:  # ranks or definitions differ in what this way writes once
                continue
            yield found

    def _ways(self) -> Iterator[Callable[[], tuple[Part, ...]]]:
        asked = isinstance(self.node.repeat, Expression)
        if not self.repeated or (all(t.count == 1 for t in self.typed) and not asked):
            yield lambda: (self._single(0),)
            return
        steady = constant_channels(self.typed, 0)
        if steady and self.x == self.site.y:
            yield lambda: (self._loop(0, self.x),)
        elif not steady and (added := self._slope()) is not None:
            yield lambda: (self._loop(0, self.x, added),)
        yield lambda: (self._loop(0, UNKNOWN),)
        if constant_channels(self.typed, 1) and any(t.count > 1 for t in self.typed):
            yield lambda: (self._single(0), self._loop(1, self.site.y))
        if steady:
            yield lambda: (self._loop(0, self.x),)
        if len({tuple(run.count for run in t.runs) for t in self.typed}) == 1:
            yield self._runs

    def _slope(self) -> Term | None:
        """The term of the channels that each repetition adds, if all add the same number."""
        added = tuple(slope(step) for step in self.typed)
        if None in added:
            return None
        return self.frame.held(subtract(self.site.y, self.x), added)

    def _once(self, repetition: int) -> Site:
        typed = tuple(at(step, repetition) for step in self.typed)
        return site(self.frame, self.node, typed, self.x, self.plan)

    def _single(self, repetition: int) -> Part:
        stop, one = self.frame.fixed(repetition + 1), self.frame.fixed(1)
        return Part(
            None, repetition, stop, one, self._once(repetition) if repetition else self.site
        )

    def _loop(self, start: int, x: Term | None, step: Term | None = None) -> Part:
        """All repetitions from ``start`` on, as a loop.

        In the loop's frame, each row becomes rows for the first and the last index of every run.
        """
        index = Symbol("i")
        rows: list[Row] = []
        typed: list[Any] = []
        for row, repeated in zip(self.frame.rows, self.typed, strict=True):
            for first, last, found in spans(repeated, start):
                for number in dict.fromkeys((first, last)):
                    rows.append(Row({**row.values, index: number}, row.instance))
                    typed.append(found)
        frame = dataclasses.replace(self.frame, rows=tuple(rows))
        inner = add(x, multiply(step, of(index))) if step is not None else x
        channels = tuple(t.x.channels for t in typed)
        counts = tuple(step.count for step in self.typed)
        term = self.frame.term(self.node.repeat)
        stop = Slot(self.frame, counts, term, "repeat")
        less = tuple(n - start for n in counts)
        count = Slot(self.frame, less, subtract(term, constant(start)), "repeat")
        held = inner if inner is UNKNOWN else frame.held(inner, channels)
        inside = site(frame, self.node, tuple(typed), held, self.plan)
        return Part(index, start, stop, count, inside)

    def _runs(self) -> tuple[Part, ...]:
        """One part for each run; all rows must have the same runs."""
        found: list[Part] = []
        x, start = self.x, 0
        for number, run in enumerate(self.typed[0].runs):
            typed = tuple(step.runs[number].typed for step in self.typed)
            x = self.frame.held(x, tuple(t.x.channels for t in typed))
            inside = site(self.frame, self.node, typed, x, self.plan)
            stop, count = self.frame.fixed(start + run.count), self.frame.fixed(run.count)
            found.append(Part(Symbol("i") if run.count > 1 else None, start, stop, count, inside))
            x, start = inside.y, start + run.count
        return tuple(found)


@dataclass(frozen=True, eq=False)
class ChainSite:
    """A sequence of steps, in every row."""

    frame: Frame
    typed: tuple[TypedChain, ...]
    x: Term | None
    steps: tuple[StepSite, ...]

    @cached_property
    def y(self) -> Term | None:
        return self.steps[-1].y if self.steps else self.x

    @property
    def simple(self) -> bool:
        """Whether it contains no forks."""
        return not any(isinstance(step.node, ForkNode) for step in self.steps)


def chain(
    frame: Frame, nodes: Chain, typed: tuple[TypedChain, ...], x: Term | None, plan: Plan
) -> ChainSite:
    """The sites of a chain; ``x`` is the term of its input channels."""
    steps = []
    start = x
    for index, node in enumerate(nodes):
        step = StepSite(frame, node, tuple(t.steps[index] for t in typed), x, plan)
        steps.append(step)
        x = step.y
    return ChainSite(frame, typed, start, tuple(steps))


def site(frame: Frame, node: Node, typed: tuple[Any, ...], x: Term | None, plan: Plan) -> Site:
    """The site of one repetition of a step."""
    if len({(t.x.rank, t.y.rank) for t in typed}) > 1:
        raise frame.split(node, [(t.x.rank, t.y.rank) for t in typed])
    if isinstance(node, OpNode):
        one = all(t.x.positions() == 1 and id(t) not in plan.growing for t in typed)
        return LayerSite(frame, node, typed, x, one)
    if isinstance(node, UseNode):
        return UseSite(frame, node, typed, plan.of(typed), x)
    split = divided(frame, node, typed, x)
    branches = []
    for index, (name, nodes) in enumerate(node.branches):
        inner = tuple(t.branches[index][1] for t in typed)
        start = frame.held(split[index].term, split[index].values) if split else x
        own = frame.of_input(name) if node.inputs else frame
        start = frame.inputs[name] if node.inputs else start
        branches.append((name, chain(own, nodes, inner, start, plan)))
    return ForkSite(frame, node, typed, tuple(branches), split)
