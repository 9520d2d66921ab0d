"""Layers and parts of the model that are called more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inception_dsl.backend import (
    AdaptiveAvgPool,
    Flatten,
    LayerSite,
    TypedOp,
    TypedUse,
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
    """Whether an inner model of these statements is for maps of one size."""
    if any(isinstance(s, Assign) and s.call.sized for s in statements):
        return True
    inner: list[TypedOp] = [node for one in site.typed for node in _ops(one)]
    return any(node.x.rank and isinstance(node.op, _SIZED) for node in inner)


def _ops(typed: TypedOp | TypedUse) -> list[TypedOp]:
    if isinstance(typed, TypedOp):
        return [typed]
    return [node for _, node in walk(typed.body) if isinstance(node, TypedOp)]


def alike(site: LayerSite | UseSite) -> bool:
    """Whether a step and those that share its weights have maps of the same size, in each use of
    the block that they are in.
    """
    sizes: dict[int, set[tuple[int, ...]]] = {}
    inputs = [typed.x for typed in site.typed]
    for row, x in zip(site.frame.rows, inputs, strict=True):
        sizes.setdefault(row.instance, set()).add(tuple(x.spatial))
    return all(len(found) == 1 for found in sizes.values())
