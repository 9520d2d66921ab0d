"""``batch-normalise``: a convolution with bias as one with batch norm.

Ioffe and Szegedy 2015, arXiv 1502.03167, section 3.2: batch norm comes between the convolution and
its activation, and makes the bias redundant.
"""

from __future__ import annotations

from typing import Final

from ...ir.program import OpNode
from ...ops import BatchNorm, Conv, ConvBn
from .conversion import converted
from .convolutions import convolution
from .places import Place
from .rule import Replacement, Rule, Values
from .written import Written


def _wants(place: Place) -> bool:
    op = convolution(place)
    return isinstance(op, Conv) and op.use_bias is True and op.activation != "none"


def _obstacle(written: Written, values: Values) -> str:
    chain, position = written.place.chain, written.place.position
    after = chain[position + 1] if position + 1 < len(chain) else None
    if isinstance(after, OpNode) and isinstance(after.op, BatchNorm):
        return "a batch norm follows it already"
    if "bias" in (written.data.get("initializer") or {}):
        return "its `initializer` sets the bias, which batch norm replaces; remove it first"
    return ""


def _replaced(written: Written, values: Values) -> Replacement:
    op = convolution(written.place)
    assert op is not None
    return Replacement(converted(written, ConvBn, use_bias=False, activation=op.activation), 1)


RULE: Final = Rule(
    name="batch-normalise",
    summary="a convolution with batch norm in place of one with bias",
    source="Ioffe and Szegedy 2015, section 3.2",
    target="a `conv` with a bias and an activation",
    wants=_wants,
    obstacle=_obstacle,
    replaced=_replaced,
)
