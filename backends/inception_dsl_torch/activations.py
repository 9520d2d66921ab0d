"""Activation functions in PyTorch.

As an expression, as something to call, as a module, as part of a class's name.
"""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import SLOPES, literal

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


def applied(name: str, x: str, slope: float | None = None) -> str:
    """The function of ``x``; the default slopes are PyTorch's own."""
    if name == "none":
        return x
    if name == "softmax":
        return f"F.softmax({x}, dim=1)"
    more = (
        f", {literal(slope)}"
        if slope is not None and name in SLOPES and slope != SLOPES[name]
        else ""
    )
    return f"{CALLS[name]}({x}{more})"


def called(name: str) -> str:
    """The function as something to call."""
    return CALLS.get(name) or f"lambda x: {applied(name, 'x')}"
