"""Checks that Keras calls shared layers as the spec does: at all sizes, and in the same order.

A model of Keras computes branches in an order of its own. That changes the moving statistics of a
batch norm that several branches call: each call moves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from inception_dsl.backend import (
    BatchNormFields,
    Report,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedStep,
    TypedUse,
    roots,
    sharing,
    walk,
)

from .source import Source

_SIZES: Final = "Keras code has one size for the maps of shared layers, and these may have two"
_ORDER: Final = (
    "Keras computes the branches of this fork in another order, which matters for the moving "
    "statistics of a batch norm that they share"
)


def check_shared(source: Source, report: Report) -> bool:
    """Whether Keras can call all layers that steps share, as the spec does; reports the others."""
    refused = {id(node) for node in (*source.functions.refused, *source.network.body.refused)}
    before = len(report.diagnostics)
    for chains in roots(source.plan.printed):
        found: dict[int, list[TypedStep]] = {}
        for step, owner, _ in sharing(chains):
            found.setdefault(id(owner), [owner]).append(step)
        for owner, *sharers in found.values():
            span = sharers[0].node.origin.span("weights")
            if id(owner.node) in refused:
                help = "share the weights of steps whose inputs have the same size"
                report.error("E503", _SIZES, span, help=help)
            steps = {id(step) for step in (owner, *sharers)}
            fork = next((f for c in chains for f in _unordered(c, steps)), None)
            if fork is not None and _normalises(owner):
                help = "end each of these branches with a step that has the shared weights"
                related = [(fork.node.origin.span("merge"), "this fork")]
                report.error("E503", _ORDER, span, help=help, related=related)
    return len(report.diagnostics) == before


def _normalises(step: TypedStep) -> bool:
    """Whether a step has moving statistics."""
    typed = step.runs[0].typed
    ops = [typed] if isinstance(typed, TypedOp) else []
    if isinstance(typed, TypedUse):
        ops = [node for _, node in walk(typed.body) if isinstance(node, TypedOp)]
    return any(isinstance(getattr(node.op, "batch_norm", node.op), BatchNormFields) for node in ops)


def _unordered(chain: TypedChain, steps: set[int]) -> Iterator[TypedFork]:
    """The forks of whose branches several have one of these steps, but not as the last one.

    In the graph of Keras the last call of a branch, which the merge reads, comes before all calls
    in later branches.
    """
    for fork in (step.runs[0].typed for step in chain.steps if step.runs):
        if not isinstance(fork, TypedFork):
            continue
        calling = [branch for _, branch in fork.branches if _has(branch.steps, steps)]
        for branch in calling[:-1]:
            last = branch.steps[-1]
            if id(last) not in steps or (fork.y.rank and not branch.y.rank):
                yield fork
        for _, branch in fork.branches:
            yield from _unordered(branch, steps)


def _has(chain: Sequence[TypedStep], steps: set[int]) -> bool:
    """Whether a chain has one of the steps, or its branches have."""
    forks: Iterable[TypedFork] = (
        run.typed for step in chain for run in step.runs if isinstance(run.typed, TypedFork)
    )
    inner = (branch.steps for fork in forks for _, branch in fork.branches)
    return any(id(step) in steps for step in chain) or any(_has(c, steps) for c in inner)
