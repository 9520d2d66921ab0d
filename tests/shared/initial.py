"""Models without random initial values, for tests that load weights."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

import numpy as np


@contextmanager
def undrawn(backend: str) -> Iterator[None]:
    """No random initial values in this context: drawing them is slower than building the model."""
    with ExitStack() as stack:
        if backend == "keras":
            keras = importlib.import_module("keras")
            for name in ("VarianceScaling", "TruncatedNormal", "RandomNormal"):
                kind = getattr(keras.initializers, name)
                stack.enter_context(mock.patch.object(kind, "__call__", _zeros))
        else:
            init = importlib.import_module("torch.nn.init")
            for name in ("uniform_", "normal_", "trunc_normal_", *_SCALED):
                stack.enter_context(mock.patch.object(init, name, _kept))
        yield


_SCALED = ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_")


def _zeros(_: Any, shape: tuple[int, ...], dtype: str | None = None, **__: Any) -> Any:
    return np.zeros(shape, dtype)


def _kept(tensor: Any, *_: Any, **__: Any) -> Any:
    return tensor


def undrawn_model(create: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a function that creates a model of a backend: no random initial values."""

    @wraps(create)
    def made(backend: str, *arguments: Any, **more: Any) -> Any:
        with undrawn(backend):
            return create(backend, *arguments, **more)

    return made
