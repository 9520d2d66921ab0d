"""Values, compilation and gradients on the engine that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras


@contextmanager
def floats(dtype: str) -> Iterator[None]:
    """Set the default float type of Keras inside the context."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)


def numpy(y: Any) -> Any:
    """A tensor as a NumPy array."""
    return keras.ops.convert_to_numpy(y)


def values(variables: list[Any]) -> list[Any]:
    """The values of variables, as tensors of the engine."""
    return [keras.ops.copy(v) for v in variables]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, compiled on JAX, where single operations are slow."""
    if keras.config.backend() != "jax":
        return function
    import jax

    return jax.jit(function)


def graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, compiled to a graph on TensorFlow; it may assign to variables."""
    if keras.config.backend() != "tensorflow":
        return function
    import tensorflow as tf

    compiled: Callable[..., Any] = tf.function(function)
    return compiled


def differentiate(
    function: Callable[..., Any], values: list[Any], *rest: Any
) -> tuple[Any, list[Any]]:
    """The result of ``function``, a pair, and the gradients of the pair's first value."""
    engine = keras.config.backend()
    if engine == "jax":
        import jax

        found, gradients = jax.jit(jax.value_and_grad(function, has_aux=True))(values, *rest)
    elif engine == "torch":
        import torch

        leaves = [v.detach().clone().requires_grad_() for v in values]
        found = function(leaves, *rest)
        gradients = torch.autograd.grad(found[0], leaves, allow_unused=True, materialize_grads=True)
    else:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            found = function(values, *rest)
        gradients = tape.gradient(
            found[0], values, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
    return found, list(gradients)
