"""Weights of another number of classes or of color images, for the network of a spec.

The file is read for the network that it fits, which differs in one number only; what differs then
in a weight's shape is a class too many, or the three channels of an RGB image.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.weights import weight_shapes
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program
from ..ops import Composite, Conv, Dense, Op

RGB: Final = 3
PER_CHANNEL: Final = (
    *("activation", "dropout", "identity", "scale", "zero_pad", "crop", "max_pool"),
    *("avg_pool", "global_max_pool", "global_avg_pool", "adaptive_avg_pool"),
)
"""Ops that give three equal channels for three equal channels; an activation by its function."""


class Wider(NamedTuple):
    """The network that a file fits, its settings, and what the spec's has less."""

    typed: TypedProgram
    settings: Mapping[str, str] = MappingProxyType({})
    drop_class: int | None = None
    gray: bool = False


def rgb_size(typed: TypedProgram) -> str:
    """The input of a gray network with three channels, as ``--input`` takes it."""
    *spatial, _ = typed.program.input.shape
    return "x".join(map(str, (*spatial, RGB)))


def summed(gray: TypedProgram, rgb: TypedProgram) -> bool:
    """Whether only convolutions over the input differ, whose kernels can be added up.

    Between the input and these, only ops may stand that treat every channel alike.
    """
    nodes = zip(walk_program(gray), walk_program(rgb), strict=True)
    for (_, one), (_, three) in nodes:
        if not isinstance(one, TypedOp) or one.x.channels == three.x.channels:
            continue
        if (one.x.channels, three.x.channels) != (1, RGB):
            return False
        if one.y.channels == three.y.channels:
            if not _adds(one.op):
                return False
        elif not _alike(one):
            return False
    return True


def _adds(op: Op) -> bool:
    """Whether an op adds up its input channels first."""
    first = op.parts[0][1] if isinstance(op, Composite) else op
    return isinstance(first, Dense) or (isinstance(first, Conv) and first.groups == 1)


def _alike(typed: TypedOp) -> bool:
    """Whether a layer treats every channel alike; a learned scale does not."""
    op = typed.op
    return op.op in PER_CHANNEL and getattr(op, "function", "") != "softmax" and not typed.weights


def adapted(typed: TypedProgram, wider: Wider, weights: Mapping[str, Any]) -> dict[str, Any]:
    """``weights`` of the wider network, for the network of the spec."""
    wanted, found = weight_shapes(typed), {}
    for path, array in weights.items():
        for axis, (held, size) in enumerate(zip(array.shape, wanted[path], strict=True)):
            if held == size:
                continue
            if wider.gray and (held, size) == (RGB, 1):
                array = array.astype(np.float64).sum(axis, keepdims=True)
            elif wider.drop_class is not None:
                array = np.delete(array, wider.drop_class, axis)
        found[path] = array
    return found


def changed_layers(typed: TypedProgram, wider: Wider) -> list[str]:
    """The layers whose weights differ in shape."""
    wanted, held = weight_shapes(typed), weight_shapes(wider.typed)
    return list(dict.fromkeys(p.rpartition("/")[0] for p in wanted if wanted[p] != held.get(p)))
