"""The output type of a merge, or what differs between its branches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..types.tensor import TensorType


class Difference(NamedTuple):
    """What differs between branches (channels, spatial sizes or ranks), and the size of each.

    The size is ``None`` for a branch that is broadcast, which fits any other.
    """

    what: str
    sizes: tuple[Any, ...]


def _difference(what: str, sizes: Iterable[Any], broadcast: int | None = None) -> Difference | None:
    """The difference between sizes, if any; a size equal to ``broadcast`` fits all others."""
    found = tuple(size if size != broadcast else None for size in sizes)
    return Difference(what, found) if len({*found} - {None}) > 1 else None


def concatenated(types: list[TensorType]) -> TensorType | Difference:
    """The output type of a concat along channels, or the difference that prevents it."""
    found = _difference("ranks", (t.rank for t in types))
    if found:
        return found
    for sizes in zip(*(t.spatial for t in types), strict=True):
        found = _difference("spatial sizes", sizes)
        if found:
            return found
    return TensorType(types[0].spatial, sum(t.channels for t in types))


def combined(types: list[TensorType]) -> TensorType | Difference:
    """The output type of an add or a multiply, or the difference that prevents it.

    Axes of size 1, and vectors, are broadcast, as in NumPy.
    """
    found = _difference("ranks", (t.rank for t in types), broadcast=0)
    if found:
        return found
    rank = max(t.rank for t in types)
    shapes = [(*((1,) * rank if not t.rank else t.spatial), t.channels) for t in types]
    result: list[int] = []
    for axis, sizes in enumerate(zip(*shapes, strict=True)):
        found = _difference("channels" if axis == rank else "spatial sizes", sizes, broadcast=1)
        if found:
            return found
        result.append(max(sizes))
    return TensorType(tuple(result[:-1]), result[-1])
