"""Sites: everything that is written once, with the types that it has in every use.

A block is printed once, however often it is used. A site is one of its steps (a layer, a fork, a use of another block)
together with the typed nodes that stand there in every use of the block: the numbers that decide how it is written. The
terms beside them (:mod:`inception_dsl.types.terms`) say how a number follows from the block's parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from ..ir.program import Block, Chain, ForkNode, Node, OpNode, UseNode
from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ir.walk import uses_of
from ..ops import Op, Windowed, attribute_names
from ..types.expression import Expression
from ..types.tensor import TensorType
from ..types.terms import (
    Symbol,
    Term,
    Traced,
    add,
    constant,
    divide,
    explain,
    multiply,
    of,
    replace,
    subtract,
    term_of,
)

IN_CHANNELS = "in_channels"


UNKNOWN = of(Symbol("unknown"))
"""What explains channels that must not be printed, as they may differ between repetitions."""


class SplitError(Exception):
    """A block cannot be written once for all of its uses."""


class Row(NamedTuple):
    """One use of what is written once: the value of every symbol, and which instance of the definition it is."""

    values: Mapping[Symbol, Any]
    instance: int


class Slot(NamedTuple):
    """A value to print: what it is in every row of its frame, the term that may say so, and what to call it.

    ``sized``: it follows from spatial sizes, so that a block that may be used at other sizes takes it as an argument.
    """

    frame: Frame
    values: tuple[Any, ...]
    term: Term | None
    hint: str
    sized: bool = False

    def all(self, value: Any) -> bool:
        """Whether the value is ``value`` in every row."""
        return all(v == value for v in self.values)

    @property
    def same(self) -> bool:
        """Whether the value is the same in every row."""
        return all(v == self.values[0] and type(v) is type(self.values[0]) for v in self.values)


@dataclass(frozen=True, eq=False)
class Frame:
    """Where something is written once. ``names`` maps what expressions may read to terms; ``rows`` are the uses.

    ``sized`` says that the spatial sizes are those of one input, so that they may be written out as numbers.
    """

    names: Mapping[str, Term | None]
    rows: tuple[Row, ...]
    sized: bool

    def slot(self, values: tuple[Any, ...], written: Any, hint: str) -> Slot:
        """The slot of a value that a spec writes as ``written``: an expression, or what it is in every row."""
        return Slot(self, values, self.term(written), hint)

    def fixed(self, value: Any, hint: str = "value") -> Slot:
        """The slot of a value that is the same everywhere."""
        return Slot(self, (value,) * len(self.rows), self.term(value), hint)

    def term(self, written: Any) -> Term | None:
        """The term of what a spec writes."""
        if isinstance(written, Expression):
            return explain(written, self.names)
        plain = isinstance(written, int | float) and not isinstance(written, bool)
        return constant(written) if plain else None

    def holds(self, term: Term | None, values: tuple[Any, ...]) -> bool:
        """Whether ``term`` gives these values, row by row."""
        return term is not None and all(
            _gives(term, r.values, v) for r, v in zip(self.rows, values, strict=True)
        )

    def held(self, term: Term | None, values: tuple[Any, ...]) -> Term | None:
        """``term`` where it gives these values."""
        return term if self.holds(term, values) else None


def _gives(term: Term, values: Mapping[Symbol, Any], wanted: Any) -> bool:
    try:
        found = term.evaluate(values)
    except (ArithmeticError, KeyError, TypeError):
        return False
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


@dataclass(frozen=True, eq=False)
class LayerSite:
    """A layer, with its op and types in every row. ``x`` and ``y`` explain the channels before and after it."""

    frame: Frame
    node: OpNode
    typed: tuple[TypedOp, ...]
    x: Term | None

    @property
    def op(self) -> Op:
        """The op in the first row, for what is the same in all."""
        return self.typed[0].op

    @property
    def rank(self) -> int:
        return self.typed[0].x.rank

    @property
    def channels(self) -> Slot:
        """The channels of the input."""
        values = tuple(t.x.channels for t in self.typed)
        hint = IN_CHANNELS if self.rank else "in_features"
        return Slot(self.frame, values, self.x, hint, self.x is None)

    @property
    def out_channels(self) -> Slot:
        """The channels of the output."""
        return Slot(self.frame, tuple(t.y.channels for t in self.typed), self.y, "out_channels")

    def slot(self, field: str) -> Slot:
        """An attribute, such as ``filters``; ``batch_norm.epsilon`` is one of a mapping."""
        written: Any = self.node.op
        values: tuple[Any, ...] = tuple(t.op for t in self.typed)
        for part in field.split("."):
            written = getattr(written, part)
            values = tuple(getattr(v, part) for v in values)
        return self.frame.slot(values, written, field.rpartition(".")[2])

    def axis(self, field: str, axis: int) -> Slot:
        """An attribute of windows (``kernel``, ``stride``, ``dilation``) on one axis."""
        own = "kernel_size" if field == "kernel" else field
        written = getattr(self.node.op, own, 1)
        if isinstance(written, tuple):
            written = written[axis] if axis < len(written) else None
        values = tuple(getattr(windows[axis], field) for windows in self.windows())
        return self.frame.slot(values, written, own)

    def each(self, field: str, axis: int, values: tuple[Any, ...]) -> Slot:
        """An attribute that is one number, or one for each axis: what it is on one axis."""
        written = getattr(self.node.op, field)
        if isinstance(written, tuple):
            written = written[axis] if axis < len(written) else None
        return self.frame.slot(values, written, field)

    def pads(self) -> tuple[tuple[tuple[int, int], ...] | None, ...]:
        """For every row: the pixels of padding on each axis, or nothing where they depend on the size."""
        found = []
        for windows in self.windows():
            sides = tuple(window.constant_pads for window in windows)
            found.append(None if None in sides else sides)
        return tuple(found)

    def pad(self, axis: int, side: int, values: tuple[int, ...]) -> Slot:
        """The padding on one side of an axis, as the spec writes it, or as ``same`` of an odd window gives it."""
        written = self.node.op.padding  # type: ignore[attr-defined]
        if isinstance(written, tuple):
            written = written[axis] if axis < len(written) else None
            written = written[side] if isinstance(written, tuple) else written
        terms = [self.frame.term(written)]
        if isinstance(self.node.op, Windowed):
            half = divide(self.axis("kernel", axis).term, constant(2))
            terms += [half, multiply(self.axis("dilation", axis).term, half)]
        term = next((t for t in terms if self.frame.holds(t, values)), None)
        return Slot(self.frame, values, term, "padding")

    def parts(self) -> Iterator[tuple[str, LayerSite]]:
        """The parts of a composite op as layers of their own, each with its segment."""
        inputs, x = tuple(t.x for t in self.typed), self.x
        for index, (segment, written) in enumerate(self.node.op.parts()):  # type: ignore[attr-defined]
            node = self.node._replace(op=written)
            typed = []
            for whole, before in zip(self.typed, inputs, strict=True):
                op = whole.op.parts()[index][1]  # type: ignore[attr-defined]
                typed.append(TypedOp(node, op, before, op.infer(before)))
            part = LayerSite(self.frame, node, tuple(typed), x)
            yield segment, part
            inputs, x = tuple(t.y for t in typed), part.y

    def windows(self) -> tuple[Any, ...]:
        """The windows of every row, one for each axis."""
        return tuple(t.op.windows(t.x.rank) for t in self.typed)  # type: ignore[attr-defined]

    def every(self, field: str, value: Any) -> bool:
        """Whether an attribute is ``value`` in every row."""
        return all(getattr(t.op, field) == value for t in self.typed)

    @cached_property
    def y(self) -> Term | None:
        """What explains the channels of the output, by the op's own shape rule."""
        values = tuple(t.y.channels for t in self.typed)
        first = self.typed[0]
        spatial: tuple[int, ...] = first.x.spatial  # type: ignore[assignment]
        if (
            not self.frame.sized
            and first.y.rank < first.x.rank
            and not all(t.x.positions() == 1 for t in self.typed)
        ):
            spatial = tuple(Traced(n, None) for n in spatial)
        channels = Traced(first.x.channels, self.x)  # type: ignore[arg-type]
        found = self._traced().infer(TensorType(spatial, channels)).channels
        return self.frame.held(term_of(found), values)  # type: ignore[arg-type]

    def _traced(self) -> Op:
        """The first row's op, whose whole numbers carry the terms that the spec writes."""
        own = self.node.op
        written = {k: getattr(own, k) for k in attribute_names(type(own))}
        traced = {
            k: Traced(getattr(self.op, k), self.frame.term(v))
            for k, v in written.items()
            if isinstance(v, Expression) and type(getattr(self.op, k)) is int
        }
        return self.op.model_copy(update=traced) if traced else self.op


