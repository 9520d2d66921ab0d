"""W401: pixels of an input that no window reads.

At a stride, `valid` and explicit padding leave the end of an axis unread where its size does not
fit; a stride beyond the window leaves pixels between windows unread. What another branch of a fork
reads of the same input is not lost, nor is padding of a `zero_pad`. Branches that all lose the same
pixels are one warning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...ir.program import Origin
from ...ir.typed import TypedFork, TypedOp, TypedUse
from ...ops import ZeroPad
from ...ops.base import Windowed
from ...types.tensor import ShapeError
from ...types.window import Window
from .survey import Check, Context, Found, Steps, Survey, Told, field_span

MAX_BEFORE, MAX_SIZES, NEAR = 200, 20, 32
_AXES = {1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}


class Loss(NamedTuple):
    """What no window reads of an input: pixels at the end of each axis and between windows.

    All layers that do so.
    """

    ends: tuple[int, ...]
    gaps: tuple[int, ...]
    layers: tuple[tuple[TypedOp, Context], ...]
    before: Before

    @property
    def origin(self) -> Origin:
        return self.layers[0][0].node.origin


Before = tuple[Any, ...] | None
"""The layer in front and what is in front of that, down to the input ``()``.

``None`` where it is not known.
"""


class Reading(NamedTuple):
    """What a chain reads of its own input: ``loss`` is all that it leaves.

    ``open`` where it hands the input on.
    """

    loss: Loss | None
    open: bool
    end: Before


def _find(survey: Survey) -> list[Found]:
    if not any(_lost(typed, (0,) * typed.x.rank) for _, typed in survey.layers(Windowed)):
        return []  # nearly always
    found: list[Loss] = []
    for steps, context in [(survey.steps, survey.top), *survey.heads]:
        reading = _read(survey, steps, context, None if context.auxiliary else (), found)
        found += [reading.loss] if reading.loss else []
    kept = [*found[:MAX_SIZES], *(loss._replace(before=None) for loss in found[MAX_SIZES:])]
    return [
        Found(loss.origin, loss.layers[0][1], sum((*loss.ends, *loss.gaps)), loss) for loss in kept
    ]


def _lost(typed: TypedOp, zeros: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Pixels unread at the end of each axis and between windows.

    ``zeros`` at the end are no loss.
    """
    op = typed.op
    assert isinstance(op, Windowed)
    if op.stride == 1:
        return None
    ends, gaps = [], []
    axes = zip(op.windows(typed.x.rank), typed.x.spatial, typed.y.spatial, zeros, strict=True)
    for window, size, outputs, padding in axes:
        ends.append(_end(window, size, outputs, padding))
        apart = window.stride - window.kernel if window.dilation == 1 else 0
        gaps.append((outputs - 1) * max(0, apart))
    return (tuple(ends), tuple(gaps)) if any(ends) or any(gaps) else None


def _end(window: Window, size: int, outputs: int, zeros: int = 0) -> int:
    last = (outputs - 1) * window.stride - window.pads(size)[0] + window.extent - 1
    return max(0, size - zeros - 1 - last)


def _read(
    survey: Survey, steps: Steps, context: Context, before: Before, found: list[Loss]
) -> Reading:
    """Follow a chain; what is lost inside of it is ``found``, what is lost of its input is the
    answer.
    """
    first: Loss | None = None
    at_start = True
    zeros: tuple[int, ...] | None = None
    for step in steps:
        for run in step.runs:
            typed, here = run.typed, context.at(step.node, run.count)
            if not typed.x.rank:
                return Reading(first, False, before)
            if isinstance(typed, TypedOp):
                if isinstance(typed.op, ZeroPad):
                    pads = typed.op.pads(typed.x.rank)
                    zeros = tuple(
                        old + after
                        for old, (_, after) in zip(zeros or (0,) * len(pads), pads, strict=True)
                    )
                    before = (typed, before)
                    continue
                if _pointwise(typed):
                    continue
                lost = (
                    _lost(typed, zeros or (0,) * typed.x.rank)
                    if isinstance(typed.op, Windowed)
                    else None
                )
                loss = Loss(*lost, ((typed, here),), before) if lost else None
                before = (typed, before)
            else:
                reading = _inside(survey, typed, here, before, found)
                loss, before = reading.loss, reading.end
                if reading.open:
                    continue
            zeros = None
            if at_start:
                first, at_start = loss, False
            elif loss:
                found.append(loss)
    return Reading(first, at_start, before)


def _inside(
    survey: Survey, typed: TypedFork | TypedUse, context: Context, before: Before, found: list[Loss]
) -> Reading:
    readings = []
    for chain, below in survey.beneath(typed, context):
        reading = (
            _read(survey, chain.steps, below, before, found)
            if chain.size
            else Reading(None, True, before)
        )
        readings.append((chain, reading))
    if isinstance(typed, TypedUse):
        return readings[0][1]
    ends = [reading.end for chain, reading in readings if chain.y.spatial == typed.y.spatial]
    losses = [reading.loss for _, reading in readings]
    return Reading(_joined(losses), False, ends[0] if ends else None)


