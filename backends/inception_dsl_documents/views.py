"""The figures of a program: the network, everything in detail, and each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inception_dsl.backend import (
    ConvBn,
    Prose,
    TypedChain,
    TypedProgram,
    TypedUse,
    roots,
    uses_of,
    walk,
)

from .columns import arranged
from .figure import Figure, Role
from .labels import FUNCTIONS
from .spacing import Style
from .trees import Trees

FULL: Final = "full"


def figures(typed: TypedProgram, *, up: bool = True) -> dict[str, Figure]:
    """The figures by name: "" is the network or block, ``full`` has all blocks in detail, and each
    block that is used has one of its own name.

    ``up``: the input is at the bottom, as in the papers.
    """
    trees, program = Trees.of(typed), typed.program
    title = one_line(program.about.title) or program.id
    names = legend_names(typed.chains)
    whole, blocks = trees.network(), used_blocks(typed)
    network = program.kind == "network"
    style, plain = styles(typed, up=up)
    found = {"": arranged("", title, whole, style, up=up, names=names, column=not network)}
    if blocks and network:
        full = trees.detailed().network()
        found[FULL] = arranged(FULL, f"{title} in detail", full, plain, up=up, names=names)
    for block, uses in blocks.items():
        chains = [use.body for use in uses]
        name = f"block_{block}" if block == FULL else block
        about = one_line(program.blocks[block].about.title) or block
        own = legend_names(chains)
        inner = trees.block(chains)
        found[name] = arranged(name, about, inner, plain, up=up, names=own, column=True)
    return found


def one_line(text: Prose) -> str:
    """A text without line ends and characters that cannot be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text.plain).split())


def styles(typed: TypedProgram, *, up: bool) -> tuple[Style, Style]:
    """How the program itself is drawn, and what is in detail."""
    plain = Style(double=True, shapes=False, title_last=up)
    network = typed.program.kind == "network"
    return plain._replace(double=not network, shapes=network), plain


def used_blocks(typed: TypedProgram) -> dict[str, list[TypedUse]]:
    """The uses of each block with different types or arguments, the one with most layers first."""
    found: dict[str, dict[int, TypedUse]] = {}
    for chains in roots(typed):
        for chain in chains:
            for use in uses_of(chain):
                found.setdefault(use.node.block, {}).setdefault(id(use.body), use)
    return {
        block: sorted(uses.values(), key=lambda use: -use.body.size)
        for block, uses in found.items()
    }


def legend_names(chains: Sequence[TypedChain]) -> dict[Role, str]:
    """What the legend says of convolutions that all have batch norm and the same activation."""
    ops = [node.op for chain in chains for _, node in walk(chain) if hasattr(node, "op")]
    convs = [op for op in ops if op.op in ("conv", "conv_bn")]
    if not convs or not all(isinstance(op, ConvBn) for op in convs):
        return {}
    used = {op.activation for op in convs if isinstance(op, ConvBn)} - {"none"}
    function = f", {FUNCTIONS.get(used.pop(), 'activation')}" if len(used) == 1 else ""
    return {"conv": f"convolution, batch norm{function}"}
