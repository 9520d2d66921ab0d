"""Every op in NumPy, one small function each, in float64, channels last.

Shapes and padding come from the compiler's own rules; nothing comes from a framework, so that a
difference names the framework at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..ops import (
    Activation,
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Composite,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    GroupNorm,
    L2Normalize,
    LayerNorm,
    LocalResponseNorm,
    Op,
    Pool,
    Scale,
)
from ..types.window import Window
from .activations import activation
from .arrays import Array, Weights
from .enlarging import conv_transpose, upsample
from .moving import channel_shuffle, crop, depth_to_space, space_to_depth, zero_pad

Places: TypeAlias = list[tuple[slice, ...]]


def elementary(op: Op, prefix: str = "") -> Iterator[tuple[str, Op]]:
    """The ops that an op is made of, each with the prefix of its weights.

    A composite is split into its parts; a field ``activation`` becomes an op of its own.
    """
    if isinstance(op, Composite):
        for segment, part in op.parts:
            yield from elementary(part, f"{prefix}{segment}/")
        return
    yield prefix, op
    if (function := getattr(op, "activation", "none")) != "none":
        yield prefix, Activation.model_construct(op="activation", function=function)


def taps(
    windows: tuple[Window, ...], sizes: tuple[int, ...]
) -> tuple[list[tuple[int, int]], Places]:
    """The padding of every spatial axis, including that of ``ceil_mode``, and the slices of taps.

    A tap is an element of the kernel; taps are in row-major order. The slices of a tap select the
    pixels of the padded input that it reads for all outputs.
    """
    pads = []
    for window, size in zip(windows, sizes, strict=True):
        before, after = window.pads(size)
        reach = (window.output(size) - 1) * window.stride + window.extent
        pads.append((before, max(after, reach - size - before)))
    counts = [window.output(size) for window, size in zip(windows, sizes, strict=True)]
    places = [
        tuple(
            slice(tap * w.dilation, tap * w.dilation + (count - 1) * w.stride + 1, w.stride)
            for tap, w, count in zip(index, windows, counts, strict=True)
        )
        for index in np.ndindex(*(w.kernel for w in windows))
    ]
    return pads, places


def tapped(x: Array, windows: tuple[Window, ...], fill: float = 0.0) -> list[Array]:
    """What each tap reads for all outputs: views of the padded input."""
    pads, places = taps(windows, x.shape[1:-1])
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill) if np.any(pads) else x
    return [padded[(slice(None), *place)] for place in places]


def gather(x: Array, windows: tuple[Window, ...], fill: float = 0.0) -> Array:
    """The windows of ``x``: (N, outputs, taps, channels)."""
    first, *others = tapped(x, windows, fill)
    return np.stack([first, *others], axis=-2) if others else first[..., None, :]


def conv(op: Conv, x: Array, weights: Weights) -> Array:
    cut = gather(x, op.windows(x.ndim - 2))
    parts = [
        part.reshape(-1, part.shape[-2] * part.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
        for part, kernel in zip(
            np.split(cut, op.groups, axis=-1),
            np.split(weights["kernel"], op.groups, axis=-1),
            strict=True,
        )
    ]
    y = parts[0] if op.groups == 1 else np.concatenate(parts, axis=-1)
    return y.reshape(*cut.shape[:-2], -1) + weights.get("bias", 0.0)


def depthwise_conv(op: DepthwiseConv, x: Array, weights: Weights) -> Array:
    cut, kernel = gather(x, op.windows(x.ndim - 2)), weights["kernel"]
    y = np.einsum("...tc,tcm->...cm", cut, kernel.reshape(-1, *kernel.shape[-2:]))
    return y.reshape(*y.shape[:-2], -1) + weights.get("bias", 0.0)


def max_pool(op: Pool, x: Array, weights: Weights) -> Array:
    return reduce(np.maximum, tapped(x, op.windows(x.ndim - 2), -np.inf))


def avg_pool(op: AvgPool, x: Array, weights: Weights) -> Array:
    return reduce(np.add, tapped(x, op.windows(x.ndim - 2))) / counted(op, x.shape[1:-1])


def counted(op: AvgPool, sizes: tuple[int, ...]) -> Array:
    """The number of pixels that each mean divides by: (1, outputs, 1)."""
    windows, inside = op.windows(len(sizes)), np.ones((1, *sizes, 1))
    outputs = tuple(w.output(n) for w, n in zip(windows, sizes, strict=True))
    if op.count_include_pad:
        pads = [w.pads(n) for w, n in zip(windows, sizes, strict=True)]
        inside = np.pad(inside, [(0, 0), *pads, (0, 0)], constant_values=1.0)
        windows = tuple(
            Window(w.kernel, w.stride, w.dilation, (0, 0), w.ceil_mode) for w in windows
        )
    counts = reduce(np.add, tapped(inside, windows))
    return counts[(slice(None), *(slice(0, n) for n in outputs))]


def global_avg_pool(op: GlobalPool, x: Array, weights: Weights) -> Array:
    return x.mean(axis=reduced(op, x), keepdims=op.across or op.keepdims)


def global_max_pool(op: GlobalPool, x: Array, weights: Weights) -> Array:
    return x.max(axis=reduced(op, x), keepdims=op.across or op.keepdims)


def reduced(op: GlobalPool, x: Array) -> tuple[int, ...]:
    """The axes of ``x`` that a global pool reduces."""
    return (x.ndim - 1,) if op.across else tuple(range(1, x.ndim - 1))


def adaptive_avg_pool(op: AdaptiveAvgPool, x: Array, weights: Weights) -> Array:
    for axis, count in enumerate(op.outputs(x.ndim - 2), 1):
        x = np.stack(
            [x.take(one, axis=axis).mean(axis) for one in laid_out(x.shape[axis], count)], axis=axis
        )
    return x


def laid_out(size: int, count: int) -> list[range]:
    """The windows of adaptive pooling on an axis of ``size`` pixels with ``count`` outputs."""
    return [range(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def dense(op: Dense, x: Array, weights: Weights) -> Array:
    return x @ weights["kernel"] + weights.get("bias", 0.0)


def standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> tuple[Array, Array]:
    """``(x - mean) * factor`` over ``axes``, and ``factor = 1 / sqrt(variance + epsilon)``."""
    factor = 1 / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    return (x - x.mean(axes, keepdims=True)) * factor, factor


def moments(x: Array) -> dict[str, Array]:
    """The mean and biased variance of each channel, by the weight names of batch norm."""
    axes = tuple(range(x.ndim - 1))
    return {"moving_mean": x.mean(axis=axes), "moving_variance": x.var(axis=axes)}


def batch_norm(op: BatchNorm, x: Array, weights: Weights) -> Array:
    y = (x - weights["moving_mean"]) / np.sqrt(weights["moving_variance"] + op.epsilon)
    return y * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def layer_norm(op: LayerNorm, x: Array, weights: Weights) -> Array:
    y, _ = standardised(x, (-1,), op.epsilon)
    return y * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def group_norm(op: GroupNorm, x: Array, weights: Weights) -> Array:
    y, _ = standardised(split(op, x), (1, 3), op.epsilon)
    return y.reshape(x.shape) * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def split(op: GroupNorm, x: Array) -> Array:
    """``x`` as (N, positions, groups, channels of a group)."""
    return x.reshape(len(x), -1, op.groups, x.shape[-1] // op.groups)


def local_response_norm(op: LocalResponseNorm, x: Array, weights: Weights) -> Array:
    return x / denominator(op, x) ** op.beta


def denominator(op: LocalResponseNorm, x: Array) -> Array:
    """``k + alpha / size * s``, s = sum of squares of ``size`` neighbouring channels.

    With an even size, the window has one more channel before than after.
    """
    return op.k + op.alpha / op.size * neighbours(x**2, op.size // 2, op.size - 1 - op.size // 2)


def neighbours(x: Array, before: int, after: int) -> Array:
    """The sum over each channel, ``before`` channels before it and ``after`` channels after it."""
    padded = np.pad(x, [*[(0, 0)] * (x.ndim - 1), (before, after)])
    return sliding_window_view(padded, before + 1 + after, axis=-1).sum(-1)


def l2_normalize(op: L2Normalize, x: Array, weights: Weights) -> Array:
    return x / np.sqrt(np.maximum((x**2).sum(-1, keepdims=True), op.epsilon))


def scale(op: Scale, x: Array, weights: Weights) -> Array:
    return weights.get("gamma", op.value) * x


REFERENCE: Final[dict[str, Callable[[Any, Array, Weights], Array]]] = {
    "conv": conv,
    "depthwise_conv": depthwise_conv,
    "conv_transpose": conv_transpose,
    "upsample": upsample,
    "space_to_depth": space_to_depth,
    "depth_to_space": depth_to_space,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "global_avg_pool": global_avg_pool,
    "global_max_pool": global_max_pool,
    "dense": dense,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "local_response_norm": local_response_norm,
    "l2_normalize": l2_normalize,
    "activation": activation,
    "dropout": lambda op, x, weights: x,
    "flatten": lambda op, x, weights: x.reshape(len(x), -1),
    "channel_shuffle": channel_shuffle,
    "zero_pad": zero_pad,
    "crop": crop,
    "scale": scale,
    "identity": lambda op, x, weights: x,
    "adaptive_avg_pool": adaptive_avg_pool,
}
