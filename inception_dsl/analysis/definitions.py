"""Definitions: what is printed once.

Each block that a program uses, inferred on names instead of numbers.

A parameter that only reaches attributes which an op calls ``free`` (a number of filters, a rate)
stays a parameter of the printed class or function. Any other (a kernel size, a name of a function)
has its value written out, and the block is defined once for each set of such values. The same goes
for the spatial size where weights depend on it (dense after flatten).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ..diagnostics.report import Diagnostic, Report
from ..ir.program import AuxHead, Block, Chain, OpNode, Program, UseNode
from ..ir.typed import TypedChain, TypedProgram, TypedUse
from ..ir.walk import layers_of, nodes, uses_of
from ..language.inputs import AXES
from ..ops import attribute_names, expressions
from ..types.symbolic import Symbolic
from ..types.tensor import TensorType
from .infer import Inference

Key: TypeAlias = tuple[str, tuple[tuple[str, Any], ...], Any]
RENAMED = {"classes": "num_classes"}


class Definition(NamedTuple):
    """A block to print.

    ``parameters`` are its arguments besides ``in_channels``; ``fixed`` the values written out.

    ``shapes`` are the types before and after the block at its uses, each pair once, in order.
    """

    key: Key
    block: Block
    parameters: tuple[str, ...]
    fixed: Mapping[str, Any]
    chain: TypedChain
    shapes: tuple[tuple[TensorType, TensorType], ...]


class Defined(NamedTuple):
    """A program ready to print.

    ``definitions`` stand in an order in which each only uses earlier ones. ``sections`` and
    ``heads`` are the top on its spatial size, with ``in_channels`` as a name, and ``num_classes``
    or a block's free parameters (``parameters``, name to value); ``head_chains`` are the heads with
    their own ``in_channels`` as a name. ``typed`` is the program on numbers.
    """

    typed: TypedProgram
    definitions: tuple[Definition, ...]
    sections: Mapping[str, TypedChain]
    heads: tuple[tuple[AuxHead, TypedChain], ...]
    head_chains: Mapping[str, TypedChain]
    parameters: Mapping[str, Any]
    fixed_names: Mapping[str, frozenset[str]]
    sized: frozenset[str]
    by_key: Mapping[Key, Definition]

    @property
    def program(self) -> Program:
        return self.typed.program

    def key(self, use: TypedUse) -> Key:
        """The key of the definition that ``use`` needs."""
        return key_of(use, self.fixed_names, self.sized)

    def lookup(self, use: TypedUse) -> Definition:
        return self.by_key[self.key(use)]


class UndefinableError(Exception):
    """A block that has a type on numbers has none on names.

    An expression is too long, or there are too many.
    """

    def __init__(self, found: list[Diagnostic]) -> None:
        super().__init__(*(d.message for d in found))
        self.found = found


@lru_cache(maxsize=4)
def define(typed: TypedProgram) -> Defined:
    """The definitions of a typed program, the same for every backend.

    Raises :class:`UndefinableError`.
    """
    program = typed.program
    fixed = {
        name: frozenset(fixed_parameters(block, program)) for name, block in program.blocks.items()
    }
    inference = Inference(program, Report())
    values, parameters = _top_values(program)
    sections: dict[str, TypedChain] = {}
    after: dict[str, TensorType] = {}
    x = TensorType(program.input.spatial, Symbolic.name("in_channels"))
    for name, chain in program.sections.items():
        sections[name] = _must(inference, inference.chain(chain, x, values))
        after |= {
            step.node.segments[-1]: step.y for step in sections[name].steps if step.node.segments
        }
        x = sections[name].y
    heads = tuple(
        (head, _head(inference, head, after[head.after], values)) for head in program.aux_heads
    )
    channels = Symbolic.name("in_channels")
    head_chains = {
        head.name: _head(inference, head, TensorType(chain.x.spatial, channels), values)
        for head, chain in heads
    }
    tops = [*sections.values(), *(chain for _, chain in heads)]
    builder = _Builder(program, fixed, inference, _shapes(typed))
    for top in tops:
        builder.take(top)
    found, sized = builder.found, frozenset(builder.sized)
    return Defined(
        typed, tuple(found.values()), sections, heads, head_chains, parameters, fixed, sized, found
    )


def _head(
    inference: Inference, head: AuxHead, x: TensorType, values: Mapping[str, Any]
) -> TypedChain:
    """An auxiliary head on ``x``."""
    return _must(inference, inference.chain(head.chain, x, {**values, "in_channels": x.channels}))


def _top_values(program: Program) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values at the top, with names where the printed class has arguments.

    And those arguments.
    """
    values: dict[str, Any] = {**program.values, "in_channels": Symbolic.name("in_channels")}
    if program.kind == "network":
        values["classes"] = Symbolic.name(RENAMED["classes"])
        return values, {RENAMED["classes"]: program.values["classes"]}
    chain = program.sections["steps"]
    fixed = _fixed(chain, set(program.values), program)
    free = {name: value for name, value in program.values.items() if name not in fixed}
    return {**values, **{name: Symbolic.name(name) for name in free}}, free


