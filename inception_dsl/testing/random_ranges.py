"""The ranges of fields; a use with arguments that leave them is discarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .random_blocks import Step
from .random_shapes import POOLS, WINDOWED, Attributes, Misfit, Shape, at, resolved
from .random_sizes import Book

COUNTS: Final[Mapping[str, tuple[int, int]]] = {
    "filters": (1, 24),
    "units": (1, 24),
    "kernel_size": (1, 5),
    "stride": (1, 4),
    "dilation": (1, 4),
    "groups": (1, 24),
    "depth_multiplier": (1, 4),
    "output_size": (1, 6),
    "size": (1, 9),
    "repeat": (1, 3),
    "block_size": (1, 6),
    "parts": (1, 24),
}
REALS: Final[Mapping[str, tuple[float, float]]] = {
    "epsilon": (1e-5, 4.0),
    "decay": (0.0, 1.0),
    "alpha": (1e-5, 10.0),
    "beta": (0.05, 3.0),
    "k": (0.05, 12.0),
    "rate": (0.0, 0.9),
    "value": (-6.0, 6.0),
}
LEAST_FACTOR: Final = 0.05  # batch norm after a factor of 0 would divide rounding errors
WORDS: Final = ("activation", "function", "over", "per", "order")
FLAGS: Final = (
    *(
        "scale",
        "center",
        "learned",
        "use_bias",
        "keepdims",
        "ceil_mode",
        "count_include_pad",
        "approximate",
    ),
)
TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
}


class Ranged(Book):
    """The sizes of a spec with expressions as values; also checks the range of each value."""

    counts: Mapping[str, tuple[int, int]] = COUNTS

    def after(
        self, step: Step, x: Shape, values: Mapping[str, Any], own: Mapping[str, Any] | None = None
    ) -> Shape:
        try:
            if step.get("repeat") != 0:
                whole(resolved(step.get("repeat", 1), values), self.counts["repeat"])
            return Book.after(self, step, x, values, own)
        except (ArithmeticError, TypeError):
            raise Misfit from None

    def once(
        self, step: Step, x: Shape, values: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Shape:
        if "op" in step:
            checked(step, values, self.counts)
            checked(step.get("batch_norm", {}), values, self.counts)
            sparse(step, own, values, x)
        return Book.once(self, step, x, values, own)

    def use(self, step: Step, x: Shape, values: Mapping[str, Any]) -> Shape:
        for name, parameter in self.blocks[step["use"]].parameters.items():
            if name in step and type(resolved(step[name], values)) not in TYPES[parameter.type]:
                raise Misfit
        return Book.use(self, step, x, values)


def checked(
    fields: Mapping[str, Any], values: Mapping[str, Any], counts: Mapping[str, tuple[int, int]]
) -> None:
    """Raises :class:`Misfit` if the value of a field is out of range."""
    for key, written in fields.items():
        if key in ("op", "name", "batch_norm"):
            continue
        value = resolved(written, values)
        if key in counts:
            for one in value if isinstance(value, list) else [value]:
                whole(one, counts[key])
        elif key in REALS:
            real(value, REALS[key])
            if key == "value" and abs(value) < LEAST_FACTOR:
                raise Misfit
        elif (key in FLAGS and not isinstance(value, bool)) or (
            key in WORDS and not isinstance(value, str)
        ):
            raise Misfit
        elif key in ("padding", "cropping") and not isinstance(value, str | list):
            whole(value, (0, 3))


def sparse(
    step: Step, defaults: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any], x: Shape
) -> None:
    """Raises :class:`Misfit` for a convolution of three axes with a stride and a dilation.

    Keras has none: a pool follows it there, and TensorFlow has no such pools in float64.
    """
    if x.rank != 3 or step["op"] not in WINDOWED - POOLS:
        return
    given = Attributes(step, defaults.get(step["op"], {}), values)
    axes = range(x.rank)
    if all(max(at(given[key], axis) for axis in axes) > 1 for key in ("stride", "dilation")):
        raise Misfit


def whole(value: Any, bounds: tuple[int, int]) -> None:
    if type(value) is not int or not bounds[0] <= value <= bounds[1]:
        raise Misfit


def real(value: Any, bounds: tuple[float, float]) -> None:
    if type(value) not in (int, float) or not bounds[0] <= value <= bounds[1]:
        raise Misfit
