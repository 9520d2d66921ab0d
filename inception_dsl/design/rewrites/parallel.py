"""``parallel-reduction``: a pool at a stride beside a convolution at the same stride.

Szegedy et al. 2015, arXiv 1512.00567, section 5, figure 10: neither a bottleneck (pool first, then
more filters) nor expensive (filters first, then pool).
"""

from __future__ import annotations

from typing import Any, Final

from ...ir.program import OpNode
from ...ops import AvgPool, MaxPool
from ...ops.base import axes
from ...types.tensor import COLOURS
from ...yaml.items import Around
from .channels import before
from .conversion import plain
from .places import Place
from .rule import Option, Replacement, Rule, Values
from .written import Written, repeated

_FILTERS: Final = Option(
    "filters", "count", "filters of the convolution", "as many as the pool has channels"
)
_OP: Final = Option("op", ("conv_bn", "conv"), "the convolution", "conv_bn", "conv_bn")


def _wants(place: Place) -> bool:
    """Whether a step is a pool at a stride, not on the image and not in a branch, where other
    branches are beside it already.
    """
    if _pool(place) is None or place.start is not None:
        return False
    strides = (max(axes(getattr(t.op, "stride", 1), t.x.rank, "stride")) for t in place.layers)
    seen = all(t.y.positions() > 1 and t.x.channels > COLOURS for t in place.layers)
    return seen and all(stride > 1 for stride in strides)


def _pool(place: Place) -> MaxPool | AvgPool | None:
    op = place.node.op if isinstance(place.node, OpNode) else None
    return op if isinstance(op, MaxPool | AvgPool) else None


def _obstacle(written: Written, values: Values) -> str:
    if repeated(written.place):
        return "it is repeated; write its repetitions as steps"
    if _filters(written, values) is None:
        return "its input has several numbers of channels: give `--with filters=NUMBER`"
    if _padding(written.place) is None:
        return "no padding of a convolution gives the sizes that it has in all its uses"
    return ""


def _filters(written: Written, values: Values) -> Any:
    return values["filters"] or before(written.place, written.width)


def _padding(place: Place) -> Any:
    """The padding with which a convolution has as many rows and columns as the pool in all uses;
    ``None`` if there is none.
    """
    pool, options, kept = _pool(place), list[list[Any]](), True
    for typed in place.layers:
        assert isinstance(typed.op, MaxPool | AvgPool)
        options.append(typed.op.convolved(typed.x))
        kept = kept and typed.op.padding in options[-1]
    if pool is not None and kept:
        return plain(pool.padding)
    common = (padding for padding in options[0] if all(padding in found for found in options))
    return plain(next(common, None))


def _replaced(written: Written, values: Values) -> Replacement:
    pool, kind = _pool(written.place), values["op"]
    assert pool is not None
    conv = {"op": kind, "filters": _filters(written, values)}
    conv |= {key: plain(getattr(pool, key)) for key in ("kernel_size", "stride")}
    padding = _padding(written.place)
    if padding != "same" or "padding" in written.defaults.get(kind, {}):
        conv["padding"] = padding
    if kind == "conv":
        conv["activation"] = "relu"
    name = written.data.get("name")
    around = Around(("branch_conv", [conv]), "branch_pool", "concat", name=name)
    return Replacement(written.item.around(around, gone=written.without("name")), 1)


RULE: Final = Rule(
    name="parallel-reduction",
    summary="a convolution at the same stride beside a pool, concatenated",
    source="Szegedy et al. 2015, section 5",
    target="a `max_pool` or `avg_pool` at a stride above 1, outside of branches",
    wants=_wants,
    obstacle=_obstacle,
    replaced=_replaced,
    options=(_FILTERS, _OP),
    note="it adds channels, and so parameters and multiply-adds after it",
    keeps=False,
)
