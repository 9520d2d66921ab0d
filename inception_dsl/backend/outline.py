"""Turns repeated forks into blocks, so that each is printed once, however often it repeats, and
leaves out steps that are never there.

The new program has the same layers, types and paths. A new block has a parameter for every name
that its expressions may read; only those that are read become arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ..emit.names import Names
from ..ir.program import About, Block, Chain, ForkNode, Node, UseNode
from ..ir.typed import (
    Run,
    Typed,
    TypedChain,
    TypedFork,
    TypedProgram,
    TypedStep,
    TypedUse,
    size,
)
from ..ir.walk import inner_chains
from ..types.expression import Expression
from .frames import IN_CHANNELS


def outlined(typed: TypedProgram) -> TypedProgram:
    """The program with each repeated fork replaced by a use of a new block, without the steps that
    no use of their block has.
    """
    return _Outline(typed).program()


class _Outline:
    """Rewrites a program. All maps are keyed by the ``id`` of the original.

    ``forks`` maps forks to rewritten forks, ``uses`` repeated forks to the uses that replace them,
    ``chains`` typed chains to rewritten ones. ``absent`` are the steps to leave out.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.blocks = dict(typed.program.blocks)
        self.names = Names(self.blocks)
        self.forks: dict[int, ForkNode] = {}
        self.uses: dict[int, UseNode] = {}
        self.chains: dict[int, TypedChain] = {}
        counts: dict[int, int] = {}
        for step in every_step(typed.chains):
            counts[id(step.node)] = counts.get(id(step.node), 0) + step.count
        self.absent = {node for node, count in counts.items() if not count}

    def program(self) -> TypedProgram:
        """The new program."""
        typed, program = self.typed, self.typed.program
        kinds = {name: type(value).__name__ for name, value in typed.values.items()}
        for block in program.blocks.values():
            chain = self.nodes(block.chain, block.id, block.parameters)
            self.blocks[block.id] = block._replace(chain=chain)
        sections = {n: self.nodes(c, "", kinds) for n, c in program.sections.items()}
        heads = [h._replace(chain=self.nodes(h.chain, h.name, kinds)) for h in program.heads]
        if not self.uses and not self.absent:
            return typed
        values = {**typed.values, IN_CHANNELS: program.input.channels}
        typed_heads = []
        for head, (_, found) in zip(heads, typed.heads, strict=True):
            own = {**values, IN_CHANNELS: found.x.channels}
            typed_heads.append((head, self.chain(found, own)))
        made = program._replace(blocks=self.blocks, sections=sections, heads=tuple(heads))
        chains = {name: self.chain(chain, values) for name, chain in typed.sections.items()}
        return TypedProgram(made, chains, tuple(typed_heads), typed.outputs, typed.values)

    def nodes(
        self, chain: Chain, outer: str, kinds: Mapping[str, str], branch: str = "branches"
    ) -> Chain:
        """The steps of a chain of the block ``outer``; ``kinds`` are its parameters' types."""
        found = (node for node in chain if id(node) not in self.absent)
        return tuple(self.node(node, outer, kinds, branch) for node in found)

    def node(self, node: Node, outer: str, kinds: Mapping[str, str], branch: str) -> Node:
        """A step; a repeated fork becomes a use of a new block.

        The block is named after the fork, or after the ``branch`` that contains it.
        """
        if not isinstance(node, ForkNode):
            return node
        own = next((s for s in node.segments if not s.isdigit()), branch)
        block = f"{outer}_{own}" if outer else own
        block = block if node.repeat == 1 else self.names.unique(block)
        branches = tuple((name, self.nodes(c, outer, kinds, name)) for name, c in node.branches)
        self.forks[id(node)] = fork = node._replace(branches=branches)
        if node.repeat == 1:
            return fork
        self.forks[id(node)] = fork = fork._replace(name=None, segments=(), repeat=1)
        parameters = MappingProxyType({**kinds, IN_CHANNELS: "int"})
        self.blocks[block] = Block(block, parameters, (fork,), About(), node.origin)
        given = MappingProxyType({p: Expression(f"${p}", (("name", p, 1),)) for p in parameters})
        use = UseNode(block, given, node.name, node.segments, node.repeat, (), node.origin)
        self.uses[id(node)] = use
        return use

    def chain(self, chain: TypedChain, values: Mapping[str, Any]) -> TypedChain:
        """A typed chain; ``values`` are the values that its expressions may read."""
        if id(chain) not in self.chains:
            found = (step for step in chain.steps if id(step.node) not in self.absent)
            steps = tuple(self.step(step, values) for step in found)
            self.chains[id(chain)] = replace(chain, steps=steps)
        return self.chains[id(chain)]

    def step(self, step: TypedStep, values: Mapping[str, Any]) -> TypedStep:
        """A typed step."""
        runs = tuple(Run(run.count, self.typed_node(run.typed, values)) for run in step.runs)
        key = id(step.node)
        node = self.uses.get(key, self.forks.get(key, step.node))
        return replace(step, node=node, runs=runs)

    def typed_node(self, typed: Typed, values: Mapping[str, Any]) -> Typed:
        """A typed node."""
        if isinstance(typed, TypedUse):
            inner = {**typed.arguments, IN_CHANNELS: typed.x.channels}
            return replace(typed, body=self.chain(typed.body, inner))
        if not isinstance(typed, TypedFork):
            return typed
        own = {n: {**values, IN_CHANNELS: c.x.channels} for n, c in typed.branches}
        inner = own if typed.node.inputs else dict.fromkeys(own, values)
        branches = tuple((name, self.chain(chain, inner[name])) for name, chain in typed.branches)
        fork = TypedFork(self.forks[id(typed.node)], branches, typed.x, typed.y)
        use = self.uses.get(id(typed.node))
        if use is None:
            return fork
        once = TypedStep(fork.node, (Run(1, fork),), repeated=False, x=typed.x)
        body = TypedChain((once,), typed.x, typed.y, size(fork))
        return TypedUse(use, values, body, typed.x, typed.y)


def every_step(chains: Iterable[TypedChain]) -> Iterator[TypedStep]:
    """Every step of chains, of their branches and of the blocks that they use, once."""
    seen, pending = set[int](), [*chains]
    while pending:
        chain = pending.pop()
        if id(chain) in seen:
            continue
        seen.add(id(chain))
        for step in chain.steps:
            yield step
            pending += [inner for run in step.runs for inner in inner_chains(run.typed)]
