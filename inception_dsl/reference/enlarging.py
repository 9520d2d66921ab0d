"""Upsampling and transposed convolution in NumPy, forward and backward; see ``gradients``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..ops import ConvTranspose, Upsample
from ..types.window import Window
from .arrays import Array, Gradients, Weights


def conv_transpose(op: ConvTranspose, x: Array, weights: Weights) -> Array:
    windows, kernel = op.windows(x.ndim - 2), weights["kernel"]
    whole = np.zeros((len(x), *full(op, x.shape[1:-1]), op.filters))
    for tap, place in stamps(windows, x.shape[1:-1]):
        parts = np.split(kernel[tap], op.groups, axis=-1)
        inputs = np.split(x, op.groups, axis=-1)
        whole[place] += np.concatenate(
            [one @ part.T for one, part in zip(inputs, parts, strict=True)], axis=-1
        )
    return whole[kept(op, x.shape[1:-1])] + weights.get("bias", 0.0)


def conv_transpose_gradients(
    op: ConvTranspose, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    """The backward pass of ``conv_transpose``; a pixel that was cut off has no gradient."""
    sizes, kernel = x.shape[1:-1], weights["kernel"]
    whole = np.zeros((len(x), *full(op, sizes), op.filters))
    whole[kept(op, sizes)] = dy
    dx, dkernel = np.zeros(x.shape), np.zeros(kernel.shape)
    axes = tuple(range(x.ndim - 1))
    for tap, place in stamps(op.windows(len(sizes)), sizes):
        arrays = whole[place], kernel[tap], x, dx, dkernel[tap]
        groups = (np.split(array, op.groups, axis=-1) for array in arrays)
        for gradient, weight, inputs, dinputs, dweight in zip(*groups, strict=True):
            dinputs += gradient @ weight
            dweight += np.tensordot(gradient, inputs, (axes, axes))
    return dx, {"kernel": dkernel, "bias": dy.sum(axes)} if op.use_bias else {"kernel": dkernel}


def full(op: ConvTranspose, sizes: tuple[int, ...]) -> list[int]:
    """The output sizes before pixels are cut off, with those that have no input."""
    axes = zip(op.windows(len(sizes)), op.more(len(sizes)), sizes, strict=True)
    return [(n - 1) * w.stride + w.extent + more - min(w.crops[1], 0) for w, more, n in axes]


def stamps(
    windows: tuple[Window, ...], sizes: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """For each tap of a transposed convolution: its index, and where it writes all inputs."""
    for tap in np.ndindex(*(w.kernel for w in windows)):
        places = (
            slice(t * w.dilation, t * w.dilation + (n - 1) * w.stride + 1, w.stride)
            for t, w, n in zip(tap, windows, sizes, strict=True)
        )
        yield tap, (slice(None), *places)


def kept(op: ConvTranspose, sizes: tuple[int, ...]) -> tuple[slice, ...]:
    """What is left of the output after pixels are cut off."""
    axes = zip(op.windows(len(sizes)), op.more(len(sizes)), sizes, strict=True)
    found = [(w.crops[0], w.transposed(n, more)) for w, more, n in axes]
    return (slice(None), *(slice(before, before + n) for before, n in found))


def upsample(op: Upsample, x: Array, weights: Weights) -> Array:
    for axis, share in enumerate(shares(op, x.shape[1:-1]), 1):
        x = np.moveaxis(np.tensordot(share, x, (1, axis)), 0, axis)
    return x


def upsample_gradients(op: Upsample, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    """The backward pass of ``upsample``: its shares, transposed."""
    for axis, share in enumerate(shares(op, x.shape[1:-1]), 1):
        dy = np.moveaxis(np.tensordot(share, dy, (0, axis)), 0, axis)
    return dy, {}


def shares(op: Upsample, sizes: tuple[int, ...]) -> Iterator[Array]:
    """For each axis: the share of every input pixel (columns) in every output pixel (rows)."""
    for n, m in zip(sizes, op.outputs(sizes), strict=True):
        share, rows = np.zeros((m, n)), np.arange(m)
        if op.method == "nearest":
            share[rows, rows * n // m] = 1
        else:
            places = (rows + 0.5) * n / m - 0.5
            if op.align_corners:
                places = rows * (n - 1) / max(m - 1, 1)
            distance = np.abs(np.clip(places, 0, n - 1)[:, None] - np.arange(n))
            share = np.maximum(1 - distance, 0)
        yield share