@dataclass(frozen=True, eq=False)
class ForkSite:
    """Branches by name, and their merge."""

    frame: Frame
    node: ForkNode
    typed: tuple[TypedFork, ...]
    branches: tuple[tuple[str, ChainSite], ...]

    @cached_property
    def y(self) -> Term | None:
        """What explains the channels of the merge."""
        return merged(self)


@dataclass(frozen=True, eq=False)
class UseSite:
    """A use of a block: the definition, and which of its instances stands here in every row."""

    frame: Frame
    node: UseNode
    typed: tuple[TypedUse, ...]
    definition: Definition
    x: Term | None

    @property
    def instances(self) -> tuple[int, ...]:
        return tuple(self.definition.instance(t) for t in self.typed)

    @cached_property
    def y(self) -> Term | None:
        """The block's own term with what this use gives in the place of the block's symbols."""
        inner = self.definition
        terms = {
            inner.channels: self.x,
            **{s: self.argument(name) for name, s in inner.parameters.items()},
        }
        return self.frame.held(
            replace(inner.chain.y, terms), tuple(t.y.channels for t in self.typed)
        )

    def argument(self, name: str) -> Term | None:
        """What explains an argument."""
        return self.frame.term(self.node.arguments[name])


Site: TypeAlias = "LayerSite | ForkSite | UseSite"


