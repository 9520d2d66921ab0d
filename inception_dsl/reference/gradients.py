"""The backward pass of every op in NumPy, one small function each.

The arguments are the op, its input ``x``, its weights, its output ``y``, and ``dy``, the gradient
of the loss with respect to ``y``. The result is the gradient with respect to ``x``, and those with
respect to the weights, by name. Batch norm is in training mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from ..ir.flow import Part
from ..ir.typed import TypedFork
from ..ops import (
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    GroupNorm,
    L2Normalize,
    LayerNorm,
    LocalResponseNorm,
    Pool,
    Scale,
)
from ..types.window import Window
from .activations import activation_gradients
from .arrays import Array, Gradients, Weights
from .enlarging import conv_transpose_gradients, upsample_gradients
from .forward import broadcast
from .moving import (
    channel_shuffle_gradients,
    crop_gradients,
    depth_to_space_gradients,
    space_to_depth_gradients,
    zero_pad_gradients,
)
from .operations import (
    counted,
    denominator,
    gather,
    laid_out,
    neighbours,
    reduced,
    split,
    standardised,
    taps,
)


def scatter(cut: Array, windows: tuple[Window, ...], sizes: tuple[int, ...]) -> Array:
    """The backward pass of ``gather``: each pixel gets the sum over the windows it was in.

    Gradients of padding are dropped.
    """
    pads, places = taps(windows, sizes)
    padded = np.zeros(
        (len(cut), *(n + sum(p) for n, p in zip(sizes, pads, strict=True)), cut.shape[-1])
    )
    for tap, place in enumerate(places):
        padded[(slice(None), *place)] += cut[..., tap, :]
    return padded[
        (
            slice(None),
            *(slice(before, before + n) for n, (before, _) in zip(sizes, pads, strict=True)),
        )
    ]


def over_positions(dy: Array) -> Array:
    """The sum over all axes but the channels."""
    return dy.sum(axis=tuple(range(dy.ndim - 1)))


def affine(dy: Array, y: Array, weights: Weights) -> Gradients:
    """The backward pass of ``y * gamma + beta``."""
    found = {"gamma": over_positions(dy * y), "beta": over_positions(dy)}
    return dy * weights.get("gamma", 1.0), {
        name: value for name, value in found.items() if name in weights
    }


def standardisation(dy: Array, y: Array, factor: Array, axes: tuple[int, ...]) -> Array:
    """The backward pass of ``standardised``, including that through its mean and variance."""
    return factor * (dy - dy.mean(axes, keepdims=True) - y * (dy * y).mean(axes, keepdims=True))


def conv(op: Conv, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    windows, kernel = op.windows(x.ndim - 2), weights["kernel"]
    cut = gather(x, windows)
    dcuts, dkernels = [], []
    groups = (np.split(a, op.groups, axis=-1) for a in (cut, kernel, dy))
    for part, weight, gradient in zip(*groups, strict=True):
        gradient = gradient.reshape(-1, gradient.shape[-1])
        dkernels.append((part.reshape(len(gradient), -1).T @ gradient).reshape(weight.shape))
        dcuts.append((gradient @ weight.reshape(-1, gradient.shape[-1]).T).reshape(part.shape))
    dx = scatter(
        dcuts[0] if op.groups == 1 else np.concatenate(dcuts, axis=-1), windows, x.shape[1:-1]
    )
    return dx, {"kernel": np.concatenate(dkernels, axis=-1), **bias(op, dy)}


def bias(op: Any, dy: Array) -> dict[str, Array]:
    return {"bias": over_positions(dy)} if op.use_bias else {}


def depthwise_conv(op: DepthwiseConv, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    windows, kernel = op.windows(x.ndim - 2), weights["kernel"]
    cut = gather(x, windows)
    gradient = dy.reshape(-1, *kernel.shape[-2:])
    flat = cut.reshape(-1, *cut.shape[-2:])
    dkernel = np.einsum("ntc,ncm->tcm", flat, gradient).reshape(kernel.shape)
    dcut = np.einsum("ncm,tcm->ntc", gradient, kernel.reshape(-1, *kernel.shape[-2:]))
    return scatter(dcut.reshape(cut.shape), windows, x.shape[1:-1]), {
        "kernel": dkernel,
        **bias(op, dy),
    }


def max_pool(op: Pool, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    """Equal maxima: the first in row-major order gets the gradient, as in PyTorch, TensorFlow and
    XLA on CPUs.
    """
    windows = op.windows(x.ndim - 2)
    cut = gather(x, windows, -np.inf)
    dcut = np.zeros(cut.shape)
    np.put_along_axis(dcut, cut.argmax(axis=-2)[..., None, :], dy[..., None, :], axis=-2)
    return scatter(dcut, windows, x.shape[1:-1]), {}


def avg_pool(op: AvgPool, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    windows, sizes = op.windows(x.ndim - 2), x.shape[1:-1]
    share = (dy / counted(op, sizes))[..., None, :]
    window = math.prod(w.kernel for w in windows)
    return scatter(
        np.broadcast_to(share, (*dy.shape[:-1], window, dy.shape[-1])), windows, sizes
    ), {}


def adaptive_avg_pool(
    op: AdaptiveAvgPool, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    for axis, size in enumerate(x.shape[1:-1], 1):
        whole = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1 :]))
        for index, one in enumerate(laid_out(size, dy.shape[axis])):
            place = (*(slice(None),) * axis, slice(one.start, one.stop))
            whole[place] += dy.take([index], axis=axis) / len(one)
        dy = whole
    return dy, {}


def global_avg_pool(op: GlobalPool, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    shape, axes = kept(op, x)
    share = dy / math.prod(x.shape[axis] for axis in axes)
    return np.broadcast_to(share.reshape(shape), x.shape), {}


def global_max_pool(op: GlobalPool, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    """Equal maxima share the gradient equally, as in the frameworks' reductions along axes."""
    shape, axes = kept(op, x)
    largest = x == y.reshape(shape)
    return largest * (dy.reshape(shape) / largest.sum(axes, keepdims=True)), {}


