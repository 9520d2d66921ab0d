"""The inputs of a network that must keep one size."""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import lru_cache

from ..ir.typed import Path, TypedOp, TypedProgram
from ..ir.walk import visits


def tied(typed: TypedProgram, axis: int) -> tuple[tuple[str, ...], ...]:
    """The groups of inputs of one size on an axis that must keep it: their maps meet there, or they
    share the weights of something that is made for maps of one size.
    """
    fork = typed.entry
    ends = {name: branch.y.rank for name, branch in fork.branches} if fork else {}
    bound = [{name for name, rank in ends.items() if rank > axis}, *_sharing(typed)]
    sizes = {n: x.spatial[axis] for n, x in typed.program.inputs.items() if x.rank > axis}
    found: list[tuple[str, ...]] = []
    for name in sizes:
        alike = [{n for n in names if sizes.get(n) == sizes[name]} for names in bound]
        group = _connected(name, alike)
        if len(group) > 1 and not any(name in other for other in found):
            found.append(tuple(n for n in sizes if n in group))
    return tuple(found)


def _connected(name: str, bound: Sequence[Set[str]]) -> Set[str]:
    """What is bound to ``name``, directly or by others."""
    group = {name}
    while more := set().union(*(names for names in bound if names & group)) - group:
        group |= more
    return group


@lru_cache(maxsize=16)
def _sharing(typed: TypedProgram) -> tuple[Set[str], ...]:
    """The groups of inputs whose branches have the weights of one step, with layers that are made
    for maps of one size.
    """
    found: dict[Path, set[str]] = {}
    if fork := typed.entry:
        first = next(chain for chain in typed.sections.values() if chain.steps).steps[0]
        for name, branch in fork.branches:
            start = (*first.node.segments, name)
            for _, node, own in visits(branch, start, start):
                if isinstance(node, TypedOp) and node.x.rank and node.op.sized(node.x.rank):
                    found.setdefault(own, set()).add(name)
    return tuple(names for names in found.values() if len(names) > 1)


def all_tied(typed: TypedProgram) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The groups of inputs that must keep one size, each with the axes on which they must."""
    found: dict[tuple[str, ...], tuple[int, ...]] = {}
    for axis in range(typed.program.rank):
        for names in tied(typed, axis):
            found[names] = (*found.get(names, ()), axis)
    return found


def with_own_sizes(typed: TypedProgram) -> list[str]:
    """The inputs with spatial axes, without those that have all sizes of an earlier one."""
    inputs, axes = typed.program.inputs, tuple(range(typed.program.rank))
    same = {n for names, own in all_tied(typed).items() if own == axes for n in names[1:]}
    return [name for name, x in inputs.items() if x.rank and name not in same]
