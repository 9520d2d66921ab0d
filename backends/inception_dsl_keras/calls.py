"""What a lowered op consists of.

Calls of layers and of helper functions, each with the layers that it makes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TENSOR = "@"
"""Stands in an argument for the tensor that a call is applied to."""


@dataclass(frozen=True, slots=True)
class Argument:
    """``keyword=value``, left out where it equals ``default``.

    A ``value`` of ``None`` is as good as any other.
    """

    keyword: str
    value: str | None
    default: str | None = None
    positional: bool = False

    @property
    def written(self) -> bool:
        return self.value is not None and self.value != self.default


@dataclass(frozen=True, slots=True)
class Variable:
    """A weight of the op (``weight`` is its name in the spec) and the variable of the layer that
    holds it.
    """

    weight: str
    name: str
    layout: str = "same"


@dataclass(frozen=True, slots=True)
class Made:
    """A layer of the model: ``part`` stands in its name behind that of the call."""

    part: str
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments, name=…)(x)``, or ``function(x, arguments, name=…)`` for a ``helper``.

    ``made`` are the layers that come into being, the one whose output is the result last.
    """

    function: str
    arguments: tuple[Argument, ...] = ()
    part: str = ""
    helper: bool = False
    made: tuple[Made, ...] = ()

    def value(self, keyword: str) -> str | None:
        return next(a.value for a in self.arguments if a.keyword == keyword)

    def with_arguments(self, arguments: tuple[Argument, ...]) -> Call:
        return replace(self, arguments=arguments)


def layer(
    function: str, *arguments: Argument, part: str = "", variables: tuple[Variable, ...] = ()
) -> Call:
    """A call of one of the framework's layers."""
    return Call(f"layers.{function}", arguments, part, made=(Made("", variables),))


def below(part: str, inner: str) -> str:
    """The part of a layer that belongs to the one called ``part``."""
    return f"{part}_{inner}" if part else inner


def layer_name(path: tuple[str, ...], part: str, kind: str) -> str:
    """The name of a layer: the path and the part, joined.

    The kind stands for a path that is empty.
    """
    return "_".join([*(path or (kind,)), *([part] if part else [])])


def merge_name(path: tuple[str, ...], merge: str) -> str:
    """The name of the layer that joins branches.

    Keras itself gives the names ``add`` and ``multiply``.
    """
    return "_".join([*path, merge]) if path or merge == "concat" else f"{merge}_branches"
