"""The definitions that a program needs: its blocks, each with all uses, and the top level."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..analysis.sizes import growing
from ..analysis.widths import TOP, filter_parameters
from ..ir.program import Block, Program
from ..ir.typed import TypedChain, TypedProgram, TypedStep, TypedUse
from ..ir.walk import roots, sharing, uses_of
from ..types.terms import Symbol, Term, constant, of
from .frames import IN_CHANNELS, Frame, Row, SplitError
from .runs import counts, structure
from .sites import ChainSite, chain


@dataclass(frozen=True, eq=False)
class Definition:
    """A block that is printed once: its symbols, and its chain in every instance.

    An instance is the block with one set of arguments on one input type. ``instances`` holds one
    use of each.
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
        width = self.plan.typed.program.width
        return Frame(names, tuple(rows), False, width, self.filters)

    @property
    def filters(self) -> frozenset[str]:
        """The parameters that are only numbers of filters."""
        return self.plan.filters[self.block.id]

    @cached_property
    def chain(self) -> ChainSite:
        bodies = tuple(use.body for use in self.instances)
        return chain(self.frame, self.block.chain, bodies, of(self.channels), self.plan)

    @cached_property
    def _numbers(self) -> Mapping[int, int]:
        return {id(use.body): number for number, use in enumerate(self.instances)}

    def instance(self, use: TypedUse) -> int:
        """The index of the instance that a use refers to."""
        return self._numbers[id(use.body)]

    def holds(self, use: TypedUse) -> bool:
        """Whether a use is an instance of this definition."""
        return id(use.body) in self._numbers

    def split(self, groups: Mapping[int, Hashable] | None = None) -> tuple[Definition, ...]:
        """Split the instances over several definitions, as one definition cannot express them all.

        ``groups`` maps instances to keys, as in :class:`SplitError`; without it, instances are
        grouped by their structure.
        """
        if len(self.instances) == 1:  # parameters cannot be arguments: print their values instead
            return (replace(self, parameters={}),)
        keys = groups or {}
        ways: tuple[Callable[[TypedUse], Hashable], ...] = (
            lambda use: keys.get(self.instance(use)),
            self._structure,
            lambda use: tuple(counts(use.body)),
            lambda use: self.instance(use),
        )
        for alike in ways:
            parts: dict[Hashable, list[TypedUse]] = {}
            for use in self.instances:
                parts.setdefault(alike(use), []).append(use)
            if len(parts) > 1:
                break
        return tuple(replace(self, instances=tuple(p)) for p in parts.values())

    def _structure(self, use: TypedUse) -> Any:
        return structure(use.body, lambda inner: id(self.plan.of((inner,))))


@dataclass(frozen=True, eq=False)
class Top:
    """The top level, which is printed once: the sections of a network, or a block built alone.

    ``symbols`` maps ``in_channels`` and the parameters of the network (``classes``) or block to
    symbols, ``channels`` the inputs to those of their channels. ``heads`` are the auxiliary heads,
    in the network's frame.
    """

    symbols: Mapping[str, Symbol]
    channels: Mapping[str, Symbol]
    sections: Mapping[str, ChainSite]
    heads: Mapping[str, ChainSite]


