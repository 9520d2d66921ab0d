"""The program that is trained: outputs of a softmax are replaced by its input, the logits.

The logarithm of a probability cannot be computed from the probability alone: in float32, it is 0
once its logit is 104 below the largest, and has no gradient then.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from ..diagnostics.report import Report
from ..ir.program import Block, Chain, Node, OpNode, Program, UseNode
from ..ir.typed import Typed, TypedChain, TypedOp, TypedProgram, TypedUse
from ..ir.walk import nodes, owners
from ..ops import Activation, Identity, Op, Step
from .infer import infer
from .sizes import growing

_KEEPING: Final = frozenset({"flatten", "global_avg_pool", "adaptive_avg_pool"})
"""Ops that commute with a softmax on a map that has one position for every size of the input."""


class Trained(NamedTuple):
    """The program whose ``outputs`` are logits, where they are probabilities in the spec."""

    typed: TypedProgram
    outputs: frozenset[str] = frozenset()


@lru_cache(maxsize=16)
def trained_program(typed: TypedProgram) -> Trained:
    """The program without the softmax at the end of an output that the loss is computed from.

    Layers, weights and paths stay. A softmax stays if more than its output depends on it: if a step
    after it changes probabilities, if an output or a head reads it, or if it is repeated.
    """
    wanted = {c.output for c in typed.classifiers if c.end == "probabilities"}
    if not wanted:
        return Trained(typed)
    return _Logits(typed).trained(wanted)


class _Logits:
    """Rewrites a program. ``variants`` are the new blocks, by what was replaced in which block."""

    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.blocks = dict(typed.program.blocks)
        self.growing, self.owners = growing(typed), owners(typed)
        self.variants: dict[tuple[str, int, str], str] = {}

    def trained(self, wanted: set[str]) -> Trained:
        """The new program; ``wanted`` are the outputs to replace, if possible."""
        typed, program = self.typed, self.typed.program
        sections, heads, done = dict(program.sections), [], set()
        tapped = {head.after for head, _ in typed.heads} | {*program.outputs.values()}
        for name in reversed(sections if typed.output_name in wanted else ()):
            found = self.chain(sections[name], typed.sections[name], tapped)
            if found is not sections[name]:
                sections[name] = found or sections[name]
                done |= {typed.output_name} if found else set()
                break
        for head, chain in typed.heads:
            found = self.chain(head.chain, chain, ()) if head.name in wanted else head.chain
            changed = found is not None and found is not head.chain
            heads.append(head._replace(chain=found) if found else head)
            done |= {head.name} if changed else set()
        made = program._replace(sections=sections, heads=tuple(heads), blocks=self.blocks)
        result = infer(self.renamed(made)._replace(inputs=typed.inputs), Report())
        assert result is not None  # types do not change
        result = replace(result, program=result.program._replace(inputs=program.inputs))
        return Trained(result, frozenset(done))

    def chain(self, chain: Chain, typed: TypedChain, tapped: Container[str]) -> Chain | None:
        """The chain without its final softmax; the same chain if its end is that of the one before
        it, ``None`` if the softmax must stay.
        """
        for index in reversed(range(len(chain))):
            node, step = chain[index], typed.steps[index]
            if not step.runs:
                continue
            if step.count > 1 or any(segment in tapped for segment in node.segments[-1:]):
                return None
            found = self.node(node, step.runs[0].typed)
            if found is None:
                return None
            if found is not node:
                alone = isinstance(found, OpNode) and found.op.op == "identity" and len(chain) > 1
                return (*chain[:index], *(() if alone else (found,)), *chain[index + 1 :])
        return chain

    def node(self, node: Node, typed: Typed) -> Node | None:
        """The step without a softmax at its end; as in :meth:`chain`.

        A step that shares weights is equal to another one, so it stays.
        """
        if node.each or node.shares or id(node) in self.owners:
            return None
        if isinstance(node, OpNode) and isinstance(typed, TypedOp):
            return self.op(node, typed)
        if not (isinstance(node, UseNode) and isinstance(typed, TypedUse)):
            return None
        block = self.blocks[node.block]
        inner = self.chain(block.chain, typed.body, ())
        if inner is None or inner is block.chain:
            return None if inner is None else node
        pairs = enumerate(zip(inner, block.chain, strict=False))
        at = next((i for i, (new, old) in pairs if new is not old), len(inner))
        changed = inner[at] if at < len(inner) else None
        key = (block.id, at, changed.block if isinstance(changed, UseNode) else "")
        if key not in self.variants:
            name = f"{block.id}_logits"
            while name in self.blocks:
                name += "_"
            self.variants[key] = name
            self.blocks[name] = Block(name, block.parameters, inner, block.about, block.origin)
        return node._replace(block=self.variants[key])

    def op(self, node: OpNode, typed: TypedOp) -> Node | None:
        """A layer without its softmax; as in :meth:`chain`."""
        op = typed.op
        function = getattr(op, "function", getattr(op, "activation", None))
        if function == "softmax":
            return node._replace(op=_linear(node.op))
        keeping = op.op == "identity" or (op.op == "activation" and function == "none")
        keeping |= op.op == "dropout" and getattr(op, "rate", 1) == 0
        if op.op in _KEEPING and id(typed) not in self.growing:
            keeping |= typed.y.positions() == 1
        return node if keeping else None

    def renamed(self, program: Program) -> Program:
        """The program with the names of blocks kept where nothing uses the original."""
        heads = (head.chain for head in program.heads)
        used = {*_used(program, [*program.sections.values(), *heads])}
        names = {new: block for (block, *_), new in self.variants.items() if block not in used}
        first = {block: new for new, block in reversed(names.items())}
        kept = {new: block for block, new in first.items()}

        def chain(old: Chain) -> Chain:
            return tuple(
                node._replace(block=kept.get(node.block, node.block))
                if isinstance(node, UseNode)
                else node
                for node in old
            )

        blocks = {
            kept.get(name, name): block._replace(id=kept.get(name, name), chain=chain(block.chain))
            for name, block in program.blocks.items()
            if name not in first
        }
        return program._replace(
            blocks=blocks,
            sections={name: chain(old) for name, old in program.sections.items()},
            heads=tuple(h._replace(chain=chain(h.chain)) for h in program.heads),
        )


def _linear(op: Op) -> Op:
    """The op without its activation."""
    if not isinstance(op, Activation):
        return op.model_copy(update={"activation": "none"})
    common = {key: getattr(op, key) for key in Step.model_fields if key in op.model_fields_set}
    return Identity(op="identity", **common)


def _used(program: Program, chains: Sequence[Chain]) -> Iterator[str]:
    """The blocks that chains use, and that these use."""
    seen: set[str] = set()
    found = [node.block for chain in chains for node in nodes(chain) if isinstance(node, UseNode)]
    while found:
        block = found.pop()
        if block in seen:
            continue
        seen.add(block)
        yield block
        inner = nodes(program.blocks[block].chain)
        found += [node.block for node in inner if isinstance(node, UseNode)]
