"""Pools in ceil mode compared with PyTorch's own, on all small maps and windows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from steps import op

from inception_dsl.ops import AvgPool, MaxPool
from inception_dsl.reference import gradients, operations
from inception_dsl.types.tensor import ShapeError, TensorType
from inception_dsl.types.window import Window

GRID = [
    (kernel, stride, pad, dilation, size)
    for kernel, stride, dilation, size in itertools.product(
        range(1, 7), range(1, 6), (1, 2, 3), range(1, 10)
    )
    for pad in range(kernel // 2 + 1)
]


def torch_outputs(
    kernel: int, stride: int, pad: int, dilation: int, size: int, *, ceil: bool
) -> int | None:
    """The outputs of PyTorch's max pool; none where it rejects the size."""
    try:
        y = torch.nn.MaxPool1d(kernel, stride, pad, dilation, ceil_mode=ceil)(torch.ones(1, size))
    except RuntimeError:
        return None
    return int(y.shape[1])


@pytest.mark.parametrize("ceil", [False, True])
def test_a_window_has_the_outputs_of_pytorch(ceil: bool) -> None:
    """Also the smallest size that it fits, and the function that input sizes are made of."""
    for kernel, stride, pad, dilation, size in GRID:
        window = Window(kernel, stride, dilation, (pad, pad), ceil_mode=ceil)
        expected = torch_outputs(kernel, stride, pad, dilation, size, ceil=ceil)
        if expected is None:
            with pytest.raises(ShapeError):
                window.output(size)
            assert size < window.least
            most = window.fitting(size)
            assert window._replace(kernel=most).output(size) >= 1
            with pytest.raises(ShapeError):
                window._replace(kernel=most + 1).output(size)
        else:
            assert (window.output(size), window.pixels.at(size)) == (expected, expected), window
            assert size >= window.least


WINDOWS = [
    (kernel, stride, pad)
    for kernel, stride in itertools.product(range(1, 6), range(1, 6))
    for pad in range(kernel // 2 + 1)
]


def both(
    layer: torch.nn.Module, step: MaxPool | AvgPool, name: str, shape: tuple[int, ...]
) -> list[tuple[Any, Any]]:
    """The outputs and the gradients of PyTorch's layer and of the reference, channels last."""
    rng = np.random.default_rng(len(shape))
    x = rng.normal(size=(2, *shape, 3))
    moved = torch.from_numpy(np.moveaxis(x, -1, 1)).requires_grad_()
    output = layer(moved)
    y = getattr(operations, name)(step, x, {})
    dy = rng.normal(size=y.shape)
    output.backward(torch.from_numpy(np.ascontiguousarray(np.moveaxis(dy, -1, 1))))
    dx, _ = getattr(gradients, name)(step, x, {}, y, dy)
    assert moved.grad is not None
    found = [(output.detach().numpy(), y), (moved.grad.numpy(), dx)]
    return [(np.moveaxis(theirs, 1, -1), ours) for theirs, ours in found]


@pytest.mark.parametrize("count", [None, False, True])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_pool_in_ceil_mode_is_that_of_pytorch(rank: int, count: bool | None) -> None:
    """Forward and backward in float64; max pools, and averages with and without padding."""
    name = "max_pool" if count is None else "avg_pool"
    more: dict[str, Any] = {} if count is None else {"count_include_pad": count}
    kind = getattr(torch.nn, f"{'Max' if count is None else 'Avg'}Pool{rank}d")
    rejected = compared = 0
    for (kernel, stride, pad), size in itertools.product(WINDOWS, range(1, 7)):
        shape = (size, 5, 4)[:rank]
        fields = f"kernel_size: {kernel}, stride: {stride}, padding: {pad}, ceil_mode: true"
        counts = "" if count is None else f", count_include_pad: {str(count).lower()}"
        step: Any = op(f"{name}, {fields}{counts}")
        layer = kind(kernel, stride, pad, ceil_mode=True, **more)
        try:
            step.infer(TensorType(shape, 3))
        except ShapeError:
            with pytest.raises(RuntimeError):
                layer(torch.ones(2, 3, *shape))
            rejected += 1
            continue
        for theirs, ours in both(layer, step, name, shape):
            assert theirs.shape == ours.shape
            np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-14, err_msg=fields)
        compared += 1
    assert rejected
    assert compared > 100
