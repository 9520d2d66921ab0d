"""The words that ops are written in: tensor types, windows, padding, weights.

A tensor type has no batch axis; shapes are written spatial axes first, channels last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, NoReturn, TypeAlias

from .symbolic import Dim, Symbolic, Value, source


@dataclass(frozen=True, slots=True)
class Prose:
    """A free text of a spec: anything may stand in it, so it is no ``str`` and is part of none by accident.

    It reaches source through ``literal``, ``comment`` and ``docstring``; ``plain`` is for them, and for what is printed
    for a person.
    """

    plain: str = ""

    def __bool__(self) -> bool:
        return bool(self.plain)

    def __str__(self) -> NoReturn:
        raise TypeError("a text of a spec reaches source as a literal, a comment or a docstring only")

    def __format__(self, _: str) -> str:
        return str(self)


class ShapeError(Exception):
    """An op does not fit its input; ``field`` is the attribute to point at, ``write`` a value of it that fits."""

    def __init__(self, message: str, *, field: str = "", code: str = "E403", help: str = "", write: str = "") -> None:
        super().__init__(message)
        self.field, self.code, self.help, self.write = field, code, help, write


def known(value: Value) -> bool:
    """Whether ``value`` is a plain number, so that it can be checked."""
    return not isinstance(value, Symbolic)


def dim(value: Value) -> Dim:
    """``value`` as a dimension."""
    return int(value) if isinstance(value, float) else value


def number(value: Value) -> int:
    """``value`` where it is known."""
    if isinstance(value, Symbolic):
        raise TypeError(f"{value} is not a number")
    return int(value)


class TensorType(NamedTuple):
    """One sample: ``spatial`` axes (none for a vector) and ``channels``."""

    spatial: tuple[Dim, ...]
    channels: Dim

    @property
    def rank(self) -> int:
        return len(self.spatial)

    @property
    def shape(self) -> tuple[Dim, ...]:
        return (*self.spatial, self.channels)

    def positions(self) -> Dim:
        """Number of spatial positions (1 for a vector)."""
        return product(self.spatial)

    def __str__(self) -> str:
        return "x".join(source(d) if known(d) else f"({source(d)})" for d in self.shape)


def product(values: Iterable[Value]) -> Dim:
    result: Value = 1
    for value in values:
        result = result * value
    return dim(result)


Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = Literal["same"] | tuple[Pair, ...]


class Window(NamedTuple):
    """A window that slides along one axis. ``padding`` is ``"same"`` or the pixels ``(before, after)``.

    ``same`` is TensorFlow's rule, exact at every size: ``ceil(n / stride)`` outputs, and the padding that this needs,
    the odd pixel at the end.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: Literal["same"] | Pair = "same"
    ceil_mode: bool = False

    @property
    def extent(self) -> int:
        """Pixels that the window spans."""
        return (self.kernel - 1) * self.dilation + 1

    def output(self, size: Dim) -> Dim:
        """Number of outputs on an axis of ``size``; raises :class:`ShapeError` where the window does not fit."""
        if self.padding == "same":
            return dim((size + (self.stride - 1)) // self.stride)
        before, after = self.padding
        room = size + (before + after - self.extent)
        if not isinstance(room, Symbolic) and room < 0:
            spread = f" ({self.kernel} taps at dilation {self.dilation})" if self.dilation > 1 else ""
            needs = f"the window needs {self.extent}{spread}"
            message = f"the input has {size} pixels with {before + after} of padding, {needs}"
            raise ShapeError(message, field="kernel_size", code="E401")
        if not self.ceil_mode:
            return dim((room + self.stride) // self.stride)
        count = (room + (2 * self.stride - 1)) // self.stride
        if isinstance(count, int) and isinstance(size, int) and (count - 1) * self.stride >= size + before:
            count -= 1
        return dim(count)

    def fitting(self, size: Dim) -> int:
        """The largest kernel, up to this one, that fits on an axis of ``size``."""
        if self.padding == "same" or isinstance(size, Symbolic):
            return self.kernel
        return max(1, min(self.kernel, (size + sum(self.padding) - 1) // self.dilation + 1))

    def pads(self, size: int) -> Pair:
        """Pixels of padding before and after an axis of ``size`` (without those that ``ceil_mode`` adds)."""
        if self.padding != "same":
            return self.padding
        outputs = -(-size // self.stride)
        total = max((outputs - 1) * self.stride + self.extent - size, 0)
        return total // 2, total - total // 2

    @property
    def constant_pads(self) -> Pair | None:
        """The padding, if it is the same at every size; ``None`` where it depends on the size."""
        if self.padding != "same":
            return self.padding
        if self.extent == 1:
            return 0, 0
        if self.stride == 1:
            return (self.extent - 1) // 2, self.extent - 1 - (self.extent - 1) // 2
        return None

    def needed(self, outputs: int) -> int:
        """The smallest axis that gives ``outputs`` outputs or more."""
        if self.padding == "same":
            return (outputs - 1) * self.stride + 1
        before, after = self.padding
        size = max(1, (outputs - 1) * self.stride + self.extent - before - after)
        if self.ceil_mode:
            size = max(1, self.extent - before - after, size - self.stride + 1)
            while self.output(size) < outputs:  # type: ignore[operator]
                size += 1
        return size


class Weight(NamedTuple):
    """A variable of a layer: its name below the layer's path, its shape in the neutral layout, how it starts.

    Neutral layout: convolution kernels are spatial axes, input channels per group, output channels; dense kernels are
    inputs, outputs; depthwise kernels are spatial axes, input channels, multiplier.
    """

    name: str
    shape: tuple[Dim, ...]
    trainable: bool = True

    @property
    def size(self) -> Dim:
        return product(self.shape)
