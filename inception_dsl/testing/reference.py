"""A NumPy interpreter of typed programs: one small function for each op, in float64, channels last.

It shares the shape rules with the compiler, and nothing with any framework, so that a disagreement has a culprit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse, applications
from ..ops import (
    SLOPES,
    Activation,
    AvgPool,
    BatchNorm,
    Composite,
    Conv,
    Dense,
    DepthwiseConv,
    GroupNorm,
    LayerNorm,
    LocalResponseNorm,
    Op,
    Pool,
    Scale,
    ZeroPad,
)
from ..values import Window, number

Array: TypeAlias = Any
Weights: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Result:
    """What a program computes: outputs by name, the output of every used block by path, and in training the batch
    statistics (biased variance) by the path of the moving ones.
    """

    outputs: dict[str, Array]
    blocks: dict[str, Array]
    statistics: dict[str, Array]


def interpret(typed: TypedProgram, weights: Weights, x: Array, *, training: bool = False) -> Result:
    """Run a program on a batch ``x`` (N, spatial axes, channels); auxiliary heads only stand in training."""
    interpreter = _Interpreter(weights, training)
    value = np.asarray(x, np.float64)
    after: dict[str, Array] = {}
    for chain in typed.sections.values():
        value = interpreter.chain(chain, value, (), after)
    outputs = {typed.program.output_name: value}
    outputs |= {name: after[step] for name, step in typed.program.outputs.items()}
    if training:
        for head, chain in typed.heads:
            outputs[head.name] = interpreter.chain(chain, after[head.after], (head.name,), {})
    return Result(outputs, interpreter.blocks, interpreter.statistics)


class _Interpreter:
    def __init__(self, weights: Weights, training: bool) -> None:
        self.weights, self.training = weights, training
        self.blocks: dict[str, Array] = {}
        self.statistics: dict[str, Array] = {}

    def chain(self, chain: TypedChain, x: Array, path: tuple[str, ...], after: dict[str, Array]) -> Array:
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments))
            if step.node.segments:
                after[step.node.segments[-1]] = x
        return x

    def node(self, typed: Typed, x: Array, path: tuple[str, ...]) -> Array:
        if isinstance(typed, TypedFork):
            values = [self.chain(branch, x, (*path, name), {}) for name, branch in typed.branches]
            return merge(typed, values)
        if isinstance(typed, TypedUse):
            self.blocks["/".join(path)] = value = self.chain(typed.body, x, path, {})
            return value
        return self.op(typed, x, "/".join(path))

    def op(self, typed: TypedOp, x: Array, path: str) -> Array:
        prefix = f"{path}/" if path else ""
        own = {w.name: np.asarray(self.weights[prefix + w.name], np.float64) for w in typed.op.weights(typed.x)}
        found: dict[str, Array] | None = {} if self.training else None
        y = apply(typed.op, x, own, found)
        self.statistics |= {prefix + name: value for name, value in (found or {}).items()}
        return y


def merge(fork: TypedFork, values: list[Array]) -> Array:
    """The outputs of the branches as one."""
    if fork.node.merge == "concat":
        return np.concatenate(values, axis=-1)
    rank = fork.y.rank
    full = [v if v.ndim == rank + 2 else v.reshape(len(v), *(1,) * rank, v.shape[-1]) for v in values]
    return sum(full[1:], full[0]) if fork.node.merge == "add" else math.prod(full[1:], start=full[0])


def apply(op: Op, x: Array, weights: Weights, statistics: dict[str, Array] | None = None) -> Array:
    """One op; ``weights`` are named as the op names them. Given ``statistics``, it is training and fills them in."""
    if isinstance(op, Composite):
        for segment, part in op.parts():
            own = {k.removeprefix(f"{segment}/"): v for k, v in weights.items() if k.startswith(f"{segment}/")}
            found: dict[str, Array] | None = None if statistics is None else {}
            x = apply(part, x, own, found)
            if statistics is not None:
                statistics |= {f"{segment}/{name}": value for name, value in (found or {}).items()}
        return x
    if isinstance(op, BatchNorm):
        return batch_norm(op, x, weights, statistics)
    return REFERENCE[op.op](op, x, weights)


def windows_of(x: Array, windows: tuple[Window, ...], fill: float) -> Array:
    """``x`` cut into windows: (N, outputs, channels, window)."""
    pads, sizes = [(0, 0)], x.shape[1:-1]
    for window, size in zip(windows, sizes, strict=True):
        before, after = window.pads(size)
        count = number(window.output(size))
        over = (count - 1) * window.stride + window.extent - (size + before + after)
        pads.append((before, after + max(over, 0)))
    padded = np.pad(x, [*pads, (0, 0)], constant_values=fill)
    axes = tuple(range(1, 1 + len(windows)))
    cut = sliding_window_view(padded, tuple(w.extent for w in windows), axis=axes)
    outputs = tuple(slice(0, None, w.stride) for w in windows)
    taps = tuple(slice(0, None, w.dilation) for w in windows)
    counts = tuple(slice(0, number(w.output(n))) for w, n in zip(windows, sizes, strict=True))
    return cut[(slice(None), *outputs, slice(None), *taps)][(slice(None), *counts)]


def conv(op: Conv, x: Array, weights: Weights) -> Array:
    rank = x.ndim - 2
    cut = windows_of(x, op.windows(rank), 0.0)
    kernel = weights["kernel"]
    inputs, outputs = x.shape[-1] // op.groups, kernel.shape[-1] // op.groups
    parts = []
    for group in range(op.groups):
        own = cut[(..., slice(group * inputs, (group + 1) * inputs), *(slice(None),) * rank)]
        taps = np.moveaxis(kernel[..., group * outputs : (group + 1) * outputs], -2, 0)
        parts.append(np.tensordot(own, taps, axes=rank + 1))
    return activate(op.activation, np.concatenate(parts, axis=-1) + weights.get("bias", 0.0))


def depthwise_conv(op: DepthwiseConv, x: Array, weights: Weights) -> Array:
    rank = x.ndim - 2
    cut = windows_of(x, op.windows(rank), 0.0)
    kernel = np.moveaxis(weights["kernel"], (-2, -1), (0, 1))  # channels, multiplier, window
    axes = tuple(range(-rank, 0))
    y = (cut[(..., slice(None), None, *(slice(None),) * rank)] * kernel).sum(axis=axes)
    return activate(op.activation, y.reshape(*y.shape[:-2], -1) + weights.get("bias", 0.0))


def max_pool(op: Pool, x: Array, weights: Weights) -> Array:
    rank = x.ndim - 2
    return windows_of(x, op.windows(rank), -np.inf).max(axis=tuple(range(-rank, 0)))


def avg_pool(op: AvgPool, x: Array, weights: Weights) -> Array:
    rank = x.ndim - 2
    windows = op.windows(rank)
    axes = tuple(range(-rank, 0))
    counted = np.ones((1, *x.shape[1:-1], 1))
    if op.count_include_pad:
        pads = [w.pads(n) for w, n in zip(windows, x.shape[1:-1], strict=True)]
        counted = np.pad(counted, [(0, 0), *pads, (0, 0)], constant_values=1.0)
        windows = tuple(Window(w.kernel, w.stride, w.dilation, (0, 0), w.ceil_mode) for w in windows)
    count = windows_of(counted, windows, 0.0).sum(axis=axes)
    total = windows_of(x, op.windows(rank), 0.0).sum(axis=axes)
    return total / count[tuple(slice(0, n) for n in (1, *total.shape[1:-1], 1))]


def global_avg_pool(op: Any, x: Array, weights: Weights) -> Array:
    return x.mean(axis=tuple(range(1, x.ndim - 1)), keepdims=op.keepdims)


def global_max_pool(op: Any, x: Array, weights: Weights) -> Array:
    return x.max(axis=tuple(range(1, x.ndim - 1)), keepdims=op.keepdims)


def dense(op: Dense, x: Array, weights: Weights) -> Array:
    return activate(op.activation, x @ weights["kernel"] + weights.get("bias", 0.0))


def batch_norm(op: BatchNorm, x: Array, weights: Weights, statistics: dict[str, Array] | None) -> Array:
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    if statistics is not None:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
        statistics |= {"moving_mean": mean, "moving_variance": variance}
    y = (x - mean) / np.sqrt(variance + op.epsilon)
    return y * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def layer_norm(op: LayerNorm, x: Array, weights: Weights) -> Array:
    y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + op.epsilon)
    return y * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def group_norm(op: GroupNorm, x: Array, weights: Weights) -> Array:
    split = x.reshape(len(x), -1, op.groups, x.shape[-1] // op.groups)
    mean, variance = split.mean((1, 3), keepdims=True), split.var((1, 3), keepdims=True)
    y = ((split - mean) / np.sqrt(variance + op.epsilon)).reshape(x.shape)
    return y * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def local_response_norm(op: LocalResponseNorm, x: Array, weights: Weights) -> Array:
    before = op.size // 2
    square = np.pad(x**2, [*[(0, 0)] * (x.ndim - 1), (before, op.size - 1 - before)])
    total = sliding_window_view(square, op.size, axis=-1).sum(-1)
    return x / (op.k + op.alpha / op.size * total) ** op.beta


def activation(op: Activation, x: Array, weights: Weights) -> Array:
    if op.function == "gelu" and op.approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return activate(op.function, x, op.slope)


def activate(name: str, x: Array, slope: float | None = None) -> Array:
    """An activation function with its default slope unless one is given."""
    return FUNCTIONS[name](x, SLOPES.get(name, 0.0) if slope is None else slope)


def _softmax(x: Array) -> Array:
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _sigmoid(x: Array) -> Array:
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


FUNCTIONS: Final[dict[str, Callable[[Array, float], Array]]] = {
    "none": lambda x, _: x,
    "relu": lambda x, _: np.maximum(x, 0),
    "relu6": lambda x, _: np.clip(x, 0, 6),
    "leaky_relu": lambda x, a: np.where(x < 0, a * x, x),
    "elu": lambda x, a: np.where(x < 0, a * np.expm1(np.minimum(x, 0)), x),
    "gelu": lambda x, _: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "silu": lambda x, _: x * _sigmoid(x),
    "hard_swish": lambda x, _: x * np.clip(x + 3, 0, 6) / 6,
    "sigmoid": lambda x, _: _sigmoid(x),
    "tanh": lambda x, _: np.tanh(x),
    "softmax": lambda x, _: _softmax(x),
}


def zero_pad(op: ZeroPad, x: Array, weights: Weights) -> Array:
    return np.pad(x, [(0, 0), *op.pads(x.ndim - 2), (0, 0)])


def scale(op: Scale, x: Array, weights: Weights) -> Array:
    return op.value * x


REFERENCE: Final[dict[str, Callable[[Any, Array, Weights], Array]]] = {
    "conv": conv,
    "depthwise_conv": depthwise_conv,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "global_avg_pool": global_avg_pool,
    "global_max_pool": global_max_pool,
    "dense": dense,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "local_response_norm": local_response_norm,
    "activation": activation,
    "dropout": lambda op, x, weights: x,
    "flatten": lambda op, x, weights: x.reshape(len(x), -1),
    "zero_pad": zero_pad,
    "scale": scale,
    "identity": lambda op, x, weights: x,
}
