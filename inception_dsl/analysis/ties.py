"""The inputs of a network that must keep one size, as their maps meet."""

from __future__ import annotations

from ..ir.typed import TypedProgram


def tied(typed: TypedProgram, axis: int) -> tuple[tuple[str, ...], ...]:
    """The groups of inputs that must keep one size on an axis, as their maps meet there."""
    fork, groups = typed.entry, dict[int, list[str]]()
    ends = {name: branch.y.rank for name, branch in fork.branches} if fork else {}
    for name, x in typed.program.inputs.items():
        if ends.get(name, 0) > axis and x.rank > axis:
            groups.setdefault(x.spatial[axis], []).append(name)
    return tuple(tuple(names) for names in groups.values() if len(names) > 1)


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