class Definitions:
    """The definitions of a typed program, ordered so that each uses only earlier ones; the top
    level.

    ``found`` maps a block and a rank to its definitions: one, unless its uses differ in more than
    numbers.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.filters = filter_parameters(typed.program)
        self.filters[TOP] |= {"classes"}  # which no width scales
        self.found: dict[tuple[str, int], tuple[Definition, ...]] = {}
        uses: dict[tuple[str, int], dict[int, TypedUse]] = {}
        for found in typed.chains:
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
        """The definition of a use; raises :class:`SplitError` if its rows need several."""
        found = self.found[typed[0].node.block, typed[0].x.rank]
        for definition in found:
            if all(map(definition.holds, typed)):
                return definition
        raise SplitError(typed[0].node)

    @cached_property
    def growing(self) -> frozenset[int]:
        """The layers whose maps may have more positions at other input sizes, by ``id``."""
        return growing(self.typed)

    @cached_property
    def sharers(self) -> Mapping[int, tuple[TypedStep, ...]]:
        """The repetitions of steps that have the weights of a step, by the ``id`` of that."""
        found: dict[int, tuple[TypedStep, ...]] = {}
        for chains in roots(self.typed):
            for step, owner, _ in sharing(chains):
                once = (
                    TypedStep(owner.node, (replace(r, count=1),), False, r.typed.x)
                    for r in step.runs
                )
                found[id(owner)] = (*found.get(id(owner), ()), *once)
        return found

    @cached_property
    def top(self) -> Top:
        """The top level, in frames with one row."""
        program = self.typed.program
        keys = {name: of_input(name, program) for name in program.inputs}
        symbols, frame = self._top_frame({keys[n]: x.channels for n, x in program.inputs.items()})
        channels = {name: symbols[key] for name, key in keys.items()}
        x: Term | None = None if program.several else frame.names[IN_CHANNELS]
        if program.several:
            fixed = IN_CHANNELS in (program.literal or ())
            inputs = {
                name: constant(program.inputs[name].channels) if fixed else of(symbol)
                for name, symbol in channels.items()
            }
            frame = replace(frame, inputs=inputs)
        sections: dict[str, ChainSite] = {}
        after: dict[str, Term | None] = {}
        for name, nodes in program.sections.items():
            sections[name] = found = chain(frame, nodes, (self.typed.sections[name],), x, self)
            after |= {step.node.segments[-1]: step.y for step in found.steps if step.node.segments}
            x = found.y
        heads = {}
        for head, typed in self.typed.heads:
            start = after[head.after]
            inner = replace(frame, names={**frame.names, IN_CHANNELS: start})
            heads[head.name] = chain(inner, head.chain, (typed,), start, self)
        return Top(symbols, channels, sections, heads)

    def _top_frame(self, channels: Mapping[str, int]) -> tuple[dict[str, Symbol], Frame]:
        """The symbols of the top level, and its frame; some parameters are written as numbers.

        ``channels`` are those of the inputs, by the keys of their symbols.
        """
        typed, literal = self.typed, self.typed.program.literal or frozenset()
        kinds = {n: type(value).__name__ for n, value in typed.values.items() if n not in literal}
        symbols = {name: Symbol(named(name), kind) for name, kind in kinds.items()}
        symbols |= {key: Symbol(key.replace(".", "_")) for key in channels}
        values = {**typed.values, **channels}
        rows = (Row({symbol: values[name] for name, symbol in symbols.items()}, 0),)
        names: dict[str, Term | None] = {IN_CHANNELS: None}
        names |= {name: of(symbol) for name, symbol in symbols.items()}
        for name in literal & values.keys():
            value = values[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            names[name] = constant(value) if number else None
        return symbols, Frame(names, rows, True, typed.program.width, self.filters[TOP])

    def own_head(self, name: str) -> tuple[Mapping[str, Symbol], ChainSite]:
        """The symbols and the chain of an auxiliary head in its own frame."""
        head, typed = next((head, typed) for head, typed in self.typed.heads if head.name == name)
        symbols, frame = self._top_frame({IN_CHANNELS: typed.x.channels})
        channels = symbols[IN_CHANNELS]
        return symbols, chain(frame, head.chain, (typed,), of(channels), self)


def _traceable(definition: Definition) -> Iterator[Definition]:
    """Yield a definition, or its parts if its uses differ in rank or in the blocks they use."""
    try:
        _ = definition.chain
    except SplitError as error:
        if len(definition.instances) == 1 and not definition.parameters:
            raise  # there is nothing left to split
        for part in definition.split(error.groups):
            yield from _traceable(part)
    else:
        yield definition


def of_input(name: str, program: Program) -> str:
    """The key of the symbol for the channels of an input."""
    return f"{name}.channels" if program.several else IN_CHANNELS


def named(parameter: str) -> str:
    """The name of a parameter in generated code."""
    return {"classes": "num_classes", IN_CHANNELS: "outer_channels"}.get(parameter, parameter)
