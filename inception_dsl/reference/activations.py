"""Activation functions in NumPy, forward and backward; see ``gradients``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from ..ops import Activation
from .arrays import Array, Gradients, Weights


def activation(op: Activation, x: Array, weights: Weights) -> Array:
    if op.parts is not None:
        return softmax(divided(x, op.parts), -2).reshape(x.shape)
    if op.function == "gelu" and op.approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return FUNCTIONS[op.function](x, op.slope)


def erf(x: Array) -> Array:
    return np.fromiter(map(math.erf, x.flat), np.float64, x.size).reshape(x.shape)


def softmax(x: Array, axis: int = -1) -> Array:
    """The softmax over the channels, or another axis."""
    shifted = np.exp(x - x.max(axis, keepdims=True))
    return shifted / shifted.sum(axis, keepdims=True)


def divided(x: Array, parts: int) -> Array:
    """``x`` with its channels as parts and the channels of a part."""
    return x.reshape(*x.shape[:-1], parts, x.shape[-1] // parts)


def sigmoid(x: Array) -> Array:
    """The logistic function, without overflow for large values of either sign."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


FUNCTIONS: Final[dict[str, Callable[[Array, float], Array]]] = {
    "none": lambda x, _: x,
    "relu": lambda x, _: np.maximum(x, 0),
    "relu6": lambda x, _: np.clip(x, 0, 6),
    "leaky_relu": lambda x, a: np.where(x < 0, a * x, x),
    "elu": lambda x, a: np.where(x < 0, a * np.expm1(np.minimum(x, 0)), x),
    "gelu": lambda x, _: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    "silu": lambda x, _: x * sigmoid(x),
    "hard_swish": lambda x, _: x * np.clip(x + 3, 0, 6) / 6,
    "sigmoid": lambda x, _: sigmoid(x),
    "tanh": lambda x, _: np.tanh(x),
    "softmax": lambda x, _: softmax(x),
}


def activation_gradients(
    op: Activation, x: Array, weights: Weights, y: Array, dy: Array
) -> Gradients:
    """The backward pass of ``activation``."""
    if op.parts is not None:
        y, dy = divided(y, op.parts), divided(dy, op.parts)
        return (y * (dy - (dy * y).sum(-2, keepdims=True))).reshape(x.shape), {}
    if op.function == "softmax":
        return y * (dy - (dy * y).sum(-1, keepdims=True)), {}
    if op.function == "gelu" and op.approximate:
        inner = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
        return dy * 0.5 * (1 + inner + x * (1 - inner**2) * slope), {}
    return dy * DERIVATIVES[op.function](x, y, op.slope), {}


DERIVATIVES: Final[dict[str, Callable[[Array, Array, float], Array]]] = {
    "none": lambda x, y, _: 1.0,
    "relu": lambda x, y, _: x > 0,
    "relu6": lambda x, y, _: (x > 0) & (x < 6),
    "leaky_relu": lambda x, y, a: np.where(x > 0, 1.0, a),
    "elu": lambda x, y, a: np.where(x > 0, 1.0, y + a),
    "gelu": lambda x, y, _: (
        (1 + erf(x / math.sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    ),
    "silu": lambda x, y, _: sigmoid(x) + y * (1 - sigmoid(x)),
    "hard_swish": lambda x, y, _: np.clip(x + 3, 0, 6) / 6 + x * ((x > -3) & (x < 3)) / 6,
    "sigmoid": lambda x, y, _: y * (1 - y),
    "tanh": lambda x, y, _: 1 - y**2,
}
"""The derivative at ``x`` for output ``y`` and the ``alpha`` of the function.

Where a function has no derivative, the choice is that of the frameworks: at 0, the left derivative.
"""
