"""Compile Inception networks from YAML specs to standalone PyTorch and Keras source.

>>> network = inception_dsl.load("v4", classes=10)
>>> print(network.summary())
>>> text = network.source("torch")
>>> model = network.module("torch").InceptionV4()
>>> print(inception_dsl.sweep("v4", {"width": [0.5, 1, 2]}))
>>> print(inception_dsl.fit("v4", "width", macs=600_000_000))

Modules are imported on first use. Only :meth:`Network.module` imports a framework.
"""

from __future__ import annotations

from .version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .api import Network, SpecError, SpecWarning, fit, load, sweep

__all__ = ["Network", "SpecError", "SpecWarning", "__version__", "fit", "load", "sweep"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
