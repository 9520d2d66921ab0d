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

from ..ir.program import Chain, ForkNode, Node, OpNode, Shares, UseNode, repetition
from ..ir.typed import TypedChain, TypedFork, TypedStep, TypedUse
from ..types.expression import Expression
from ..types.split import EQUAL
from ..types.terms import Symbol, Term, add, constant, multiply, of, subtract, whole
from .forks import divided, ends, merged
from .frames import UNKNOWN, Frame, Row, Slot, SplitError
from .layer_site import LayerSite
from .runs import at, constant_channels, slope, spans
from .use_site import Callee, UseSite


class Plan(Protocol):
    """Finds the definition of a use; ``growing`` are the layers whose maps may have more positions
    at other input sizes, by ``id``. ``sharers`` are the repetitions of steps that have the weights
    of a step, by the ``id`` of that.
    """

    @property
    def growing(self) -> frozenset[int]: ...

    @property
    def sharers(self) -> Mapping[int, tuple[TypedStep, ...]]: ...

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
    """A step of a chain with its repetitions, in every row; the ``earlier`` steps by name.

    ``shared``: other steps have its weights, too, and are in further rows, before its own.
    """

    frame: Frame
    node: Node
    typed: tuple[TypedStep, ...]
    x: Term | None
    plan: Plan
    earlier: Mapping[str, StepSite]
    shared: bool = False

    @property
    def again(self) -> Shares | None:
        """The step whose weights it has, if they are not its own: it calls the same module."""
        return self.node.shares

    @property
    def absent(self) -> bool:  # in every row
        return not any(t.count for t in self.typed)

    @property
    def optional(self) -> bool:
        """Whether the step may be left out."""
        return isinstance(self.node.repeat, Expression) or not all(t.count for t in self.typed)

    @property
    def repeated(self) -> bool:
        """Whether the spec sets ``repeat``."""
        return self.typed[0].repeated

    @cached_property
    def site(self) -> Site:
        """The first repetition; a step that is absent has none."""
        return self._once(0)

    @cached_property
    def y(self) -> Term | None:
        if self.absent:
            return self.x
        values, first = tuple(t.y.channels for t in self.typed), self.site
        if not self.repeated:
            return first.y
        if self.node.each:
            return self._runs()[-1].site.y
        if not all(t.count for t in self.typed):  # left out in some uses
            return self.x if first.y == self.x else None
        found = [first.y]
        if constant_channels(self.typed, 1):
            found.append(self._rest_term())
        if (added := self._slope()) is not None:
            found.append(add(self.x, multiply(added, self.frame.term(self.node.repeat))))
        return next((term for term in found if self.frame.holds(term, values)), None)

    def _rest_term(self) -> Term | None:
        looped = all(t.count > 1 for t in self.typed)
        return self._loop(1, self.site.y).site.y if looped else None

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
        if self.absent:
            return (yield lambda: ())
        asked = isinstance(self.node.repeat, Expression)
        if not self.repeated or (all(t.count == 1 for t in self.typed) and not asked):
            return (yield lambda: (self._single(0),))
        if self.node.each:
            return (yield self._runs)
        steady = constant_channels(self.typed, 0)
        if steady and self.x == self.site.y:
            yield lambda: (self._loop(0, self.x),)
        elif not steady and (added := self._slope()) is not None:
            yield lambda: (self._loop(0, self.x, added),)
        yield lambda: (self._loop(0, UNKNOWN),)
        counts = [t.count for t in self.typed]
        if constant_channels(self.typed, 1) and all(counts) and max(counts) > 1:
            yield lambda: (self._single(0), self._loop(1, self.site.y))
        if steady:
            yield lambda: (self._loop(0, self.x),)
        if len({tuple(run.count for run in t.runs) for t in self.typed}) == 1:
            yield self._runs

    def _slope(self) -> Term | None:
        """The term of the channels that each repetition adds, if all add the same number."""
        added = tuple(slope(step) for step in self.typed)
        return None if None in added else self.frame.held(subtract(self.site.y, self.x), added)

    def _once(self, index: int) -> Site:
        pairs = zip(self.frame.rows, self.typed, strict=True)
        found = [(row, at(step, index)) for row, step in pairs if step.count > index]
        frame = self.frame
        if len(found) < len(self.typed):  # some uses leave the step out
            frame = dataclasses.replace(frame, rows=tuple(row for row, _ in found))
        node = repetition(self.node, index)
        return self._site(node, frame, tuple(typed for _, typed in found), self.x)

    def _site(self, node: Node, frame: Frame, typed: tuple[Any, ...], x: Term | None) -> Site:
        plan = self.plan
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
            start = x
            if split:
                start = frame.held(split[index].term, split[index].values)
            elif name in node.after:
                start = self.earlier[node.after[name]].y
            own = frame.of_input(name) if node.inputs else frame
            start = frame.inputs[name] if node.inputs else start
            inner = tuple(t.branches[index][1] for t in typed)
            branches.append((name, chain(own, nodes, inner, start, plan)))
        return ForkSite(frame, node, typed, tuple(branches), split)

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
        sized = term is not None and not whole(term)  # no number of repetitions is a float
        stop = Slot(self.frame, counts, term, "repeat", sized)
        less = tuple(n - start for n in counts)
        count = Slot(self.frame, less, subtract(term, constant(start)), "repeat", sized)
        held = inner if inner is UNKNOWN else frame.held(inner, channels)
        inside = self._site(self.node, frame, tuple(typed), held)
        return Part(index, start, stop, count, inside)

    def _runs(self) -> tuple[Part, ...]:
        """One part for each run; all rows must have the same runs."""
        found: list[Part] = []
        x, start = self.x, 0
        for number, run in enumerate(self.typed[0].runs):
            typed = tuple(step.runs[number].typed for step in self.typed)
            x = self.frame.held(x, tuple(t.x.channels for t in typed))
            inside = self._site(repetition(self.node, start), self.frame, typed, x)
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
        """Whether it contains no forks, and its steps share no weights."""
        return not any(isinstance(s.node, ForkNode) or s.shared or s.again for s in self.steps)


def chain(
    frame: Frame, nodes: Chain, typed: tuple[TypedChain, ...], x: Term | None, plan: Plan
) -> ChainSite:
    """The sites of a chain; ``x`` is the term of its input channels."""
    steps = []
    start, earlier = x, dict[str, StepSite]()
    for index, node in enumerate(nodes):
        step = step_site(frame, node, tuple(t.steps[index] for t in typed), x, plan, earlier)
        steps.append(step)
        earlier |= dict.fromkeys(node.segments[-1:], step)
        x = step.y
    return ChainSite(frame, typed, start, tuple(steps))


def step_site(
    frame: Frame,
    node: Node,
    typed: tuple[TypedStep, ...],
    x: Term | None,
    plan: Plan,
    earlier: Mapping[str, StepSite],
) -> StepSite:
    """The site of a step, with the steps that share its weights as further rows."""
    sharers = [plan.sharers.get(id(step), ()) for step in typed]
    if not any(sharers):
        return StepSite(frame, node, typed, x, plan, earlier)
    rows = [row for row, found in zip(frame.rows, sharers, strict=True) for _ in found]
    frame = dataclasses.replace(frame, rows=(*rows, *frame.rows))
    more = (step for found in sharers for step in found)
    return StepSite(frame, node, (*more, *typed), x, plan, earlier, shared=True)
