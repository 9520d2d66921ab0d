"""Activation functions in PyTorch: as expressions, modules, and callables that create modules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from inception_dsl.backend import (
    SLOPES,
    Code,
    Form,
    Group,
    Item,
    TypedOp,
    TypedProgram,
    call,
    flat,
    literal,
    walk_program,
)

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
    "none": "nn.Identity",
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


def applied(name: str, x: str, slope: str = "", *, fresh: bool = False) -> str:
    """The activation of ``x`` as an expression; an empty ``slope`` is PyTorch's default.

    ``fresh``: a ReLU may overwrite ``x``.
    """
    if name == "none":
        return x
    if name == "softmax":
        return f"F.softmax({x}, dim=1)"
    inplace = ", inplace=True" if fresh and name == "relu" else ""
    return f"{CALLS[name]}({x}{f', {slope}' if slope else ''}{inplace})"


def module(name: str, *, fresh: bool = False) -> Group:
    """The activation as a module; ``fresh`` is as for :func:`applied`."""
    return call(MODULES[name], *_settings(name, fresh=fresh))


def word(name: str) -> str:
    """The activation as it is written in text: ``ReLU``."""
    return "" if name == "none" else MODULES[name].removeprefix("nn.")


def needs_partial(texts: Iterable[str]) -> bool:
    """Whether any of the callables is a ``functools.partial``."""
    return any(text.startswith("partial(") for text in texts)


def made(constructor: Code) -> Code:
    """A call of a callable without arguments."""
    if needs_partial([constructor]):
        function, _, rest = constructor.removeprefix("partial(").partition(", ")
        return Code(f"{function}({rest}")
    return type(constructor)(f"{constructor}()")


def _settings(name: str, *, fresh: bool) -> list[Item]:
    if name == "softmax":
        return [Item(literal(1), "dim")]
    return [Item(literal(True), "inplace")] if fresh and name == "relu" else []


def _callable(name: str, settings: list[Item]) -> str:
    """A callable that creates a module; a lambda could not be pickled."""
    if not settings:
        return MODULES[name]
    return flat(call("partial", Code(MODULES[name]), *settings))


def _constructor(setting: tuple[str, float, bool]) -> str:
    name, slope, approximate = setting
    settings = _settings(name, fresh=False)
    if name in SLOPES and slope != SLOPES[name]:
        settings.append(Item(literal(slope), "alpha" if name == "elu" else "negative_slope"))
    if name == "gelu" and approximate:
        settings.append(Item(literal("tanh"), "approximate"))
    return _callable(name, settings)


def _form(key: str, write: Any) -> Form:
    return Form(key, "Callable[[], nn.Module]", write)


LAST: Final = _form("activation", lambda n: _callable(n, _settings(n, fresh=True)))
"""The form of an activation that is an argument of a class: a callable that creates the module,
which may overwrite its input.
"""
MODULE: Final = _form("function", lambda n: _callable(n, _settings(n, fresh=False)))
"""The same for a module that must not overwrite its input."""
CONSTRUCTOR: Final = _form("constructor", _constructor)
"""The same for an activation with its own slope or approximation."""


def last_form(typed: TypedProgram) -> Form:
    """The form of activations after layers: :data:`LAST`, or :data:`MODULE` where parameters give
    activations to steps of their own, as a parameter in both forms would be two arguments.
    """
    steps = (n.node.op for _, n in walk_program(typed) if isinstance(n, TypedOp))
    given = any(not isinstance(getattr(op, "function", ""), str) for op in steps)
    return MODULE if given else LAST
