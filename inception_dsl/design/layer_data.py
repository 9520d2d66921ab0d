"""Layers and receptive fields as plain data, for programs that read a summary."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ..analysis.cost import Layer
from ..analysis.receptive import Seen
from ..ir.flow import Apply, Flow, Merge, ValueId
from ..ir.typed import TypedOp
from ..ops import Sliding


def layer_data(
    found: list[Layer], network: Flow, known: Mapping[ValueId, Seen]
) -> list[dict[str, Any]]:
    """Every layer and merge with its shapes, attributes, cost and receptive field."""
    statements = (s for s in network.statements if isinstance(s, Apply | Merge))
    return [
        {
            "path": layer.path,
            "op": layer.op,
            "input": list(layer.x.shape),
            "output": list(layer.y.shape),
            **(_attributes(one.typed) if isinstance(one, Apply) else {}),
            "parameters": layer.parameters,
            "weights_of": layer.weights_of,
            "macs": layer.macs,
            "receptive_field": field_data(known[one.y]),
        }
        for layer, one in zip(found, statements, strict=True)
    ]


def _attributes(layer: TypedOp) -> dict[str, Any]:
    """The attributes of the op, and its windows: one number, or pair of padding, for each axis."""
    op, x = layer.op, layer.x
    found: dict[str, Any] = {
        name: value
        for name, value in op.model_dump(mode="json", include=set(op.attributes())).items()
        if value is not None
    }
    if isinstance(op, Sliding):
        windows = op.windows(x.rank)
        found |= {
            "kernel_size": [w.kernel for w in windows],
            "stride": [w.stride for w in windows],
            "pads": [list(w.pads(n)) for w, n in zip(windows, x.spatial, strict=True)],
        }
    return {"attributes": found}


def field_data(seen: Seen) -> dict[str, Any]:
    """By input, the size of the receptive field on each axis, its stride and effective padding.

    A size is null if every position depends on the whole input, a stride if positions have none.
    """
    return {
        name: {
            "size": [None if field.whole else field.size for field in axes],
            "stride": [_number(field.stride) for field in axes],
            "padding": [None if field.whole else field.padding for field in axes],
        }
        for name, axes in seen.items()
    }


def _number(stride: Fraction | None) -> float | None:
    if stride is None:
        return None
    return int(stride) if stride.denominator == 1 else float(stride)
