"""The program: a checked spec with defaults filled in, before types are inferred.

Blocks and repeats are not expanded. An attribute may be an
:class:`~inception_dsl.types.expression.Expression` over the parameters of its block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from ..diagnostics.report import Span
from ..ops import Op
from ..types.loss import LossKind
from ..types.merge import Merge
from ..types.prose import Prose
from ..types.split import Split
from ..types.tensor import TensorType
from ..types.width import UNCHANGED, Width
from ..yaml.document import DataPath, Document
from .recipe import Training
from .sections import Preprocessing

T = TypeVar("T")
INPUT: Final = "input"
"""The name of the input, if there is only one."""


class Origin(NamedTuple):
    """The location of a part of the program in its file."""

    document: Document
    path: DataPath

    def span(self, *rest: str | int) -> Span:
        return self.document.span((*self.path, *rest))

    def below(self, *rest: str | int) -> Origin:
        return Origin(self.document, (*self.path, *rest))


class About(NamedTuple):
    """The documentation of a network, block or head, and the warnings it allows.

    ``paper`` maps fields of the spec's ``paper`` to text. ``modified_from`` names the original of
    what an overlay changes, ``original`` is the paper of what the spec extends.
    """

    title: Prose = Prose()
    description: Prose = Prose()
    paper: Mapping[str, Prose] = MappingProxyType({})
    deviations: tuple[Prose, ...] = ()
    allow: tuple[str, ...] = ()
    modified_from: Prose = Prose()
    original: Mapping[str, Prose] = MappingProxyType({})


class Shares(NamedTuple):
    """The step whose weights a step has: ``up`` is how many segments to remove from the step's own
    path (without the index of a repetition), ``down`` what follows instead.
    """

    up: int
    down: tuple[str, ...]

    def of(self, own: tuple[str, ...]) -> tuple[str, ...]:
        """The path of the step that has the weights, from the path of the step that shares them."""
        return (*own[: len(own) - self.up], *self.down)


class OpNode(NamedTuple):
    """A layer.

    ``segments`` is its part of the path: its name or its position, or empty if it is the only step.
    If its repetitions differ, ``each`` has a node for each of them, without ``deviation`` and
    ``allow``, which are those of the step. ``shares``: it has the weights
    of another layer.
    """

    op: Op
    segments: tuple[str, ...]
    repeat: Any
    origin: Origin
    each: tuple[OpNode, ...] = ()
    shares: Shares | None = None

    @property
    def allow(self) -> tuple[str, ...]:
        """The warnings that the step allows."""
        return self.op.allow


class ForkNode(NamedTuple):
    """Parallel branches by name, in merge order, and their merge.

    ``split`` divides the input between them; ``after`` maps those that begin elsewhere to an
    earlier step of the same chain: the last part of its ``segments``. ``inputs``: the input of each
    branch is the input of the network of this name.
    """

    branches: tuple[tuple[str, Chain], ...]
    merge: Merge
    name: str | None
    segments: tuple[str, ...]
    repeat: Any
    deviations: tuple[Prose, ...]
    origin: Origin
    allow: tuple[str, ...] = ()
    split: Split = None
    after: Mapping[str, str] = MappingProxyType({})
    inputs: bool = False

    @property
    def each(self) -> tuple[()]:
        """Its repetitions never differ."""
        return ()

    @property
    def shares(self) -> None:
        """It has no weights of its own."""

    def starts(self, x: T, earlier: Mapping[str, T]) -> list[T]:
        """What each branch begins with, in order, if ``x`` is the input of the fork: ``x``, or what
        belongs to one of the ``earlier`` steps of the chain.
        """
        return [earlier[self.after[n]] if n in self.after else x for n, _ in self.branches]

    @property
    def sizes(self) -> tuple[Any, ...]:
        """The sizes that ``split`` lists: numbers, expressions and ``rest``."""
        return self.split if isinstance(self.split, tuple) else ()


class UseNode(NamedTuple):
    """An instance of a block, with an argument for each parameter.

    ``each`` is as for a layer. ``shares``: it has the weights of another instance.
    """

    block: str
    arguments: Mapping[str, Any]
    name: str | None
    segments: tuple[str, ...]
    repeat: Any
    deviations: tuple[Prose, ...]
    origin: Origin
    allow: tuple[str, ...] = ()
    each: tuple[UseNode, ...] = ()
    shares: Shares | None = None


class BrokenNode(ForkNode):
    """A step with an error; a subclass of fork, so that code that walks chains accepts it.

    A program with a broken node cannot be typed.
    """


Node: TypeAlias = OpNode | ForkNode | UseNode
Chain: TypeAlias = tuple[Node, ...]


class Block(NamedTuple):
    """A block; ``parameters`` maps names to types (``int``, ``float``, ``bool``, ``str``)."""

    id: str
    parameters: Mapping[str, str]
    chain: Chain
    about: About
    origin: Origin


class Head(NamedTuple):
    """Steps on the output of the top-level step ``after``: the network's output ``name``.

    An auxiliary head is a classifier that runs in training only, with ``loss_weight`` times its
    loss; others run in inference too, and their losses are those of the program's ``losses``.
    """

    name: str
    after: str
    loss_weight: float
    chain: Chain
    about: About
    origin: Origin
    auxiliary: bool = True


class OutputLoss(NamedTuple):
    """The loss of a further output, which has targets of its own: its kind and its factor."""

    kind: LossKind
    weight: float
    origin: Origin


class Naming(NamedTuple):
    """The layer names in one source of published weights; the fields are those of the spec.

    ``bases`` maps each block that extends another one to that block: its names hold there, too.
    """

    names: Mapping[str, str]
    blocks: Mapping[str, Mapping[str, str]]
    numbered: Mapping[str, str]
    optional: tuple[str, ...]
    separator: str
    bases: Mapping[str, str]
    origin: Origin


class Program(NamedTuple):
    """A network, or a block built alone (``kind``).

    ``inputs`` are by name; a single one is called ``input``. With several, the first step is a
    fork with a branch for each.
    ``sections`` are the top-level chains, in order: ``stem``, ``body`` and ``head``, or the one
    chain of a block. ``values`` are the top-level parameters (with ``classes`` in a network).
    ``heads`` are the auxiliary heads, then the outputs with steps of their own. ``outputs`` maps
    the name of each other output to the top-level step that computes it. ``losses`` are those of
    outputs.
    ``checkpoints`` maps sources of published weights to layer names. ``width`` scales filters.
    ``literal`` are the parameters whose values are written as numbers in generated files, not as
    arguments of the model; ``None`` if that is not decided yet.
    """

    kind: Literal["network", "block"]
    id: str
    about: About
    inputs: Mapping[str, TensorType]
    values: Mapping[str, Any]
    sections: Mapping[str, Chain]
    heads: tuple[Head, ...]
    outputs: Mapping[str, str]
    training: Training | None
    preprocessing: Preprocessing | None
    blocks: Mapping[str, Block]
    origin: Origin
    checkpoints: Mapping[str, Naming] = MappingProxyType({})
    width: Width = UNCHANGED
    literal: frozenset[str] | None = None
    losses: Mapping[str, OutputLoss] = MappingProxyType({})

    def sealed(self) -> Program:
        """The same program; nobody can change its mappings."""
        return Program._make(MappingProxyType(v) if isinstance(v, dict) else v for v in self)

    @property
    def input(self) -> TensorType:
        """The input, or the first of several."""
        return next(iter(self.inputs.values()))

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The top-level chains: the sections, then those of the heads."""
        return (*self.sections.values(), *(head.chain for head in self.heads))

    @property
    def several(self) -> bool:
        """Whether it has several inputs."""
        return len(self.inputs) > 1

    @property
    def taken(self) -> str:
        """The shape of the input, or those of several by name."""
        if not self.several:
            return str(self.input)
        *first, last = (f"{name} {x}" for name, x in self.inputs.items())
        return f"{', '.join(first)} and {last}"

    @property
    def rank(self) -> int:
        """The number of spatial axes of its maps; inputs may be vectors besides."""
        return max(x.rank for x in self.inputs.values())


def input_shapes(program: Program) -> dict[str, Any]:
    """The shape of the input as plain data, or ``inputs`` with those of several by name."""
    if not program.several:
        return {INPUT: list(program.input.shape)}
    return {"inputs": {name: list(x.shape) for name, x in program.inputs.items()}}


def repetition(node: Node, index: int) -> Node:
    """The node of one repetition."""
    return node.each[index] if node.each else node


def read_later(chain: Iterable[Node]) -> frozenset[str]:
    """The steps of a chain whose outputs later branches begin with."""
    forks = (node for node in chain if isinstance(node, ForkNode))
    return frozenset(step for fork in forks for step in fork.after.values())
