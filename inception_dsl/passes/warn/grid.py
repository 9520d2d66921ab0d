"""W401: input pixels that no window reads.

With a stride, `valid` and explicit padding may leave the end of an axis unread; a stride larger
than the window leaves pixels between windows unread. Pixels that another branch of a fork reads do
not count, nor do the zeros of a `zero_pad`. Branches that lose the same pixels give one warning.
"""

from __future__ import annotations

from typing import NamedTuple

from ...ir.program import Origin
from ...ir.typed import TypedFork, TypedOp, TypedUse
from ...ops import ZeroPad
from ...ops.base import Windowed
from .grid_sizes import Before, by, end, suggested
from .survey import Check, Context, Found, Steps, Survey, Warn, field_span

_SIZES = 20
"""Limit on time: warnings with suggested sizes."""
_AXES = {1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}


class Loss(NamedTuple):
    """The pixels of an input that no window reads: at the end of each axis and between windows.

    ``layers`` are all layers that leave them unread, ``times`` the repetitions that begin here.
    """

    ends: tuple[int, ...]
    gaps: tuple[int, ...]
    layers: tuple[tuple[TypedOp, Context], ...]
    before: Before
    times: int = 1

    @property
    def origin(self) -> Origin:
        return self.layers[0][0].node.origin


class Reading(NamedTuple):
    """How a chain reads its input: ``loss`` is what it does not read.

    ``open`` means that the chain passes its input on unchanged.
    """

    loss: Loss | None
    open: bool
    end: Before


def _find(survey: Survey) -> list[Found]:
    if not any(_lost(typed, (0,) * typed.x.rank) for _, typed in survey.layers(Windowed)):
        return []  # the usual case; the search below takes time
    found: list[Loss] = []
    for steps, context in [(survey.steps, survey.top), *survey.heads]:
        reading = _read(survey, steps, context, None if context.auxiliary else (), found)
        found += [reading.loss] if reading.loss else []
    kept = [*found[:_SIZES], *(loss._replace(before=None) for loss in found[_SIZES:])]
    return [
        Found(loss.origin, loss.layers[0][1], sum((*loss.ends, *loss.gaps)), loss) for loss in kept
    ]


def _lost(typed: TypedOp, zeros: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The unread pixels at the end of each axis and between windows.

    ``zeros`` is the padding at the end of each axis, which does not count.
    """
    op = typed.op
    assert isinstance(op, Windowed)
    if op.stride == 1:
        return None
    ends, gaps = [], []
    axes = zip(op.windows(typed.x.rank), typed.x.spatial, typed.y.spatial, zeros, strict=True)
    for window, size, outputs, padding in axes:
        ends.append(end(window, size, outputs, padding))
        apart = window.stride - window.kernel if window.dilation == 1 else 0
        gaps.append((outputs - 1) * max(0, apart))
    return (tuple(ends), tuple(gaps)) if any(ends) or any(gaps) else None


def _read(
    survey: Survey, steps: Steps, context: Context, before: Before, found: list[Loss]
) -> Reading:
    """Follow a chain: adds the losses inside it to ``found``, returns how it reads its input."""
    first: Loss | None = None
    at_start, elsewhere = True, False  # whether a later branch reads the same pixels
    zeros: tuple[int, ...] | None = None
    for position, step in enumerate(steps):
        for index, run in enumerate(step.runs):
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
                times = sum(later.count for later in step.runs[index:]) if lost else 0
                loss = Loss(*lost, ((typed, here),), before, times) if lost else None
                before = (typed, before)
            else:
                reading = _inside(survey, typed, here, before, found)
                loss, before = reading.loss, reading.end
                if reading.open:
                    continue
            zeros, loss, elsewhere = None, None if elsewhere else loss, False
            if at_start:
                first, at_start = loss, False
            elif loss:
                found.append(loss)
        elsewhere |= survey.starts_branch(steps, position)
    return Reading(first, at_start, before)


def _inside(
    survey: Survey, typed: TypedFork | TypedUse, context: Context, before: Before, found: list[Loss]
) -> Reading:
    readings = []
    if isinstance(typed, TypedFork) and typed.node.inputs:  # no other branch reads its input
        for chain, below in survey.beneath(typed, context):
            loss = _read(survey, chain.steps, below, None, found).loss
            found += [loss] if loss else []
        return Reading(None, False, None)
    after = typed.node.after if isinstance(typed, TypedFork) else {}
    names = [name for name, _ in typed.branches] if isinstance(typed, TypedFork) else [""]
    for name, (chain, below) in zip(names, survey.beneath(typed, context), strict=True):
        if name in after:  # other steps may read the same pixels
            _read(survey, chain.steps, below, None, found)
            continue
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
    joined = _joined(losses, apart=typed.node.split is not None)
    return Reading(joined, False, ends[0] if ends else None)


def _joined(losses: list[Loss | None], *, apart: bool) -> Loss | None:
    """The pixels that no branch reads; ``apart``: no other branch reads a branch's channels."""
    left = [loss for loss in losses if loss]
    if not left or (len(left) < len(losses) and not apart):
        return None
    kept = max if apart else min
    ends = tuple(kept(sizes) for sizes in zip(*(loss.ends for loss in left), strict=True))
    gaps = tuple(kept(sizes) for sizes in zip(*(loss.gaps for loss in left), strict=True))
    layers = tuple(layer for loss in left for layer in loss.layers)
    return Loss(ends, gaps, layers, left[0].before) if any(ends) or any(gaps) else None


def _pointwise(typed: TypedOp) -> bool:
    """Whether an op reads all pixels and keeps the sizes: pointwise, or over all positions."""
    if isinstance(typed.op, Windowed):
        return all(
            w.kernel == w.stride == 1 and w.pads(1) == (0, 0)
            for w in typed.op.windows(typed.x.rank)
        )
    return typed.y.spatial == typed.x.spatial


def _describe(survey: Survey, found: list[Found]) -> Warn:
    loss: Loss = found[0].data
    typed = loss.layers[0][0]
    assert isinstance(typed.op, Windowed)
    sizes = list(typed.x.spatial)
    lost = [
        _words(*one) for one in zip(_AXES[len(sizes)], sizes, loss.ends, loss.gaps, strict=True)
    ]
    message = (
        f"`{typed.op.op}` does not read {' and '.join(filter(None, lost))} of its {by(sizes)} input"
    )
    others = {
        layer.node.origin.path: field_span(layer.node.origin, "stride")
        for layer, _ in reversed(loss.layers)
    }
    help = "use a `kernel_size` of at least the stride"
    if not any(loss.gaps):
        help = suggested(typed, loss.ends, loss.before, loss.times, survey.typed.program)
    span = others.pop(typed.node.origin.path)
    label = (
        "this branch does not read them either"
        if len(others) == 1
        else f"this and {len(others) - 1:,} more branches do not read them either"
    )
    related = tuple((other, label) for other in list(others.values())[-1:])
    return Warn(message, span, help, related)


def _words(axis: str, size: int, end: int, gap: int) -> str:
    if gap:
        return f"{end + gap:,} of {size:,} {axis}s"
    return "" if not end else f"the last {axis}" if end == 1 else f"the last {end:,} {axis}s"


CHECK = Check("W401", _find, _describe)
