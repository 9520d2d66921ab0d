"""The typed program: the tree of a program, with the tensor types before and after every node.

Nodes compare by identity. All uses of a block with the same input type and arguments share one
typed chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from ..ops import Op
from ..types.tensor import TensorType
from ..types.weight import Weight
from .program import AuxHead, ForkNode, Node, OpNode, Program, UseNode

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TypedOp:
    """A layer whose expressions are replaced by values.

    Its weights and cost are computed once, however often the layer is used and by whom.
    """

    node: OpNode
    op: Op
    x: TensorType
    y: TensorType

    @cached_property
    def weights(self) -> tuple[Weight, ...]:
        """The variables of the layer, in the neutral layout."""
        return self.op.weights(self.x)

    @cached_property
    def macs(self) -> int:
        """The multiply-adds for one sample."""
        return self.op.macs(self.x, self.y)


@dataclass(frozen=True, slots=True, eq=False)
class TypedFork:
    """A fork with the types of its branches."""

    node: ForkNode
    branches: tuple[tuple[str, TypedChain], ...]
    x: TensorType
    y: TensorType


@dataclass(frozen=True, slots=True, eq=False)
class TypedUse:
    """A use with the values of its parameters, and the typed chain of the block."""

    node: UseNode
    arguments: Mapping[str, Any]
    body: TypedChain
    x: TensorType
    y: TensorType


Typed: TypeAlias = TypedOp | TypedFork | TypedUse


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """``count`` repetitions with the same types."""

    count: int
    typed: Typed


@dataclass(frozen=True, slots=True, eq=False)
class TypedStep:
    """A step with its repetitions.

    ``repeated`` means that ``repeat`` is not 1; an expression counts even if its value is 1.
    """

    node: Node
    runs: tuple[Run, ...]
    repeated: bool

    @property
    def count(self) -> int:
        return sum(run.count for run in self.runs)

    @property
    def size(self) -> int:
        """The number of layers and merges, including repetitions."""
        return sum(run.count * size(run.typed) for run in self.runs)

    @property
    def x(self) -> TensorType:
        return self.runs[0].typed.x

    @property
    def y(self) -> TensorType:
        return self.runs[-1].typed.y


@dataclass(frozen=True, slots=True, eq=False)
class TypedChain:
    """A chain; ``size`` is the number of layers and merges, including repetitions."""

    steps: tuple[TypedStep, ...]
    x: TensorType
    y: TensorType
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class TypedProgram:
    """A program with the types of its sections, auxiliary heads and outputs."""

    program: Program
    sections: Mapping[str, TypedChain]
    heads: tuple[tuple[AuxHead, TypedChain], ...]
    outputs: Mapping[str, TensorType]

    @property
    def y(self) -> TensorType:
        return list(self.sections.values())[-1].y

    @property
    def probabilities(self) -> bool:
        """Whether the last layer is a softmax, so that the network outputs no logits."""
        steps = [step for chain in self.sections.values() for step in chain.steps]
        last = steps[-1].runs[-1].typed if steps else None
        op = last.op if isinstance(last, TypedOp) else None
        return "softmax" in (getattr(op, "activation", ""), getattr(op, "function", ""))

    @property
    def has_loss(self) -> bool:
        """Whether the program is trained as a classifier.

        True for a network with ``training`` or auxiliary heads if all outputs have one position.
        """
        program = self.program
        ends = [self.y, *(chain.y for _, chain in self.heads)]
        return bool(program.training or program.aux_heads) and all(y.positions() == 1 for y in ends)


def size(typed: Typed) -> int:
    """The number of layers and merges of one node.

    At least one for a use, so that the limits also apply to nested uses without layers.
    """
    if isinstance(typed, TypedFork):
        return 1 + sum(chain.size for _, chain in typed.branches)
    return typed.body.size or 1 if isinstance(typed, TypedUse) else 1
