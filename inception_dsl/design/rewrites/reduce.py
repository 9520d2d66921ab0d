"""``reduce``: a 1x1 convolution with fewer filters before a large kernel.

Szegedy et al. 2014, arXiv 1409.4842, section 4, figure 2b.
"""

from __future__ import annotations

from typing import Any, Final

from ...ir.program import OpNode
from ...ops import Conv, ConvBn
from ...types.tensor import COLOURS
from .channels import before, share
from .convolutions import convolution, kernel, like
from .places import Place
from .rule import Option, Replacement, Rule, Values
from .written import Written, repeated

_FILTERS: Final = Option(
    "filters", "count", "filters of the 1x1 convolution", "half of the input channels"
)


def _wants(place: Place) -> bool:
    """Whether a step is a larger convolution that reads more than the colours of an image."""
    return max(kernel(place), default=1) > 1 and not _reduced(place) and not _image(place)


def _reduced(place: Place) -> bool:
    """Whether the step before is a 1x1 convolution, or another one."""
    node = place.chain[place.position - 1] if place.position else None
    op = node.op if isinstance(node, OpNode) else None
    return isinstance(op, Conv | ConvBn)


def _image(place: Place) -> bool:
    return any(typed.x.channels <= COLOURS for typed in place.types)


def _obstacle(written: Written, values: Values) -> str:
    op = convolution(written.place)
    assert op is not None
    if repeated(written.place):
        return "it is repeated; write its repetitions as steps"
    if op.groups != 1:
        return "it has groups"
    if _filters(written, values) is None:
        return "its input has several numbers of channels: give `--with filters=NUMBER`"
    return ""


def _filters(written: Written, values: Values) -> Any:
    return values["filters"] or share(before(written.place, written.width), 2)


def _replaced(written: Written, values: Values) -> Replacement:
    defaults = written.defaults.get(str(written.data["op"]), {})
    fields = {"filters": _filters(written, values), "kernel_size": 1}
    layer = like(written, "reduce", **fields)
    layer.pop("dilation", None)
    neutral = {"padding": "same", "dilation": 1}
    layer |= {key: value for key, value in neutral.items() if key in defaults}
    return Replacement(written.item.before(layer), 2)


RULE: Final = Rule(
    name="reduce",
    summary="a 1x1 convolution with fewer filters before a larger kernel",
    source="Szegedy et al. 2014, section 4",
    target="a `conv` or `conv_bn` with a kernel above 1x1 and no convolution right before it",
    wants=_wants,
    obstacle=_obstacle,
    replaced=_replaced,
    options=(_FILTERS,),
    inside=False,
)
