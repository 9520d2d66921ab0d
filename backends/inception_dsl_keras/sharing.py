"""Layers and parts of the model that are called more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inception_dsl.backend import (
    AdaptiveAvgPool,
    Flatten,
    LayerSite,
    Scale,
    TypedOp,
    UseSite,
    walk,
)

from .calls import Call
from .statements import Assign, Statement

_SIZED: Final = (Flatten, AdaptiveAvgPool)
"""Ops whose layers Keras can only build for maps of a known size; calls say what else is."""


def alone(calls: Sequence[Call]) -> bool:
    """Whether the calls of an op are that of one layer, which a variable can hold."""
    return len(calls) == 1 and not calls[0].helper and not calls[0].sized


def fixed(site: LayerSite | UseSite, statements: Sequence[Statement]) -> bool:
    """Whether an inner model of these statements must be for maps of one size."""
    if any(isinstance(s, Assign) and s.call.sized for s in statements):
        return True
    return any(node.x.rank and isinstance(node.op, _SIZED) for node in _ops(site))


def forgets(site: LayerSite | UseSite) -> bool:
    """Whether the size of what an inner model for maps of any size returns may be unknown: the
    layer of a learned scale has that of the map for which it is made.
    """
    scales = [node.op for node in _ops(site) if node.x.rank and isinstance(node.op, Scale)]
    return any(op.learned for op in scales)


def _ops(site: LayerSite | UseSite) -> list[TypedOp]:
    found: list[TypedOp] = []
    for typed in site.typed:
        inner = [typed] if isinstance(typed, TypedOp) else [node for _, node in walk(typed.body)]
        found += [node for node in inner if isinstance(node, TypedOp)]
    return found


def alike(site: LayerSite | UseSite) -> bool:
    """Whether a step and those that share its weights have maps of the same size, in each use of
    the block that they are in.
    """
    sizes: dict[int, set[tuple[int, ...]]] = {}
    inputs = [typed.x for typed in site.typed]
    for row, x in zip(site.frame.rows, inputs, strict=True):
        sizes.setdefault(row.instance, set()).add(tuple(x.spatial))
    return all(len(found) == 1 for found in sizes.values())