class Part(NamedTuple):
    """Some repetitions of a step that are written once: from ``start`` up to, not with, ``stop``.

    ``index`` is the symbol of the loop, or nothing where it is one repetition; ``count`` is how many there are.
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
    plan: Definitions

    @property
    def repeated(self) -> bool:
        """Whether the spec says ``repeat``."""
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
        if self._constant(1):
            found.append(self._rest_term())
        if (slope := self._slope()) is not None:
            found.append(add(self.x, multiply(slope, self.frame.term(self.node.repeat))))
        return next((term for term in found if self.frame.holds(term, values)), None)

    def _rest_term(self) -> Term | None:
        parts = self._loop(1, self.site.y) if all(t.count > 1 for t in self.typed) else None
        return parts.site.y if parts else None

    def parts(self) -> Iterator[tuple[Part, ...]]:
        """Ways to write the repetitions, the shortest first; the last one is right whatever is printed.

        A caller takes the first one in which nothing varies between repetitions that are written once
        (:class:`~inception_dsl.backend.scope.VariesError`).
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
        if self._constant(0):
            yield lambda: (self._loop(0, self.x),)
        elif (slope := self._slope()) is not None:
            yield lambda: (self._loop(0, self.x, slope),)
        yield lambda: (self._loop(0, None),)
        if self._constant(1):
            yield lambda: (self._single(0), self._loop(1, self.site.y))
        if len({tuple(run.count for run in t.runs) for t in self.typed}) == 1:
            yield self._runs

    def unrolled(self) -> tuple[Site, ...] | None:
        """Every repetition by itself; nothing where the rows have different numbers of them."""
        if len({t.count for t in self.typed}) > 1:
            return None
        found, x = [], self.x
        for repetition in range(self.typed[0].count):
            typed = tuple(_at(step, repetition) for step in self.typed)
            held = self.frame.held(x, tuple(t.x.channels for t in typed))
            found.append(site(self.frame, self.node, typed, held, self.plan))
            x = found[-1].y
        return tuple(found)

    def _constant(self, start: int) -> bool:
        """Whether the channels before every repetition from ``start`` on are the same, row by row."""
        for step in self.typed:
            sizes = {channels for index, _, channels in _inputs(step) if index >= start}
            if len(sizes) > 1:
                return False
        return True

    def _slope(self) -> Term | None:
        """What every repetition adds to the channels, where that is the same for all."""
        steps: list[int] = []
        for step in self.typed:
            sizes = [run.typed.x.channels for run in step.runs] + [step.y.channels]
            if any(run.count > 1 for run in step.runs):
                return None
            differences = {b - a for a, b in pairwise(sizes)}  # type: ignore[operator]
            if len(differences) > 1:
                return None
            steps.append(differences.pop())
        return self.frame.held(subtract(self.site.y, self.x), tuple(steps))

    def _once(self, repetition: int) -> Site:
        typed = tuple(_at(step, repetition) for step in self.typed)
        return site(self.frame, self.node, typed, self.x, self.plan)

    def _single(self, repetition: int) -> Part:
        stop, one = self.frame.fixed(repetition + 1), self.frame.fixed(1)
        return Part(
            None, repetition, stop, one, self._once(repetition) if repetition else self.site
        )

    def _loop(self, start: int, x: Term | None, slope: Term | None = None) -> Part:
        """All repetitions from ``start`` on in a loop; each row of this frame becomes one for each of its runs."""
        index = Symbol("i")
        rows: list[Row] = []
        typed: list[Any] = []
        for row, step in zip(self.frame.rows, self.typed, strict=True):
            for first, last, found in _spans(step, start):
                for number in dict.fromkeys((first, last)):
                    rows.append(Row({**row.values, index: number}, row.instance))
                    typed.append(found)
        frame = Frame(self.frame.names, tuple(rows), self.frame.sized)
        inner = add(x, multiply(slope, of(index))) if slope is not None else x
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
        """Every run by itself, where all rows have the same runs."""
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


