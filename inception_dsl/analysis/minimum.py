"""The smallest input that a typed program accepts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..diagnostics.report import Report
from ..ir.typed import TypedChain, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ops import Flatten
from ..types.tensor import TensorType
from .infer import Inference

_TRIES, _TRY = 5_000, 20
"""A limit on time: layers inferred in total to find the smallest input, and the extra cost of
each try, in layers.
"""


@lru_cache(maxsize=16)
def minimum_input(typed: TypedProgram, *, heads: bool = False) -> tuple[int, ...]:
    """The smallest spatial sizes that the program accepts; ``heads`` includes the auxiliary heads.

    Each window has a smallest axis that gives one output pixel; applied from the last layer to the
    first, this gives the smallest input. Branches may round differently, so that they do not fit
    together at that size: then larger sizes are tried, as far as the limit on time allows. If none
    fits, the result is the input of the program.
    """
    if heads and not typed.heads:
        return minimum_input(typed)
    program = typed.program
    rank = program.input.rank
    sizes = [_axis(typed, axis, heads) for axis in range(rank)]
    room = _TRIES
    while room > 0:
        inference = Inference(program, Report(), room)
        if _legal(inference, tuple(sizes), heads):
            return tuple(sizes)
        room = inference.room - _TRY
        sizes = [min(size + 1, n) for size, n in zip(sizes, program.input.spatial, strict=True)]
    return tuple(program.input.spatial)


def _legal(inference: Inference, spatial: tuple[int, ...], heads: bool) -> bool:
    """Whether the program accepts an input with these spatial sizes."""
    program = inference.program
    values = {**program.values, "in_channels": program.input.channels}
    x = TensorType(spatial, program.input.channels)
    after: dict[str, TensorType] = {}
    for chain in program.sections.values():
        typed = inference.chain(chain, x, values)
        if typed is None:
            return False
        after |= {step.node.segments[-1]: step.y for step in typed.steps if step.node.segments}
        x = typed.y
    if not heads:
        return True
    types = [(h, after[h.after]) for h in program.aux_heads]
    return all(
        inference.chain(h.chain, t, {**values, "in_channels": t.channels}) is not None
        for h, t in types
    )


def _axis(typed: TypedProgram, axis: int, heads: bool) -> int:
    """The smallest size of one axis by the windows alone."""
    rank = typed.program.input.rank
    need = 1
    memo: dict[Any, int] = {}
    wanted = (
        {head.after: _chain(chain, axis, rank, 1, memo) for head, chain in typed.heads}
        if heads
        else {}
    )
    for chain in reversed(list(typed.sections.values())):
        for step in reversed(chain.steps):
            if step.node.segments and step.node.segments[-1] in wanted:
                need = max(need, wanted[step.node.segments[-1]])
            need = _step(step, axis, rank, need, memo)
    return need


def _chain(chain: TypedChain, axis: int, rank: int, need: int, memo: dict[Any, int]) -> int:
    for step in reversed(chain.steps):
        need = _step(step, axis, rank, need, memo)
    return need


def _step(step: TypedStep, axis: int, rank: int, need: int, memo: dict[Any, int]) -> int:
    for run in reversed(step.runs):
        for _ in range(run.count):
            before, need = need, _node(run.typed, axis, rank, need, memo)
            if need == before:  # the other repetitions do not change it either
                break
    return need


def _node(node: Any, axis: int, rank: int, need: int, memo: dict[Any, int]) -> int:
    """The smallest input size of a node that gives ``need`` pixels of output."""
    if not node.x.rank:
        return 1
    if isinstance(node, TypedOp):
        if isinstance(node.op, Flatten):  # the layers after it have weights for this size
            return node.x.spatial[axis]
        return node.op.needed(axis, rank, need)
    key = (id(node.body if isinstance(node, TypedUse) else node), need)
    if key not in memo:
        if isinstance(node, TypedUse):
            memo[key] = _chain(node.body, axis, rank, need, memo)
        else:
            one = need if node.node.merge == "concat" else 1  # add and multiply broadcast size 1
            found = [
                _chain(c, axis, rank, need if c.y.rank and c.y.spatial[axis] != 1 else one, memo)
                for _, c in node.branches
            ]
            memo[key] = max(found)
    return memo[key]
