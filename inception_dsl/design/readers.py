"""Which steps of a program read a parameter of the network, or its width."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.step_costs import Written
from ..ir.program import Chain, ForkNode, Node, OpNode, Program, UseNode
from ..ir.walk import written_steps
from ..ops import expressions
from .alignment import names


def _written(program: Program) -> Iterator[tuple[Written, Node]]:
    """Every step of the spec with the block that it is written in, and its path there."""
    pending: list[tuple[Written, Chain]] = [(("", ()), c) for c in program.sections.values()]
    pending += [(("", (head.name,)), head.chain) for head in program.heads]
    pending += [((name, ()), block.chain) for name, block in program.blocks.items()]
    while pending:
        (owner, path), chain = pending.pop(0)
        for node in chain:
            here = (*path, *node.segments)
            yield (owner, here), node
            if isinstance(node, ForkNode):
                pending += [((owner, (*here, name)), branch) for name, branch in node.branches]


def _reads(at: Written, node: Node, name: str) -> bool:
    """Whether a step reads a parameter of the network; without a name, its width.

    In a block, a name is that of a parameter of the block.
    """
    if not name:
        return isinstance(node, OpNode) and "filters" in type(node.op).model_fields
    return not at[0] and name in _names(node)


def read_parameters(program: Program) -> frozenset[str]:
    """The parameters of the network that something reads."""
    return frozenset(name for node in written_steps(program) for name in _names(node))


def _names(node: Node) -> frozenset[str]:
    """The parameters that a step reads."""
    values = [node.repeat, getattr(node, "split", None)]
    for one in node.each or (node,):
        if isinstance(one, OpNode):
            values += [getattr(one.op, name) for name in names(one)]
        elif isinstance(one, UseNode):
            values += one.arguments.values()
    return frozenset(name for e in expressions(values) for name in dict(e.names))


def reading(program: Program, name: str) -> dict[Written, list[Node]]:
    """The steps that read a parameter of the network, or its width, by where they are written."""
    found: dict[Written, list[Node]] = {}
    for at, node in _written(program):
        if _reads(at, node, name):
            found.setdefault(at, []).append(node)
    return found
