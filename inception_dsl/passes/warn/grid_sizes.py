"""The sizes that W401 suggests: those near an input of which windows read all pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ...ir.program import Program
from ...ir.typed import TypedOp
from ...ops import ZeroPad
from ...ops.base import Windowed
from ...types.tensor import ShapeError
from ...types.window import Window

_BEFORE: Final = 200
_NEAR: Final = 32
"""Limits on time: the layers before, and the sizes that are tried."""

Before = tuple[Any, ...] | None
"""The layer before, with the layers before that, down to the network input ``()``.

``None`` if they are not known.
"""


def suggested(
    typed: TypedOp, ends: tuple[int, ...], before: Before, times: int, program: Program
) -> str:
    """The nearest sizes of a layer's input, and of the network's, without unread pixels.

    ``ends`` are the pixels that are unread at the end of each axis, ``times`` the repetitions that
    begin with this layer.
    """
    assert isinstance(typed.op, Windowed)
    windows, layers = typed.op.windows(typed.x.rank), _unwound(before)
    here = _around(typed.x.spatial, ends, lambda axis, n: _fits(windows[axis], n, times))
    there = ""
    for whole in (True, False) if layers else ():  # not all, where another branch reads the rest

        def fits(axis: int, size: int, whole: bool = whole) -> bool:
            return _fits(windows[axis], _after(layers, axis, size, whole=whole), times)

        there = there or _around(program.input.spatial, ends, fits)
    more = f" ({there} for the input of the {program.kind})" if there not in ("", here) else ""
    return f"use `padding: same`, or an input of {f'{here}{more}' if here else 'another size'}"


def by(sizes: Sequence[int]) -> str:
    """Sizes as text: ``17x17``."""
    return "x".join(map(str, sizes))


def end(window: Window, size: int, outputs: int, zeros: int = 0) -> int:
    """The unread pixels at the end of an axis, without ``zeros`` of padding."""
    last = (outputs - 1) * window.stride - window.pads(size)[0] + window.extent - 1
    return max(0, size - zeros - 1 - last)


def _around(sizes: Sequence[int], ends: tuple[int, ...], fits: Callable[[int, int], bool]) -> str:
    """The next smaller and the next larger sizes that fit."""
    found = []
    for step in (-1, 1):
        near = [
            next((n for n in range(size + step, size + step * _NEAR, step) if fits(axis, n)), 0)
            if unread
            else size
            for axis, (size, unread) in enumerate(zip(sizes, ends, strict=True))
        ]
        if all(n > 0 for n in near):
            found.append(by(near))
    return " or ".join(found)


def _fits(window: Window, size: int | None, times: int) -> bool:
    """Whether a window, and its repetitions on what it outputs, read all pixels."""
    for _ in range(times):
        if size is None or size < 1:
            return False
        try:
            outputs = window.output(size)
        except ShapeError:
            return False
        if end(window, size, outputs):
            return False
        if outputs == size:
            break
        size = outputs
    return True


def _unwound(before: Before) -> list[TypedOp]:
    """The layers before, in order; none if they are not known or too many."""
    layers: list[TypedOp] = []
    while before and len(layers) <= _BEFORE:
        layers.append(before[0])
        before = before[1]
    return [] if before is None or before else layers[::-1]


def _after(layers: list[TypedOp], axis: int, size: int, *, whole: bool) -> int | None:
    """The size of an axis after ``layers``; ``None`` if it is not known.

    ``whole``: nor if one of them does not read all pixels, but for zeros of a ``zero_pad``.
    """
    zeros = 0
    for typed in layers:
        rank = typed.x.rank
        least, pixels = typed.op.sizes(axis, rank)
        if size < max(least, 1) or size % typed.op.multiple:
            return None
        outputs = pixels.at(size)
        if isinstance(typed.op, ZeroPad):
            zeros += typed.op.pads(rank)[axis][1]
        elif isinstance(typed.op, Windowed):
            if whole and end(typed.op.windows(rank)[axis], size, outputs, zeros):
                return None
            zeros = 0
        size = outputs
    return size
