"""The program in single assignment: statements in order, over values and weights with identities.

A value is assigned once and read by any number of statements, so that the program may be any graph
without cycles. A weight has an identity of its own too, so that layers may share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, TypeAlias

from ..types.tensor import TensorType
from .typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from .walk import applications

ValueId = NewType("ValueId", int)


@dataclass(frozen=True, slots=True)
class WeightId:
    """A weight: the path of the layer that owns it, and its name in the op of that layer."""

    owner: Path
    name: str

    @property
    def path(self) -> str:
        """What weight files call it."""
        return "/".join((*self.owner, self.name))


@dataclass(frozen=True, slots=True, eq=False)
class Apply:
    """``y`` is a layer of ``x``; ``weights`` by their names in its op."""

    typed: TypedOp
    path: Path
    x: ValueId
    y: ValueId
    weights: Mapping[str, WeightId]

    @property
    def inputs(self) -> tuple[ValueId, ...]:
        return (self.x,)


@dataclass(frozen=True, slots=True, eq=False)
class Merge:
    """``y`` is the merge of a fork of ``inputs``, one for each branch in order."""

    typed: TypedFork
    path: Path
    inputs: tuple[ValueId, ...]
    y: ValueId


Statement: TypeAlias = Apply | Merge


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Every statement comes after those that assign its inputs; each value is read or an output.

    ``types`` has the type of every value. ``outputs`` are the end of the network, its further
    outputs and its auxiliary heads by name; ``blocks`` what every used block and every step at the
    top gives, by path.
    """

    input: ValueId
    types: Mapping[ValueId, TensorType]
    statements: tuple[Statement, ...]
    outputs: Mapping[str, ValueId]
    blocks: Mapping[str, ValueId]

    def last_reads(self) -> dict[ValueId, int]:
        """The index of the last statement that reads each value."""
        return {
            value: index
            for index, statement in enumerate(self.statements)
            for value in statement.inputs
        }


def flow(typed: TypedProgram, *, heads: bool = True) -> Flow:
    """The statements of a program, in the order of its layers; the auxiliary heads come last."""
    program = typed.program
    builder = _Builder()
    start = end = builder.assigned(program.input)
    after: dict[str, ValueId] = {}
    for chain in typed.sections.values():
        end = builder.top(chain, end, (), after)
    outputs = {program.output_name: end}
    outputs |= {name: after[step] for name, step in program.outputs.items()}
    if heads:
        for head, chain in typed.heads:
            outputs[head.name] = builder.top(chain, after[head.after], (head.name,), {})
    return Flow(start, builder.types, tuple(builder.statements), outputs, builder.blocks)


class _Builder:
    """Statements are added in order; every method gives the value that its part ends with."""

    def __init__(self) -> None:
        self.types: dict[ValueId, TensorType] = {}
        self.statements: list[Statement] = []
        self.blocks: dict[str, ValueId] = {}

    def assigned(self, of: TensorType) -> ValueId:
        """A new value."""
        value = ValueId(len(self.types))
        self.types[value] = of
        return value

    def top(self, chain: TypedChain, x: ValueId, path: Path, after: dict[str, ValueId]) -> ValueId:
        """A chain of which every step is a boundary; ``after`` gets these by the steps' names."""
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments))
                if here := "/".join((*path, *segments)):
                    self.blocks[here] = x
            if step.node.segments:
                after[step.node.segments[-1]] = x
        return x

    def chain(self, chain: TypedChain, x: ValueId, path: Path) -> ValueId:
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments))
        return x

    def node(self, typed: Typed, x: ValueId, path: Path) -> ValueId:
        if isinstance(typed, TypedUse):
            self.blocks["/".join(path)] = x = self.chain(typed.body, x, path)
            return x
        if isinstance(typed, TypedFork):
            ends = [self.chain(branch, x, (*path, name)) for name, branch in typed.branches]
            y = self.assigned(typed.y)
            self.statements.append(Merge(typed, path, tuple(ends), y))
            return y
        weights = {w.name: WeightId(path, w.name) for w in typed.op.weights(typed.x)}
        y = self.assigned(typed.y)
        self.statements.append(Apply(typed, path, x, y, weights))
        return y
