"""What the rules for convolutions share: new layers like an old one, and their padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ...ir.program import OpNode
from ...ir.typed import TypedOp
from ...ops import Conv, ConvBn
from ...ops.base import axes
from ...yaml.edits import Edits
from .channels import between
from .places import Place
from .rule import Option, Values
from .written import Written, repeated

FILTERS = Option(
    "filters",
    "count",
    "filters between the new layers",
    "the geometric mean of the input and output channels; their mean if parameters set them",
)
_LIKE: Final = ("activation", "use_bias", "batch_norm", "initializer", "groups", "dilation")


def convolution(place: Place) -> Conv | ConvBn | None:
    """The ``conv`` or ``conv_bn`` of a step on maps, or ``None``."""
    op = place.node.op if isinstance(place.node, OpNode) else None
    return op if isinstance(op, Conv | ConvBn) and place.layers[0].x.rank else None


def kernels(place: Place) -> set[tuple[int, ...]]:
    """The kernels of a convolution in all its uses, one number for each axis; none of others."""
    if convolution(place) is None:
        return set()
    return {axes(_field(t, "kernel_size"), t.x.rank, "kernel_size") for t in place.layers}


def large(place: Place) -> bool:
    """Whether a step is a convolution with a kernel above 1x1, in some of its uses at least."""
    return any(max(kernel) > 1 for kernel in kernels(place))


def square(place: Place, size: int | None = None, rank: int = 2) -> bool:
    """Whether a step is a convolution with a square kernel above 1x1, of this size, in some of its
    uses at least.
    """
    return any(
        len(kernel) == rank and {*kernel} == {kernel[0]} and kernel[0] > 1
        for kernel in kernels(place)
        if size in (None, kernel[0])
    )


def differing(place: Place) -> str:
    """Why a convolution cannot be rewritten if a parameter sets its kernel; empty if it can."""
    found = ["x".join(map(str, kernel)) for kernel in sorted(kernels(place))]
    if len(found) == 1:
        return ""
    return f"its kernel differs between its uses: {', '.join(found[:-1])} and {found[-1]}"


def number(place: Place, field: str) -> int:
    """The value of a field that is the same on all axes and in all uses; else 0."""
    found = {n for t in place.layers for n in axes(_field(t, field), t.x.rank, field)}
    return found.pop() if len(found) == 1 else 0


def padding(place: Place) -> Any:
    """The padding of a convolution in all its uses, a word or pixels of all sides; or ``None``."""
    found = {_field(t, "padding") for t in place.layers}
    if len(found) > 1:
        return None
    value = found.pop()
    sides = {*value} if isinstance(value, tuple) else {value}
    return sides.pop() if len(sides) == 1 else None


def _field(typed: TypedOp, name: str) -> Any:
    return getattr(typed.op, name)


def splits(written: Written, values: Values) -> str:
    """Why a convolution cannot be replaced by several; empty if it can."""
    place = written.place
    op = convolution(place)
    assert op is not None
    if repeated(place):
        return "it is repeated; write its repetitions as steps"
    if op.groups != 1:
        return "it has groups"
    if found := differing(place):
        return found
    if not isinstance(padding(place), str | int):
        return "its padding differs between the sides or the uses"
    if not number(place, "dilation"):
        return "its dilation differs between the axes"
    if not number(place, "stride"):
        return "its stride differs between the axes"
    return ""


def like(written: Written, suffix: str, **fields: Any) -> dict[str, Any]:
    """A convolution of the same kind, at a stride of 1: with its op, activation and norm."""
    data = written.data
    op = str(data["op"])
    own: dict[str, Any] = {key: value for key, value in data.items() if key in _LIKE}
    stride = {"stride": 1} if "stride" in written.defaults.get(op, {}) else {}
    return {"op": op, **written.named(suffix), **fields, **stride, **own}


def parts_of(written: Written, pads: Sequence[Any]) -> list[dict[str, Any]]:
    """The field ``padding`` of several layers in place of one: its word, unless that is a default,
    or these pixels.
    """
    found = padding(written.place)
    if isinstance(found, str):
        return [{"padding": found} if "padding" in written.data else {} for _ in pads]
    return [{"padding": pixels} for pixels in pads]


def middle(written: Written, values: Values) -> Any:
    """The filters between the new layers."""
    return values["filters"] or between(written.place, written.width)


def without_allow(written: Written) -> Edits:
    """Remove the permission to be large, which the new layers do not need."""
    return written.without("allow") if written.data.get("allow") == ["W403"] else ()
