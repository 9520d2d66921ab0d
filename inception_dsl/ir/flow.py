"""A program in static single assignment form: ordered statements over values and weights with ids.

Each value is assigned once and may be read by several statements, so a program may be any directed
acyclic graph. Weights have ids too, so layers may share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, TypeAlias

from ..types.tensor import TensorType
from .typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from .walk import applications, owned

ValueId = NewType("ValueId", int)


@dataclass(frozen=True, slots=True)
class WeightId:
    """A weight: the path of the layer that owns it, and its name in the op of that layer."""

    owner: Path
    name: str

    @property
    def path(self) -> str:
        """The name in weight files."""
        return "/".join((*self.owner, self.name))


@dataclass(frozen=True, slots=True, eq=False)
class Apply:
    """``y`` is the output of a layer for input ``x``; ``weights`` are by their names in its op."""

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
    """``y`` is the merge of a fork; ``inputs`` has one value for each branch, in order."""

    typed: TypedFork
    path: Path
    inputs: tuple[ValueId, ...]
    y: ValueId


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """``y`` is the channels of ``x`` from ``start`` to ``stop``: the input of one branch."""

    path: Path
    x: ValueId
    y: ValueId
    start: int
    stop: int

    @property
    def inputs(self) -> tuple[ValueId, ...]:
        return (self.x,)


Statement: TypeAlias = Apply | Merge | Part


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A program; each statement comes after the statements that assign its inputs.

    ``inputs`` are by name. ``types`` has the type of every value. ``outputs`` are the final output,
    the further outputs and the heads, by name; ``blocks`` the outputs of all used blocks and
    top-level steps, by path. Every value is read by a statement or is an output.
    """

    inputs: Mapping[str, ValueId]
    types: Mapping[ValueId, TensorType]
    statements: tuple[Statement, ...]
    outputs: Mapping[str, ValueId]
    blocks: Mapping[str, ValueId]

    @property
    def input(self) -> ValueId:
        """The input, or the first of several."""
        return next(iter(self.inputs.values()))

    def last_reads(self) -> dict[ValueId, int]:
        """The index of the last statement that reads each value."""
        return {
            value: index
            for index, statement in enumerate(self.statements)
            for value in statement.inputs
        }


def flow(typed: TypedProgram, *, heads: bool = True) -> Flow:
    """The statements of a program in execution order; the heads come last.

    ``heads`` adds the auxiliary ones.
    """
    program = typed.program
    builder = _Builder(program.inputs)
    end = next(iter(builder.inputs.values()))
    after: dict[str, ValueId] = {}
    for chain in typed.sections.values():
        end = builder.top(chain, end, (), after)
    outputs = {typed.output_name: end}
    outputs |= {name: after[step] for name, step in program.outputs.items()}
    for head, chain in typed.heads:
        if heads or not head.auxiliary:
            outputs[head.name] = builder.top(chain, after[head.after], (head.name,), {})
    return Flow(builder.inputs, builder.types, tuple(builder.statements), outputs, builder.blocks)


class _Builder:
    """Adds statements in order; each method returns the output value of its part."""

    def __init__(self, inputs: Mapping[str, TensorType]) -> None:
        self.types: dict[ValueId, TensorType] = {}
        self.statements: list[Statement] = []
        self.blocks: dict[str, ValueId] = {}
        self.inputs = {name: self.assigned(x) for name, x in inputs.items()}

    def assigned(self, of: TensorType) -> ValueId:
        """A new value."""
        value = ValueId(len(self.types))
        self.types[value] = of
        return value

    def top(self, chain: TypedChain, x: ValueId, path: Path, after: dict[str, ValueId]) -> ValueId:
        """Add a top-level chain: ``blocks`` and ``after`` get the output of each step."""
        own: dict[str, ValueId] = {}
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments), owned(step, segments, path), own)
                if here := "/".join((*path, *segments)):
                    self.blocks[here] = x
            own |= dict.fromkeys(step.node.segments[-1:], x)
        after |= own
        return x

    def chain(self, chain: TypedChain, x: ValueId, path: Path, owner: Path) -> ValueId:
        """``owner`` is the path of the weights, as in :func:`~.walk.owned`."""
        own: dict[str, ValueId] = {}
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments), owned(step, segments, owner), own)
            own |= dict.fromkeys(step.node.segments[-1:], x)
        return x

    def node(
        self, typed: Typed, x: ValueId, path: Path, owner: Path, own: Mapping[str, ValueId]
    ) -> ValueId:
        """Add a node, whose weights are those at ``owner``; ``own`` are the outputs of the steps
        before it in its chain.
        """
        if isinstance(typed, TypedUse):
            self.blocks["/".join(path)] = x = self.chain(typed.body, x, path, owner)
            return x
        if isinstance(typed, TypedFork):
            starts = self.starts(typed, x, path, own)
            ends = [
                self.chain(branch, start, (*path, name), (*owner, name))
                for (name, branch), start in zip(typed.branches, starts, strict=True)
            ]
            y = self.assigned(typed.y)
            self.statements.append(Merge(typed, path, tuple(ends), y))
            return y
        weights = {w.name: WeightId(owner, w.name) for w in typed.weights}
        y = self.assigned(typed.y)
        self.statements.append(Apply(typed, path, x, y, weights))
        return y

    def starts(
        self, fork: TypedFork, x: ValueId, path: Path, own: Mapping[str, ValueId]
    ) -> list[ValueId]:
        """The inputs of the branches of a fork: all of ``x``, parts of it, earlier outputs, or the
        inputs of the network.
        """
        if fork.node.inputs:
            return [self.inputs[name] for name, _ in fork.branches]
        if not fork.node.split:
            return fork.node.starts(x, own)
        found, start = [], 0
        for _, branch in fork.branches:
            y, stop = self.assigned(branch.x), start + branch.x.channels
            self.statements.append(Part(path, x, y, start, stop))
            found.append(y)
            start = stop
        return found
