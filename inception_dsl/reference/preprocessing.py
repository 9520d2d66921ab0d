"""Preprocessing of images in NumPy, channels last."""

from __future__ import annotations

import numpy as np

from ..ir.sections import Preprocessing, Resize
from .arrays import Array


def preprocess(steps: Preprocessing, images: Array) -> Array:
    """The input of the network for a batch of RGB images with values from 0 to 255."""
    x = images if steps.resize is None else resized(steps.resize, images)
    x = (x[..., ::-1] if steps.channel_order == "bgr" else x) * steps.scale
    if not steps.per_image:
        return (x - np.asarray(steps.mean)) / np.asarray(steps.std)
    axes = tuple(range(1, x.ndim))
    least = 1 / np.sqrt(x[0].size)
    return (x - x.mean(axes, keepdims=True)) / np.maximum(x.std(axes, keepdims=True), least)


def resized(resize: Resize, x: Array) -> Array:
    """Images of another size, one axis after the other."""
    for axis, size in enumerate(resize.size, 1):
        share = shares(resize, x.shape[axis], size)
        x = np.moveaxis(np.tensordot(share, x, (1, axis)), 0, axis)
    return x


def shares(resize: Resize, n: int, m: int) -> Array:
    """The share of every input pixel (columns) in every output pixel (rows).

    It falls linearly from the place of the output pixel to 0 at a distance of one pixel; with
    ``antialias`` at a distance of one output pixel, if that is larger.
    """
    if resize.method == "nearest":
        return (np.arange(n) == (np.arange(m) * n // m)[:, None]).astype(np.float64)
    places = (np.arange(m) + 0.5) * n / m - 0.5
    reach = max(n / m, 1.0) if resize.antialias else 1.0
    share = np.maximum(1 - np.abs(places[:, None] - np.arange(n)) / reach, 0)
    return share / share.sum(1, keepdims=True)