def _inputs(step: TypedStep) -> Iterator[tuple[int, int, Any]]:
    """For every run: its last repetition, its length, the channels before it."""
    index = -1
    for run in step.runs:
        index += run.count
        yield index, run.count, run.typed.x.channels


def _spans(step: TypedStep, start: int) -> Iterator[tuple[int, int, Any]]:
    """For every run: its first and last repetition from ``start`` on, and its node."""
    index = 0
    for run in step.runs:
        first, last = max(index, start), index + run.count - 1
        if first <= last:
            yield first, last, run.typed
        index += run.count


def _at(step: TypedStep, repetition: int) -> Any:
    return next(typed for first, last, typed in _spans(step, 0) if first <= repetition <= last)


@dataclass(frozen=True, eq=False)
class ChainSite:
    """Steps one after another, in every row."""

    frame: Frame
    typed: tuple[TypedChain, ...]
    x: Term | None
    steps: tuple[StepSite, ...]

    @cached_property
    def y(self) -> Term | None:
        return self.steps[-1].y if self.steps else self.x

    @property
    def simple(self) -> bool:
        """Whether it is a plain sequence: no forks in it."""
        return not any(isinstance(step.node, ForkNode) for step in self.steps)


@dataclass(frozen=True, eq=False)
class Definition:
    """A block that is printed once: what its symbols are, and its chain in every instance.

    An instance is the block with one set of arguments on one input. ``instances`` are uses, one for each.
    """

    block: Block
    rank: int
    instances: tuple[TypedUse, ...]
    channels: Symbol
    parameters: Mapping[str, Symbol]
    plan: Definitions

    @cached_property
    def frame(self) -> Frame:
        names = {
            IN_CHANNELS: of(self.channels),
            **{name: of(symbol) for name, symbol in self.parameters.items()},
        }
        rows = []
        for number, use in enumerate(self.instances):
            values = {symbol: use.arguments[name] for name, symbol in self.parameters.items()}
            rows.append(Row({self.channels: use.x.channels, **values}, number))
        return Frame(names, tuple(rows), sized=False)

    @cached_property
    def chain(self) -> ChainSite:
        bodies = tuple(use.body for use in self.instances)
        return chain(self.frame, self.block.chain, bodies, of(self.channels), self.plan)

    @cached_property
    def _numbers(self) -> Mapping[int, int]:
        return {id(use.body): number for number, use in enumerate(self.instances)}

    def instance(self, use: TypedUse) -> int:
        """Which instance a use is."""
        return self._numbers[id(use.body)]

    def holds(self, use: TypedUse) -> bool:
        """Whether a use is an instance of this definition."""
        return id(use.body) in self._numbers

    def split(self) -> tuple[Definition, ...]:
        """Definitions that share the instances, for where they cannot be written once."""
        groups: dict[Any, list[TypedUse]] = {}
        for use in self.instances:
            groups.setdefault(tuple(_counts(use.body)), []).append(use)
        if len(self.instances) == 1:  # no parameter can be an argument; all is written out
            return (dataclasses.replace(self, parameters={}),)
        parts = list(groups.values()) if len(groups) > 1 else [[use] for use in self.instances]
        return tuple(dataclasses.replace(self, instances=tuple(part)) for part in parts)


