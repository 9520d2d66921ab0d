"""Receptive fields: how much of the input each layer's output depends on (Araujo et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..ir.flow import Apply, Flow, Merge, ValueId
from ..ir.typed import TypedOp
from ..types.receptive import ReceptiveField, joined
from ..types.tensor import TensorType

Seen: TypeAlias = Mapping[str, tuple[ReceptiveField, ...]]
"""By the name of the input, the receptive field of a value on each spatial axis of that input."""
_OfLayer: TypeAlias = list[tuple[ReceptiveField, int]]
"""On each axis, what a layer sees of the map before it, and the size of its output."""


def receptive_fields(network: Flow) -> dict[ValueId, Seen]:
    """The receptive field of every value; exact but for the gaps of dilated windows.

    After a global pool every position depends on the whole map, and so does what is multiplied by
    it. Batch norm is that of inference, in which positions do not depend on each other.
    """
    known: dict[ValueId, Seen] = {
        value: {name: (ReceptiveField(),) * network.types[value].rank}
        for name, value in network.inputs.items()
    }
    own: dict[int, _OfLayer] = {}  # by object: all uses of a block have the same layers
    for statement in network.statements:
        inputs = [known[value] for value in statement.inputs]
        if isinstance(statement, Apply):
            layer = statement.typed
            if id(layer) not in own:
                own[id(layer)] = _of_layer(layer)
            found = _through(own[id(layer)], inputs[0], layer.x.rank)
        elif isinstance(statement, Merge):
            found = _merged(inputs, network.types[statement.y])
        else:
            found = inputs[0]
        known[statement.y] = found
    return known


def _of_layer(layer: TypedOp) -> _OfLayer:
    sizes = layer.y.spatial or (1,) * layer.x.rank
    return [(layer.op.receptive_field(layer.x, axis), size) for axis, size in enumerate(sizes)]


def _through(own: _OfLayer, seen: Seen, rank: int) -> Seen:
    return {
        name: tuple(
            field.then(of_layer, size) for field, (of_layer, size) in zip(fields, own, strict=True)
        )
        if len(fields) == rank
        else fields  # of a vector: every position depends on all of it
        for name, fields in seen.items()
    }


def _merged(inputs: list[Seen], y: TensorType) -> Seen:
    found = {}
    for name in dict.fromkeys(name for seen in inputs for name in seen):
        several = [seen[name] for seen in inputs if name in seen]
        axes = list(zip(*several, strict=True))
        sizes = y.spatial if len(axes) == y.rank else (1,) * len(axes)
        found[name] = tuple(joined(axis, size) for axis, size in zip(axes, sizes, strict=True))
    return found
