"""Converts weights between the neutral layout and PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def native(value: Any, layout: str) -> Any:
    """Convert a weight from the neutral layout to PyTorch's."""
    if layout in ("conv", "linear"):
        value = np.moveaxis(value, (-1, -2), (0, 1))
    elif layout == "pointwise":
        value = value.T
    elif layout == "depthwise":
        value = np.moveaxis(value, (-2, -1), (0, 1))
        value = value.reshape(value.shape[0] * value.shape[1], 1, *value.shape[2:])
    return np.ascontiguousarray(value)


def neutral(value: Any, layout: str, shape: tuple[int, ...]) -> Any:
    """Convert a weight from PyTorch's layout to the neutral one; returns a copy of this shape."""
    if layout in ("conv", "linear"):
        value = np.moveaxis(value, (0, 1), (-1, -2))
    elif layout == "pointwise":
        value = value.reshape(value.shape[:2]).T
    elif layout == "depthwise":
        value = value.reshape(shape[-2], shape[-1], *shape[:-2])
        value = np.moveaxis(value, (0, 1), (-2, -1))
    return np.array(value, order="C").reshape(shape)


def assign(tensor: torch.Tensor, value: Any, layout: str) -> None:
    """Set a tensor to a value in the neutral layout."""
    tensor.copy_(torch.from_numpy(native(np.asarray(value), layout)).reshape(tensor.shape))
