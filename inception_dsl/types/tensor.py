"""Tensor types: spatial axes first, channels last, no batch axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

AXES: Final[dict[int, tuple[str, ...]]] = {
    0: (),
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}
"""The names of the spatial axes."""
MAX_SIZE: Final = 65_536
"""The largest size of an axis of the input, and number of its channels."""
COLOURS: Final = 4
"""The most channels of an image: a step that reads no more is not one on features."""


def many(number: int, one: str, more: str = "") -> str:
    """A number with its noun: ``1 pixel``, ``2 pixels``."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"


class ShapeError(Exception):
    """An op does not match its input.

    ``field`` is the attribute to report, ``write`` a valid value for it.
    """

    def __init__(
        self, message: str, *, field: str = "", code: str = "E403", help: str = "", write: str = ""
    ) -> None:
        super().__init__(message)
        self.field, self.code, self.help, self.write = field, code, help, write


class TensorType(NamedTuple):
    """One sample: ``spatial`` axes (none for a vector) and ``channels``."""

    spatial: tuple[int, ...]
    channels: int

    @property
    def rank(self) -> int:
        return len(self.spatial)

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.spatial, self.channels)

    def positions(self) -> int:
        """Number of spatial positions (1 for a vector)."""
        return product(self.spatial)

    def __str__(self) -> str:
        return "x".join(map(str, self.shape))


def product(values: Iterable[int]) -> int:
    """The product of sizes; 1 if there are none."""
    result = 1
    for value in values:
        result = result * value
    return result
