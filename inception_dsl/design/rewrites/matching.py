"""Which steps of a rewritten program stand for those of the original."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from ...ir.program import Chain, ForkNode, Node, Program
from ...ir.walk import nodes
from .places import Place


class Match(NamedTuple):
    """A step, and those that stand for it; ``place`` if it was rewritten."""

    old: Node
    new: tuple[Node, ...]
    place: Place | None


def matches(
    old: Program, new: Program, places: Sequence[Place], sizes: Sequence[int]
) -> Iterator[Match]:
    """All steps of a program; ``sizes`` are the numbers of steps for each of ``places``."""
    changed = {id(p.node): (p, size) for p, size in zip(places, sizes, strict=True)}
    blocks = (
        (block.chain, new.blocks[name].chain)
        for name, block in old.blocks.items()
        if name in new.blocks
    )
    for before, after in (*zip(old.chains, new.chains, strict=True), *blocks):
        yield from _matches(before, after, changed)


def _matches(old: Chain, new: Chain, changed: Mapping[int, tuple[Place, int]]) -> Iterator[Match]:
    """The same in one chain and its branches."""
    following = iter(new)
    for node in old:
        place, size = changed.get(id(node), (None, 1))
        found = tuple(islice(following, size))
        yield Match(node, found, place)
        if isinstance(node, ForkNode):
            same = next(one for one in nodes(found) if _same_fork(node, one))
            assert isinstance(same, ForkNode)
            for (_, before), (_, after) in zip(node.branches, same.branches, strict=True):
                yield from _matches(before, after, changed)


def _same_fork(old: ForkNode, new: Node) -> bool:
    """Whether a step is a fork, or the fork that is in a new one."""
    return (
        isinstance(new, ForkNode)
        and new.merge == old.merge
        and [name for name, _ in new.branches] == [name for name, _ in old.branches]
    )
