"""Pools of three axes in float64 on TensorFlow, which has kernels for float32 only.

A window of three axes is one of two axes, then one of the third: a maximum of maxima, or a mean of
means, as the values that padding adds do not count. TensorFlow has pools of two axes in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from unittest.mock import patch

import keras

Pool: TypeAlias = Callable[..., Any]


@contextmanager
def pools_of_three_axes() -> Iterator[None]:
    """Compute pools of three axes in float64 too, inside the context."""
    if keras.config.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    maximum, mean, either = _pool(tf.nn.max_pool), _pool(tf.nn.avg_pool), tf.nn.pool

    def pooled(x: Any, window_shape: Any, pooling_type: str, **more: Any) -> Any:
        if x.dtype != "float64" or len(x.shape) != 5:
            return either(x, window_shape, pooling_type, **more)
        return {"MAX": maximum, "AVG": mean}[pooling_type](x, window_shape, **more)

    with patch.multiple(tf.nn, max_pool=maximum, avg_pool=mean, pool=pooled):  # as Keras calls them
        yield


def _pool(pool: Pool) -> Pool:
    """``pool``, and two of its calls for a map (N, D, H, W, C) of float64."""

    def pooled(x: Any, sizes: Any, strides: Any, padding: str, data_format: str) -> Any:
        if x.dtype != "float64" or len(x.shape) != 5:
            return pool(x, sizes, strides, padding, data_format)
        (depth, *plane), (step, *steps) = _each(sizes), _each(strides)
        n, d, h, w, c = keras.ops.shape(x)
        y = pool(keras.ops.reshape(x, (n * d, h, w, c)), plane, steps, padding, "NHWC")
        _, h, w, _ = keras.ops.shape(y)
        y = keras.ops.reshape(y, (n, d, h * w, c))
        y = pool(y, (depth, 1), (step, 1), padding, "NHWC")
        return keras.ops.reshape(y, (n, keras.ops.shape(y)[1], h, w, c))

    return pooled


def _each(value: Any) -> tuple[int, int, int]:
    """A value for each axis."""
    return (value, value, value) if isinstance(value, int) else tuple(value)