def _counts(chain: TypedChain) -> Iterator[tuple[int, ...]]:
    for step in chain.steps:
        yield tuple(run.count for run in step.runs)
        for run in step.runs:
            if isinstance(run.typed, TypedFork):
                for _, branch in run.typed.branches:
                    yield from _counts(branch)
            elif isinstance(run.typed, TypedUse):
                yield (id(run.typed.body),)


@dataclass(frozen=True, eq=False)
class Top:
    """What is printed once at the top: the sections of a network, or the chain of a block that is built alone.

    ``symbols`` maps ``in_channels`` and the arguments of the network (``classes``) or block to symbols. ``heads`` are
    the auxiliary heads in the network's frame.
    """

    symbols: Mapping[str, Symbol]
    sections: Mapping[str, ChainSite]
    heads: Mapping[str, ChainSite]


class Definitions:
    """The definitions that a typed program needs, in an order in which each only uses earlier ones; and the top.

    ``found`` are the definitions of a block at a rank: one, unless its uses differ in more than numbers.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.found: dict[tuple[str, int], tuple[Definition, ...]] = {}
        chains = [*typed.sections.values(), *(chain for _, chain in typed.heads)]
        uses: dict[tuple[str, int], dict[int, TypedUse]] = {}
        for found in chains:
            self._collect(found, uses)
        for key in uses:
            self._define(key, uses)

    def _collect(self, chain: TypedChain, uses: dict[tuple[str, int], dict[int, TypedUse]]) -> None:
        for use in uses_of(chain):
            bodies = uses.setdefault((use.node.block, use.x.rank), {})
            if id(use.body) not in bodies:
                bodies[id(use.body)] = use
                self._collect(use.body, uses)

    def _define(
        self, key: tuple[str, int], uses: Mapping[tuple[str, int], Mapping[int, TypedUse]]
    ) -> None:
        if key in self.found:
            return
        instances = tuple(uses[key].values())
        for use in instances:
            for inner in uses_of(use.body):
                self._define((inner.node.block, inner.x.rank), uses)
        block = self.typed.program.blocks[key[0]]
        parameters = {name: Symbol(named(name), kind) for name, kind in block.parameters.items()}
        whole = Definition(block, key[1], instances, Symbol(IN_CHANNELS), parameters, self)
        self.found[key] = tuple(_traceable(whole))

    def __iter__(self) -> Iterator[Definition]:
        return (definition for found in self.found.values() for definition in found)

    def of(self, typed: tuple[TypedUse, ...]) -> Definition:
        """The definition that a use needs in all of its rows; raises :class:`SplitError` where there are several."""
        found = self.found[typed[0].node.block, typed[0].x.rank]
        for definition in found:
            if all(map(definition.holds, typed)):
                return definition
        raise SplitError(typed[0].node)

    @cached_property
    def top(self) -> Top:
        """The top, in frames of one row."""
        program = self.typed.program
        kinds = {name: type(value).__name__ for name, value in program.values.items()}
        symbols = {name: Symbol(named(name), kind) for name, kind in kinds.items()}
        symbols[IN_CHANNELS] = Symbol(IN_CHANNELS)
        values = {**program.values, IN_CHANNELS: program.input.channels}
        rows = (Row({symbol: values[name] for name, symbol in symbols.items()}, 0),)
        names: dict[str, Term | None] = {name: of(symbol) for name, symbol in symbols.items()}
        frame = Frame(names, rows, sized=True)
        x: Term | None = of(symbols[IN_CHANNELS])
        sections: dict[str, ChainSite] = {}
        after: dict[str, Term | None] = {}
        for name, nodes in program.sections.items():
            sections[name] = found = chain(frame, nodes, (self.typed.sections[name],), x, self)
            after |= {step.node.segments[-1]: step.y for step in found.steps if step.node.segments}
            x = found.y
        heads = {}
        for head, typed in self.typed.heads:
            start = after[head.after]
            inner = Frame({**names, IN_CHANNELS: start}, rows, sized=True)
            heads[head.name] = chain(inner, head.chain, (typed,), start, self)
        return Top(symbols, sections, heads)

    def own_head(self, name: str) -> tuple[Mapping[str, Symbol], ChainSite]:
        """An auxiliary head in a frame of its own: its symbols, and its chain."""
        head, typed = next((head, typed) for head, typed in self.typed.heads if head.name == name)
        program = self.typed.program
        symbols = {
            key: Symbol(named(key), type(value).__name__) for key, value in program.values.items()
        }
        symbols[IN_CHANNELS] = channels = Symbol(IN_CHANNELS)
        values = {**program.values, IN_CHANNELS: typed.x.channels}
        rows = (Row({symbol: values[key] for key, symbol in symbols.items()}, 0),)
        frame = Frame({key: of(symbol) for key, symbol in symbols.items()}, rows, sized=True)
        return symbols, chain(frame, head.chain, (typed,), of(channels), self)


def _traceable(definition: Definition) -> Iterator[Definition]:
    """A definition, or those that it has to be split into, as its uses differ in rank or in what they use."""
    try:
        definition.chain  # noqa: B018
    except SplitError:
        for part in definition.split():
            yield from _traceable(part)
    else:
        yield definition


def named(parameter: str) -> str:
    """What generated code calls a parameter."""
    return "num_classes" if parameter == "classes" else parameter


def chain(
    frame: Frame, nodes: Chain, typed: tuple[TypedChain, ...], x: Term | None, plan: Definitions
) -> ChainSite:
    """The sites of a chain; ``x`` explains the channels before it."""
    steps = []
    start = x
    for index, node in enumerate(nodes):
        step = StepSite(frame, node, tuple(t.steps[index] for t in typed), x, plan)
        steps.append(step)
        x = step.y
    return ChainSite(frame, typed, start, tuple(steps))


def site(
    frame: Frame, node: Node, typed: tuple[Any, ...], x: Term | None, plan: Definitions
) -> Site:
    """The site of one repetition of a step."""
    if len({(t.x.rank, t.y.rank) for t in typed}) > 1:
        raise SplitError(node)
    if isinstance(node, OpNode):
        return LayerSite(frame, node, typed, x)
    if isinstance(node, UseNode):
        return UseSite(frame, node, typed, plan.of(typed), x)
    branches = []
    for index, (name, nodes) in enumerate(node.branches):
        branches.append(
            (name, chain(frame, nodes, tuple(t.branches[index][1] for t in typed), x, plan))
        )
    return ForkSite(frame, node, typed, tuple(branches))


def merged(fork: ForkSite) -> Term | None:
    """What explains the channels of a merge."""
    values = tuple(t.y.channels for t in fork.typed)
    terms = [branch.y for _, branch in fork.branches]
    if fork.node.merge == "concat":
        total: Term | None = constant(0)
        for term in terms:
            total = add(total, term)
        return fork.frame.held(total, values)
    found = [term for term in terms if fork.frame.holds(term, values)]
    return next(
        (term for term in found if term is not None and not term.parts), found[0] if found else None
    )
