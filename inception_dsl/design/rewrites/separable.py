"""``separable``: a convolution as a depthwise and a 1x1 convolution.

Chollet 2017, arXiv 1610.02357, section 1: an Inception module with one branch for each channel.
Batch norm and activation, if there are any, follow the whole layer.
"""

from __future__ import annotations

from typing import Any, Final

from ...ops import ConvBn, SeparableConv
from ...types.tensor import COLOURS
from .conversion import converted, plain
from .convolutions import convolution, kernel
from .places import Place
from .rule import Option, Replacement, Rule, Values
from .written import Written, repeated

_MULTIPLIER: Final = Option(
    "depth_multiplier", "integer", "depthwise channels for each input channel", "1", 1
)


def _wants(place: Place) -> bool:
    return max(kernel(place), default=1) > 1 and place.layers[0].x.channels > COLOURS


def _obstacle(written: Written, values: Values) -> str:
    op = convolution(written.place)
    assert op is not None
    if op.groups != 1:
        return "it has groups"
    if not isinstance(op, ConvBn):
        return ""
    if repeated(written.place):
        return "it is repeated, and its batch norm becomes a step; write its repetitions as steps"
    if written.place.read:
        return "another part of the spec begins with its output, and its batch norm becomes a step"
    return ""


def _replaced(written: Written, values: Values) -> Replacement:
    op = convolution(written.place)
    assert op is not None
    many = values["depth_multiplier"]
    wanted = {"activation": op.activation if not isinstance(op, ConvBn) else "none"}
    edits = (*converted(written, SeparableConv, **wanted),)
    if many != written.defaults.get("separable_conv", {}).get("depth_multiplier", 1):
        edits += written.set("depth_multiplier", many)
    if not isinstance(op, ConvBn):
        return Replacement(edits, 1)
    behind: list[dict[str, Any]] = [
        {"op": "batch_norm", **written.named("bn"), **(written.data.get("batch_norm") or {})}
    ]
    if op.activation != "none":
        function = plain(op.activation)
        behind.append({"op": "activation", **written.named("activation"), "function": function})
    return Replacement((*edits, *written.item.after(*behind)), 1 + len(behind), own=0)


RULE: Final = Rule(
    name="separable",
    summary="a depthwise and a 1x1 convolution in place of a convolution",
    source="Chollet 2017, section 1",
    target="a `conv` or `conv_bn` with a kernel above 1x1 on more than a few channels",
    wants=_wants,
    obstacle=_obstacle,
    replaced=_replaced,
    options=(_MULTIPLIER,),
)