def kept(op: GlobalPool, x: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape of a global pool's output with all axes of ``x``, and the axes that it reduces."""
    axes = reduced(op, x)
    return tuple(1 if axis in axes else n for axis, n in enumerate(x.shape)), axes


def dense(op: Dense, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    kernel = x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])
    return dy @ weights["kernel"].T, {"kernel": kernel, **bias(op, dy)}


def batch_norm(op: BatchNorm, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    axes = tuple(range(x.ndim - 1))
    normal, factor = standardised(x, axes, op.epsilon)
    dy, found = affine(dy, normal, weights)
    return standardisation(dy, normal, factor, axes), found


def layer_norm(op: LayerNorm, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    normal, factor = standardised(x, (-1,), op.epsilon)
    dy, found = affine(dy, normal, weights)
    return standardisation(dy, normal, factor, (-1,)), found


def group_norm(op: GroupNorm, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    normal, factor = standardised(split(op, x), (1, 3), op.epsilon)
    dy, found = affine(dy, normal.reshape(x.shape), weights)
    return standardisation(split(op, dy), normal, factor, (1, 3)).reshape(x.shape), found


def local_response_norm(
    op: LocalResponseNorm, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    total = denominator(op, x)
    before = op.size // 2
    others = neighbours(dy * x * total ** (-op.beta - 1), op.size - 1 - before, before)
    return dy * total**-op.beta - 2 * op.alpha * op.beta / op.size * x * others, {}


def l2_normalize(op: L2Normalize, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    total = (x**2).sum(-1, keepdims=True)
    along = y * (y * dy).sum(-1, keepdims=True) * (total >= op.epsilon)
    return (dy - along) / np.sqrt(np.maximum(total, op.epsilon)), {}


def scale(op: Scale, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    if not op.learned:
        return op.value * dy, {}
    gamma = (x * dy).reshape(-1, x.shape[-1]).sum(0)
    return weights["gamma"] * dy, {
        "gamma": gamma if op.per == "channel" else gamma.sum(keepdims=True)
    }


def same(op: Any, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    return dy.reshape(x.shape), {}


BACKWARD: Final[dict[str, Callable[[Any, Array, Weights, Array, Array], Gradients]]] = {
    "conv": conv,
    "depthwise_conv": depthwise_conv,
    "conv_transpose": conv_transpose_gradients,
    "upsample": upsample_gradients,
    "space_to_depth": space_to_depth_gradients,
    "depth_to_space": depth_to_space_gradients,
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
    "activation": activation_gradients,
    "dropout": same,
    "flatten": same,
    "channel_shuffle": channel_shuffle_gradients,
    "zero_pad": zero_pad_gradients,
    "crop": crop_gradients,
    "scale": scale,
    "identity": same,
    "adaptive_avg_pool": adaptive_avg_pool,
}


SHARES: Final[Mapping[str, Callable[[Array, list[Array]], Array]]] = {
    "add": lambda dy, others: dy,
    "multiply": lambda dy, others: math.prod(others, start=dy),
}
"""The gradient of one branch of an elementwise merge, from the outputs of the others."""


def unmerge(fork: TypedFork, values: list[Array], dy: Array) -> list[Array]:
    """The gradient with respect to the output of each branch; ``values`` are these outputs."""
    if fork.node.merge == "concat":
        return np.split(dy, np.cumsum([value.shape[-1] for value in values])[:-1], axis=-1)
    full = [broadcast(fork, value) for value in values]
    found = []
    for index, (value, wide) in enumerate(zip(values, full, strict=True)):
        gradient = SHARES[fork.node.merge](dy, full[:index] + full[index + 1 :])
        axes = tuple(
            i for i, (n, of) in enumerate(zip(wide.shape, dy.shape, strict=True)) if n < of
        )
        found.append(gradient.sum(axes, keepdims=True).reshape(value.shape))
    return found


def spread(part: Part, dy: Array, channels: int) -> Array:
    """The gradient of the value that a part is cut out of: zero for its other channels."""
    around = (part.start, channels - part.stop)
    return np.pad(dy, [*[(0, 0)] * (dy.ndim - 1), around])
