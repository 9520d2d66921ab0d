"""The repetitions of a typed step, and of the steps inside a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedStep, TypedUse


def inputs(step: TypedStep) -> Iterator[tuple[int, int, Any]]:
    """For every run: its last repetition, its length, the channels before it."""
    index = -1
    for run in step.runs:
        index += run.count
        yield index, run.count, run.typed.x.channels


def constant_channels(steps: Iterable[TypedStep], start: int) -> bool:
    """Whether, in each step, all repetitions from ``start`` on have the same input channels."""
    return all(
        len({channels for index, _, channels in inputs(step) if index >= start}) <= 1
        for step in steps
    )


def slope(step: TypedStep) -> int | None:
    """The channels that each repetition adds, if all add the same number."""
    if not step.runs or any(run.count > 1 for run in step.runs):
        return None
    sizes = [run.typed.x.channels for run in step.runs] + [step.y.channels]
    differences = {b - a for a, b in pairwise(sizes)}
    return differences.pop() if len(differences) == 1 else None


def spans(step: TypedStep, start: int) -> Iterator[tuple[int, int, Any]]:
    """For every run: its first and last repetition from ``start`` on, and its node."""
    index = 0
    for run in step.runs:
        first, last = max(index, start), index + run.count - 1
        if first <= last:
            yield first, last, run.typed
        index += run.count


def at(step: TypedStep, repetition: int) -> Any:
    """The typed node of one repetition."""
    return next(typed for first, last, typed in spans(step, 0) if first <= repetition <= last)


def structure(chain: TypedChain, definition: Callable[[TypedUse], Any]) -> Any:
    """What must be equal in all uses of a chain that is written once.

    These are the ranks, and the definitions of the blocks that it uses.
    """

    def node(typed: TypedOp | TypedFork | TypedUse) -> Any:
        inside: Any = None
        if isinstance(typed, TypedFork):
            inside = tuple(structure(branch, definition) for _, branch in typed.branches)
        elif isinstance(typed, TypedUse):
            inside = definition(typed)
        return typed.x.rank, typed.y.rank, inside

    return tuple(frozenset(node(run.typed) for run in step.runs) for step in chain.steps)


def counts(chain: TypedChain) -> Iterator[tuple[int, ...]]:
    """How often each step in a chain is repeated, and which block instances it uses."""
    for step in chain.steps:
        yield tuple(run.count for run in step.runs)
        for run in step.runs:
            if isinstance(run.typed, TypedFork):
                for _, branch in run.typed.branches:
                    yield from counts(branch)
            elif isinstance(run.typed, TypedUse):
                yield (id(run.typed.body),)
