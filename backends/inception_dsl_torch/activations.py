"""Activation functions in PyTorch: as expressions, modules, and parts of class names."""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import SLOPES, Form, literal

CALLS: Final = {
    "relu": "F.relu",
    "relu6": "F.relu6",
    "leaky_relu": "F.leaky_relu",
    "elu": "F.elu",
    "gelu": "F.gelu",
    "silu": "F.silu",
    "hard_swish": "F.hardswish",
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
}
MODULES: Final = {
    "relu": "nn.ReLU",
    "relu6": "nn.ReLU6",
    "leaky_relu": "nn.LeakyReLU",
    "elu": "nn.ELU",
    "gelu": "nn.GELU",
    "silu": "nn.SiLU",
    "hard_swish": "nn.Hardswish",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
    "softmax": "nn.Softmax",
}
SUFFIXES: Final = {
    "none": "",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "hard_swish": "Hardswish",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softmax": "Softmax",
}


def applied(name: str, x: str, slope: str = "") -> str:
    """The activation of ``x`` as an expression; an empty ``slope`` is PyTorch's default."""
    if name == "none":
        return x
    if name == "softmax":
        return f"F.softmax({x}, dim=1)"
    return f"{CALLS[name]}({x}{f', {slope}' if slope else ''})"


def module(name: str) -> str:
    """A callable that creates the activation's module."""
    if name == "none":
        return "nn.Identity"
    return "lambda: nn.Softmax(dim=1)" if name == "softmax" else MODULES[name]


MODULE: Final = Form("activation", "Callable[[], nn.Module]", module)
"""The form of an activation that is an argument of a class: a callable that creates the module."""


def _constructor(settings: tuple[str, float, bool]) -> str:
    name, slope, approximate = settings
    if name in SLOPES and slope != SLOPES[name]:
        return f"lambda: {MODULES[name]}({literal(slope)})"
    if name == "gelu" and approximate:
        return f"lambda: {MODULES[name]}(approximate={literal('tanh')})"
    return module(name)


CONSTRUCTOR: Final = Form("constructor", "Callable[[], nn.Module]", _constructor)
"""The same for an activation with its own slope or approximation."""
