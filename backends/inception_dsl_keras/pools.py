"""Pools: native where Keras means the same on every backend, else padded by a helper function.

Average pools leave padding out of the mean. Keras' own ``same`` does too, but its PyTorch backend
(3.15) pads by the edge where the padding is not symmetric; there, and for every padding that Keras
has no word for, the mean of the padded map is divided by the share of the window that lies inside.
"""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.backend import AvgPool, MaxPool, Pool, TensorType, Window, literal

from .calls import TENSOR, Argument, Call, Made, layer
from .windows import is_point, is_same, pad_layer, pads_of, pairs, per_axis, same_pads, zero_padding


def max_pool(op: MaxPool, x: TensorType) -> tuple[Call, ...]:
    windows = op.windows(x.rank)
    if not hangs(windows):
        if is_point(windows) or not any(map(sum, pads_of(windows) or [(1, 1)])):
            return (native("MaxPooling", op, x, "valid"),)
        if op.padding == "same" or is_same(windows):
            return (native("MaxPooling", op, x, "same"),)
    return (padded("max_pool", windows, padding(windows), ()),)


def avg_pool(op: AvgPool, x: TensorType) -> tuple[Call, ...]:
    windows = op.windows(x.rank)
    constant = pads_of(windows)
    if op.count_include_pad:
        return counted(op, x)
    if not hangs(windows) and constant is not None:
        if not any(map(sum, constant)):
            return (native("AveragePooling", op, x, "valid"),)
        if (op.padding == "same" or is_same(windows)) and all(a == b for a, b in constant):
            return (native("AveragePooling", op, x, "same"),)
    return (padded("average_pool", windows, padding(windows), ("mean",)),)


def counted(op: AvgPool, x: TensorType) -> tuple[Call, ...]:
    """An average pool that counts padding: zeros are laid around the map first."""
    windows = op.windows(x.rank)
    constant = pads_of(windows)
    calls: list[Call] = []
    if constant is None:
        calls.append(pad_layer(same_pads(windows) + ("[0]" if x.rank == 1 else ""), x.rank, "pad"))
    elif any(map(sum, constant)):
        calls.append(pad_layer(zero_padding(constant), x.rank, "pad"))
    if hangs(windows):
        rounded = ceil_pads(
            windows, [(0, 0)] * x.rank, [w.padding[1] for w in windows if w.padding != "same"]
        )
        return *calls, padded("average_pool", windows, rounded, ("mean",))
    return *calls, native("AveragePooling", op, x, "valid")


def native(function: str, op: Pool, x: TensorType, padding: str) -> Call:
    windows = op.windows(x.rank)
    return layer(
        f"{function}{x.rank}D",
        Argument("pool_size", per_axis([w.kernel for w in windows]), positional=True),
        Argument("strides", per_axis([w.stride for w in windows])),
        Argument("padding", literal(padding), literal("valid")),
    )


def padded(helper: str, windows: Sequence[Window], padding: str, inner: tuple[str, ...]) -> Call:
    arguments = (
        Argument("pool_size", per_axis([w.kernel for w in windows]), positional=True),
        Argument("strides", per_axis([w.stride for w in windows]), positional=True),
        Argument("padding", padding, positional=True),
    )
    return Call(helper, arguments, helper=True, made=tuple(Made(part) for part in (*inner, "")))


def hangs(windows: Sequence[Window]) -> bool:
    """Whether a last window may hang over the end."""
    return any(w.ceil_mode and w.stride > 1 for w in windows)


def padding(windows: Sequence[Window]) -> str:
    """The padding as a tuple of pairs, or an expression that computes it from the size."""
    if hangs(windows):
        pads = pads_of(windows) or []
        return ceil_pads(windows, pads, [after for _, after in pads])
    constant = pads_of(windows)
    return same_pads(windows) if constant is None else pairs(constant)


def ceil_pads(
    windows: Sequence[Window], pads: Sequence[tuple[int, int]], after: Sequence[int]
) -> str:
    """``ceil_padding(x, window, stride)``; with what was padded before where that matters.

    A last window that would start in the padding behind the map (``after`` pixels) does not count.
    """
    sizes, strides = tuple(w.kernel for w in windows), tuple(w.stride for w in windows)
    fits = all(w.stride <= w.kernel - a for w, a in zip(windows, after, strict=True))
    if fits and not any(map(sum, pads)) and len(set(sizes)) == len(set(strides)) == 1:
        return f"ceil_padding({TENSOR}, {sizes[0]}, {strides[0]})"
    arguments = [TENSOR, literal(sizes), literal(strides), pairs(pads), literal(tuple(after))]
    return f"ceil_padding_around({', '.join(arguments)})"
