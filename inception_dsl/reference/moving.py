"""Ops that only move, add or remove values, in NumPy, forward and backward; see ``gradients``."""

from __future__ import annotations

import numpy as np

from ..ops import Blocks, ChannelShuffle, Crop, DepthToSpace, SpaceToDepth, ZeroPad
from .arrays import Array, Gradients, Weights


def zero_pad(op: ZeroPad, x: Array, weights: Weights) -> Array:
    return np.pad(x, [(0, 0), *op.pads(x.ndim - 2), (0, 0)])


def zero_pad_gradients(op: ZeroPad, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    """The backward pass of ``zero_pad``: padding has no gradient."""
    pads = op.pads(x.ndim - 2)
    return dy[
        (slice(None), *(slice(p, p + n) for (p, _), n in zip(pads, x.shape[1:-1], strict=True)))
    ], {}


def crop(op: Crop, x: Array, weights: Weights) -> Array:
    return x[kept(op, x)]


def crop_gradients(op: Crop, x: Array, weights: Weights, y: Array, dy: Array) -> Gradients:
    """The backward pass of ``crop``: a pixel that was cut off has no gradient."""
    dx = np.zeros(x.shape)
    dx[kept(op, x)] = dy
    return dx, {}


def kept(op: Crop, x: Array) -> tuple[slice, ...]:
    """What is left of ``x``."""
    cuts = zip(op.cuts(x.ndim - 2), x.shape[1:-1], strict=True)
    return (slice(None), *(slice(before, n - after) for (before, after), n in cuts))


def channel_shuffle(op: ChannelShuffle, x: Array, weights: Weights) -> Array:
    return x[..., shuffled(op, x)]


def channel_shuffle_gradients(
    op: ChannelShuffle, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    """The backward pass of ``channel_shuffle``."""
    dx = np.empty(x.shape)
    dx[..., shuffled(op, x)] = dy
    return dx, {}


def shuffled(op: ChannelShuffle, x: Array) -> list[int]:
    """The input channel of every output channel."""
    channels = x.shape[-1]
    each = channels // op.groups
    return [group * each + i for i in range(each) for group in range(op.groups)]


def space_to_depth(op: SpaceToDepth, x: Array, weights: Weights) -> Array:
    return deep(op, x)


def space_to_depth_gradients(
    op: SpaceToDepth, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    """The backward pass of ``space_to_depth``."""
    return wide(op, dy), {}


def depth_to_space(op: DepthToSpace, x: Array, weights: Weights) -> Array:
    return wide(op, x)


def depth_to_space_gradients(
    op: DepthToSpace, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    """The backward pass of ``depth_to_space``."""
    return deep(op, dy), {}


def deep(op: Blocks, x: Array) -> Array:
    """Blocks of positions as channels: a slice of ``x`` for every position in a block."""
    rank, b = x.ndim - 2, op.block_size
    starts = np.ndindex(*(b,) * rank)
    parts = [x[(slice(None), *(slice(i, None, b) for i in start))] for start in starts]
    axis = -2 if op.order == "channels_last" else -1
    return np.stack(parts, axis).reshape(*parts[0].shape[:-1], -1)


def wide(op: Blocks, x: Array) -> Array:
    """Channels as blocks of positions."""
    rank, b = x.ndim - 2, op.block_size
    channels = x.shape[-1] // b**rank
    y = np.empty((len(x), *(n * b for n in x.shape[1:-1]), channels))
    for position, start in enumerate(np.ndindex(*(b,) * rank)):
        first, last = position * channels, op.order == "channels_last"
        part = x[..., first : first + channels] if last else x[..., position :: b**rank]
        y[(slice(None), *(slice(i, None, b) for i in start))] = part
    return y
