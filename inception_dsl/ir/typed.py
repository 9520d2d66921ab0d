"""The typed program: the same tree with a tensor type before and after every node.

Nodes are told apart by identity: a block that is used again with the same values is the same node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..ops import Op
from ..types.tensor import TensorType
from .program import AuxHead, ForkNode, Node, OpNode, Program, UseNode

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TypedOp:
    """A layer whose attributes are values."""

    node: OpNode
    op: Op
    x: TensorType
    y: TensorType


@dataclass(frozen=True, slots=True, eq=False)
class TypedFork:
    """A fork with the types of its branches."""

    node: ForkNode
    branches: tuple[tuple[str, TypedChain], ...]
    x: TensorType
    y: TensorType


@dataclass(frozen=True, slots=True, eq=False)
class TypedUse:
    """A use with the values of its parameters and the block's chain for this input."""

    node: UseNode
    arguments: Mapping[str, Any]
    body: TypedChain
    x: TensorType
    y: TensorType


Typed: TypeAlias = TypedOp | TypedFork | TypedUse


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """``count`` repetitions that all have the same types."""

    count: int
    typed: Typed


@dataclass(frozen=True, slots=True, eq=False)
class TypedStep:
    """A step with its repetitions; ``repeated`` where the spec says ``repeat``, even once."""

    node: Node
    runs: tuple[Run, ...]
    repeated: bool

    @property
    def count(self) -> int:
        return sum(run.count for run in self.runs)

    @property
    def size(self) -> int:
        """The number of layers and merges, repetitions counted."""
        return sum(run.count * size(run.typed) for run in self.runs)

    @property
    def x(self) -> TensorType:
        return self.runs[0].typed.x

    @property
    def y(self) -> TensorType:
        return self.runs[-1].typed.y


@dataclass(frozen=True, slots=True, eq=False)
class TypedChain:
    """``size`` is the number of layers and merges, repetitions counted."""

    steps: tuple[TypedStep, ...]
    x: TensorType
    y: TensorType
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class TypedProgram:
    """The program on its input: every section, every auxiliary head, every output with its type."""

    program: Program
    sections: Mapping[str, TypedChain]
    heads: tuple[tuple[AuxHead, TypedChain], ...]
    outputs: Mapping[str, TensorType]

    @property
    def y(self) -> TensorType:
        return list(self.sections.values())[-1].y

    @property
    def probabilities(self) -> bool:
        """Whether the end of the network is a softmax, so that its outputs are not logits."""
        steps = [step for chain in self.sections.values() for step in chain.steps]
        last = steps[-1].runs[-1].typed if steps else None
        op = last.op if isinstance(last, TypedOp) else None
        return "softmax" in (getattr(op, "activation", ""), getattr(op, "function", ""))

    @property
    def has_loss(self) -> bool:
        """Whether it is trained on classes.

        A network with ``training`` or auxiliary heads, all ending in vectors.
        """
        program = self.program
        ends = [self.y, *(chain.y for _, chain in self.heads)]
        return bool(program.training or program.aux_heads) and all(y.positions() == 1 for y in ends)


def size(typed: Typed) -> int:
    """The number of layers and merges of one node.

    Of a use at least one, as it takes room without layers too.
    """
    if isinstance(typed, TypedFork):
        return 1 + sum(chain.size for _, chain in typed.branches)
    return typed.body.size or 1 if isinstance(typed, TypedUse) else 1
