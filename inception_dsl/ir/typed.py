"""The typed program: the tree of a program, with the tensor types before and after every node.

Nodes compare by identity. All uses of a block with the same input type and arguments share one
typed chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ..ops import Op
from ..types.tensor import TensorType
from ..types.weight import Weight
from .program import INPUT, ForkNode, Head, Node, OpNode, Program, UseNode

Path: TypeAlias = tuple[str, ...]
_MAPPINGS: Final = ("sections", "outputs", "values")


def _seal(made: object, **fields: object) -> None:
    """Set fields of a frozen object that is being made."""
    for name, value in fields.items():
        object.__setattr__(made, name, value)


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
    """A fork with the types of its branches.

    ``x`` is the input that they get, or get parts of; the first one in a fork of inputs.
    """

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

    def __post_init__(self) -> None:
        _seal(self, arguments=MappingProxyType({**self.arguments}))


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
    ``x`` is the input. A step without repetitions has no runs and passes it on.
    """

    node: Node
    runs: tuple[Run, ...]
    repeated: bool
    x: TensorType

    @property
    def count(self) -> int:
        return sum(run.count for run in self.runs)

    @property
    def size(self) -> int:
        """The number of layers and merges, including repetitions."""
        return sum(run.count * size(run.typed) for run in self.runs)

    @property
    def y(self) -> TensorType:
        return self.runs[-1].typed.y if self.runs else self.x


@dataclass(frozen=True, slots=True, eq=False)
class TypedChain:
    """A chain; ``size`` is the number of layers and merges, including repetitions."""

    steps: tuple[TypedStep, ...]
    x: TensorType
    y: TensorType
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class TypedProgram:
    """A program with the types of its sections, heads and outputs.

    ``values`` are the top-level parameters with the width applied.
    """

    program: Program
    sections: Mapping[str, TypedChain]
    heads: tuple[tuple[Head, TypedChain], ...]
    outputs: Mapping[str, TensorType]
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        _seal(self, program=self.program.sealed())
        _seal(self, **{n: MappingProxyType({**getattr(self, n)}) for n in _MAPPINGS})

    @property
    def y(self) -> TensorType:
        return list(self.sections.values())[-1].y

    @property
    def chains(self) -> tuple[TypedChain, ...]:
        """The top-level chains: the sections, then those of the heads."""
        return (*self.sections.values(), *(chain for _, chain in self.heads))

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs that the first step gets."""
        if fork := self.entry:
            return {name: branch.x for name, branch in fork.branches}
        return {INPUT: next(iter(self.sections.values())).x}

    @property
    def entry(self) -> TypedFork | None:
        """The first step, if it is the fork of several inputs."""
        chains = (chain for chain in self.sections.values() if chain.steps)
        first = next(chains).steps[0].runs[0].typed if self.program.several else None
        return first if isinstance(first, TypedFork) else None

    @property
    def end(self) -> End:
        """What the network outputs."""
        return end_of(self.sections.values())

    @property
    def output_name(self) -> str:
        """The name of the final output: what it is in a network."""
        return final_name(self.program, self.end, self.y)

    @property
    def probabilities(self) -> bool:
        """Whether the network outputs the result of a softmax."""
        return self.end == "probabilities"

    @property
    def auxiliary(self) -> frozenset[str]:
        """The names of the auxiliary heads, which run in training only."""
        return frozenset(head.name for head, _ in self.heads if head.auxiliary)

    @property
    def always(self) -> tuple[tuple[Head, TypedChain], ...]:
        """The heads that run in inference too."""
        return tuple((head, chain) for head, chain in self.heads if not head.auxiliary)

    @property
    def classifiers(self) -> tuple[Classifier, ...]:
        """The outputs that are trained with the classes of the network, its own output first.

        Empty if the network is not trained as a classifier: without ``training`` and auxiliary
        heads, or if its own output is not logits or probabilities at one position. Auxiliary heads
        of other kinds are outputs without a loss.
        """
        program = self.program
        found = [Classifier(self.output_name, 1.0, self.y, self.end)]
        found += [
            Classifier(head.name, head.loss_weight, chain.y, end_of([chain]))
            for head, chain in self.heads
            if head.auxiliary
        ]
        asked = bool(program.training or self.auxiliary)
        return tuple(c for c in found if c.trained) if asked and found[0].trained else ()

    @property
    def has_loss(self) -> bool:
        """Whether the program has a loss: it is trained as a classifier, or outputs have one."""
        return bool(self.classifiers or self.program.losses)

    @property
    def targets(self) -> tuple[str, ...]:
        """The outputs whose targets the loss takes; auxiliary heads have those of the first."""
        own = [self.output_name] if self.classifiers else []
        return (*own, *self.program.losses)


End: TypeAlias = Literal["logits", "probabilities", "features"]


class Classifier(NamedTuple):
    """An output that is trained with the classes: its weight in the loss, its type, what it is."""

    output: str
    weight: float
    y: TensorType
    end: End

    @property
    def trained(self) -> bool:
        """Whether cross-entropy with class indices is defined for it."""
        return self.end != "features" and self.y.positions() == 1


KEEPING: Final = frozenset(
    {"dropout", "flatten", "identity", "adaptive_avg_pool", "upsample", "crop"}
)
"""Ops after which logits are logits and probabilities are probabilities, as after global average
pools; a ``flatten`` of several positions only keeps logits."""
AFFINE: Final = frozenset({"batch_norm", "scale"})
"""Ops after which logits are logits, but probabilities are not."""


def final_name(program: Program, end: End, y: TensorType) -> str:
    """The name of the final output: what it is, if a network classifies its input."""
    classifies = program.kind == "network" and end != "features" and y.positions() == 1
    return end if classifies else "output"


def end_of(chains: Iterable[TypedChain]) -> End:
    """What chains in a row output, by the last op that decides it.

    ``features`` is everything that is neither the result of a softmax nor of a layer without an
    activation.
    """
    affine = False
    for node in ops_from_the_end(chains):
        if node is None:
            return "features"
        op = node.op
        affine = affine or (op.op == "flatten" and node.x.positions() != 1)
        if op.op in KEEPING or (op.op == "global_avg_pool" and node.x.channels == node.y.channels):
            continue  # a mean over several channels is no logit
        if op.op in AFFINE:
            affine = True
            continue
        name = getattr(op, "function", getattr(op, "activation", None))
        if name == "softmax":
            return "features" if affine or getattr(op, "parts", None) else "probabilities"
        if op.op == "activation" and name == "none":
            continue
        return "logits" if name == "none" else "features"
    return "features"


def ops_from_the_end(chains: Iterable[TypedChain]) -> Iterator[TypedOp | None]:
    """The layers in reverse order, uses entered; ``None`` for a fork, where the order ends."""
    for chain in reversed([*chains]):
        for step in reversed(chain.steps):
            for run in reversed(step.runs):
                for _ in range(run.count):
                    yield from _ops_of(run.typed)


def _ops_of(typed: Typed) -> Iterator[TypedOp | None]:
    if isinstance(typed, TypedUse):
        yield from ops_from_the_end([typed.body])
    else:
        yield typed if isinstance(typed, TypedOp) else None


def size(typed: Typed) -> int:
    """The number of layers and merges of one node.

    At least one for a use, so that the limits also apply to nested uses without layers.
    """
    if isinstance(typed, TypedFork):
        return 1 + sum(chain.size for _, chain in typed.branches)
    return typed.body.size or 1 if isinstance(typed, TypedUse) else 1