def fixed_parameters(block: Block, program: Program) -> set[str]:
    """The parameters of ``block`` whose values are written out."""
    text = {name for name, kind in block.parameters.items() if kind in ("bool", "str")}
    return text | _fixed(block.chain, set(block.parameters), program)


def _fixed(chain: Chain, names: set[str], program: Program) -> set[str]:
    found: set[str] = set()
    for node in nodes(chain):
        values: list[Any] = [node.repeat]
        if isinstance(node, OpNode):
            op = node.op
            values += [getattr(op, k) for k in attribute_names(type(op)) if k not in type(op).free]
        elif isinstance(node, UseNode):
            inner = fixed_parameters(program.blocks[node.block], program)
            values += [v for k, v in node.arguments.items() if k in inner]
        found |= {name for value in values for e in expressions(value) for name, _ in e.names}
    return found & names


def key_of(use: TypedUse, fixed: Mapping[str, frozenset[str]], sized: Container[str]) -> Key:
    """What tells definitions apart.

    The block, the values written out, and what of the input counts.
    """
    block = use.node.block
    values = tuple((k, v) for k, v in use.arguments.items() if k in fixed[block])
    return block, values, use.x.spatial if block in sized else use.x.rank


class _Builder:
    """Collects the definitions that chains need, the innermost first."""

    def __init__(
        self,
        program: Program,
        fixed: Mapping[str, frozenset[str]],
        inference: Inference,
        shapes: list[tuple[TypedUse, tuple[TensorType, TensorType]]],
    ) -> None:
        self.program, self.fixed, self.inference = program, fixed, inference
        self.sized = {use.node.block for use, _ in shapes if self.has_sized_weights(use)}
        self.pairs: dict[Key, list[tuple[TensorType, TensorType]]] = {}
        for use, pair in shapes:
            self.pairs.setdefault(key_of(use, fixed, self.sized), []).append(pair)
        self.found: dict[Key, Definition] = {}

    def has_sized_weights(self, use: TypedUse) -> bool:
        """Whether a weight inside the block depends on the spatial size."""
        names = set(AXES[use.x.rank])
        return any(
            isinstance(d, Symbolic) and any(name in atom for atom, _ in d.terms for name in names)
            for op in layers_of(self.symbolic(use, AXES[use.x.rank]))
            for weight in op.op.weights(op.x)
            for d in weight.shape
        )

    def symbolic(self, use: TypedUse, spatial: Any) -> TypedChain:
        block = self.program.blocks[use.node.block]
        sizes = tuple(Symbolic.name(n) if isinstance(n, str) else n for n in spatial)
        arguments = {
            k: use.arguments[k] if k in self.fixed[block.id] else Symbolic.name(RENAMED.get(k, k))
            for k in use.arguments
        }
        body = self.inference.body(
            use.node, arguments, TensorType(sizes, Symbolic.name("in_channels"))
        )
        return _must(self.inference, body)

    def take(self, chain: TypedChain) -> None:
        for use in uses_of(chain):
            key = key_of(use, self.fixed, self.sized)
            if key in self.found:
                continue
            block = self.program.blocks[use.node.block]
            sized = block.id in self.sized
            symbolic = self.symbolic(use, use.x.spatial if sized else AXES[use.x.rank])
            self.take(symbolic)
            parameters = tuple(
                RENAMED.get(k, k) for k in block.parameters if k not in self.fixed[block.id]
            )
            # none, where numbers take another size
            pairs = tuple(dict.fromkeys(self.pairs.get(key, ())))
            self.found[key] = Definition(key, block, parameters, dict(key[1]), symbolic, pairs)


def _shapes(typed: TypedProgram) -> list[tuple[TypedUse, tuple[TensorType, TensorType]]]:
    """Every use on numbers with its types, in order, nested ones too.

    What a block holds, once for each input.
    """
    found: list[tuple[TypedUse, tuple[TensorType, TensorType]]] = []
    seen: set[int] = set()

    def take(chain: TypedChain) -> None:
        for use in uses_of(chain):
            found.append((use, (use.x, use.y)))
            if id(use.body) not in seen:
                seen.add(id(use.body))
                take(use.body)

    for chain in [*typed.sections.values(), *(chain for _, chain in typed.heads)]:
        take(chain)
    return found


def _must(inference: Inference, chain: TypedChain | None) -> TypedChain:
    if chain is None:
        raise UndefinableError(inference.report.diagnostics)
    return chain