def _joined(losses: list[Loss | None]) -> Loss | None:
    """What all branches leave unread."""
    left = [loss for loss in losses if loss]
    if len(left) < len(losses) or not left:
        return None
    ends = tuple(min(sizes) for sizes in zip(*(loss.ends for loss in left), strict=True))
    gaps = tuple(min(sizes) for sizes in zip(*(loss.gaps for loss in left), strict=True))
    layers = tuple(layer for loss in left for layer in loss.layers)
    return Loss(ends, gaps, layers, left[0].before) if any(ends) or any(gaps) else None


def _pointwise(typed: TypedOp) -> bool:
    """Whether each output pixel comes from the pixel at its place alone, or all come from
    everything.
    """
    if isinstance(typed.op, Windowed):
        return all(
            w.kernel == w.stride == 1 and w.pads(1) == (0, 0)
            for w in typed.op.windows(typed.x.rank)
        )
    return typed.y.spatial == typed.x.spatial


def _tell(survey: Survey, found: list[Found]) -> Told:
    loss: Loss = found[0].data
    typed = loss.layers[0][0]
    assert isinstance(typed.op, Windowed)
    sizes = list(typed.x.spatial)
    lost = [
        _words(*one) for one in zip(_AXES[len(sizes)], sizes, loss.ends, loss.gaps, strict=True)
    ]
    message = (
        f"`{typed.op.op}` leaves {' and '.join(filter(None, lost))} of its {_by(sizes)} "
        "input unread"
    )
    others = {
        layer.node.origin.path: field_span(layer.node.origin, "stride")
        for layer, _ in reversed(loss.layers)
    }
    place = others.pop(typed.node.origin.path)
    said = (
        "and so does this branch"
        if len(others) == 1
        else f"and so do this and {len(others) - 1:,} more of the branches"
    )
    related = tuple((span, said) for span in list(others.values())[-1:])
    return Told(message, place, _help(survey, typed, loss), related)


def _words(axis: str, size: int, end: int, gap: int) -> str:
    if gap:
        return f"{end + gap:,} of {size:,} {axis}s"
    return "" if not end else f"the last {axis}" if end == 1 else f"the last {end:,} {axis}s"


def _by(sizes: list[int]) -> str:
    return "x".join(map(str, sizes))


def _help(survey: Survey, typed: TypedOp, loss: Loss) -> str:
    """Which inputs of the layer, and of the network, lose nothing."""
    assert isinstance(typed.op, Windowed)
    if any(loss.gaps):
        return "a `kernel_size` of at least the stride reads everything"
    windows = typed.op.windows(typed.x.rank)
    sizes = list(typed.x.spatial)
    here = _around(sizes, loss.ends, lambda axis, n: _fits(windows[axis], n))
    layers = _unwound(loss.before)
    program = survey.typed.program
    there = ""
    if layers:
        start = list(program.input.spatial)
        there = _around(
            start, loss.ends, lambda axis, n: _fits(windows[axis], _after(layers, axis, n))
        )
    more = f" ({there} at the input of the {program.kind})" if there not in ("", here) else ""
    return (
        f"{f'{here}{more}' if here else 'another size'} would lose nothing, nor would "
        "`padding: same`"
    )


def _around(sizes: list[int], ends: tuple[int, ...], fits: Callable[[int, int], bool]) -> str:
    """The next smaller and the next larger sizes that fit."""
    found = []
    for step in (-1, 1):
        near = [
            next((n for n in range(size + step, size + step * NEAR, step) if fits(axis, n)), 0)
            if end
            else size
            for axis, (size, end) in enumerate(zip(sizes, ends, strict=True))
        ]
        if all(n > 0 for n in near):
            found.append(_by(near))
    return " or ".join(found)


def _fits(window: Window, size: int | None) -> bool:
    if size is None or size < 1:
        return False
    try:
        return not _end(window, size, window.output(size))
    except ShapeError:
        return False


def _unwound(before: Before) -> list[TypedOp]:
    """The layers in front, in order; none where they are not known, or too many."""
    layers: list[TypedOp] = []
    while before and len(layers) <= MAX_BEFORE:
        layers.append(before[0])
        before = before[1]
    return [] if before is None or before else layers[::-1]


def _after(layers: list[TypedOp], axis: int, size: int) -> int | None:
    """The size of an axis behind ``layers``."""
    for typed in layers:
        if size < 1:
            return None
        if isinstance(typed.op, ZeroPad):
            size += sum(typed.op.pads(typed.x.rank)[axis])
        elif isinstance(typed.op, Windowed):
            try:
                size = typed.op.windows(typed.x.rank)[axis].output(size)
            except ShapeError:
                return None
        else:
            return None
    return size


CHECK = Check("W401", _find, _tell)
