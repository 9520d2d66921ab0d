"""The learning rate of every step, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from ..ir.recipe import TIMED, Schedule, Training
from ..types.optimizers import ScheduleName


def learning_rate(recipe: Training, step: int) -> float:
    """The learning rate of a step, from 0, without the factors of groups.

    Raises ``ValueError`` if the recipe has no rate, if a number of its schedule is missing, and for
    `plateau`, which depends on the loss.
    """
    if recipe.optimizer is None or recipe.optimizer.rate is None:
        raise ValueError("the recipe has no learning rate")
    steps, epochs = 0, Fraction(0)
    for part in recipe.schedule.parts() if recipe.schedule else ():
        if part.counts_from == "run":
            steps, epochs = 0, Fraction(0)
        moment = _Moment(recipe, part, step, epochs if part.by_epoch else steps)
        if part.then is None or moment.t < moment.duration:
            return recipe.optimizer.rate * _FACTORS[part.name](moment)
        steps += recipe.duration(part.epochs, part.steps) or 0
        epochs += recipe.in_unit(part.epochs, part.steps, by_epoch=True) or 0
    return recipe.optimizer.rate


class _Moment:
    """A step of a schedule; ``t`` and ``length`` count from ``begin``, in steps or in epochs."""

    def __init__(self, recipe: Training, part: Schedule, step: int, begin: Fraction | int) -> None:
        self.recipe, self.part = recipe, part
        own, whole = (self.unit(run.epochs, run.steps) for run in (part, recipe))
        if own is None and part.name in TIMED and whole is not None:
            own = whole - begin
        self.length = own
        now = recipe.epoch(step) if part.by_epoch else Fraction(step)
        if now is None:
            raise ValueError(f"the epochs of `{part.name}` are not known in steps")
        self.t = max(math.floor(now) - begin, Fraction(0))
        if part.then is None and own is not None:
            self.t = min(self.t, own)

    def unit(self, epochs: float | None, steps: int | None) -> Fraction | None:
        """A duration in the unit of ``t``."""
        return self.recipe.in_unit(epochs, steps, by_epoch=self.part.by_epoch)

    def number(self, name: str) -> float:
        """A number of the schedule."""
        value: float | None = getattr(self.part, name)
        if value is None:
            raise ValueError(f"`{self.part.name}` has no `{name}`")
        return value

    def intervals(self) -> float:
        """The number of intervals that have passed."""
        every = self.unit(self.part.every_epochs, self.part.every_steps)
        if not every:
            raise ValueError(f"the interval of `{self.part.name}` is not known, or below one step")
        return float(self.t / every)

    def changes(self) -> int:
        """The number of changes so far of ``steps``: one takes effect after so many steps."""
        epochs, steps = self.part.at_epochs or (), self.part.at_steps or ()
        found = [*(self.unit(e, None) for e in epochs), *(self.unit(None, s) for s in steps)]
        if not found or None in found:
            raise ValueError("the changes of `steps` are not known in steps")
        return sum(self.t >= at for at in found if at is not None)

    @property
    def duration(self) -> Fraction:
        """What it takes."""
        if self.length is None:
            raise ValueError(f"the duration of `{self.part.name}` is not known in steps")
        return self.length

    def share(self) -> float:
        """The share of the duration that has passed, at most 1."""
        return min(float(self.t / self.duration), 1.0) if self.duration > 0 else 1.0


def _decayed(moment: _Moment, share: float) -> float:
    """From 1 to ``end``, where ``share`` of the way is left."""
    return (1 - moment.part.end) * share + moment.part.end


def _polynomial(moment: _Moment) -> float:
    return _decayed(moment, math.pow(1 - moment.share(), moment.number("power")))


def _cosine(moment: _Moment) -> float:
    return _decayed(moment, 0.5 * (1 + math.cos(math.pi * moment.share())))


def _warm_up(moment: _Moment) -> float:
    return moment.part.start + (1 - moment.part.start) * moment.share()


def _staircase(moment: _Moment) -> float:
    return math.pow(moment.number("factor"), math.floor(moment.intervals()))


def _exponential(moment: _Moment) -> float:
    return math.pow(moment.number("factor"), moment.intervals())


def _steps(moment: _Moment) -> float:
    return math.pow(moment.number("factor"), moment.changes())


def _plateau(_: _Moment) -> float:
    raise ValueError("`plateau` depends on the loss, not on the step")


_FACTORS: Final[dict[ScheduleName, Callable[[_Moment], float]]] = {
    "constant": lambda _: 1.0,
    "staircase": _staircase,
    "exponential": _exponential,
    "polynomial": _polynomial,
    "cosine": _cosine,
    "steps": _steps,
    "warm_up": _warm_up,
    "plateau": _plateau,
}
