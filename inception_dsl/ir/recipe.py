"""How a network is trained: the recipe in the section ``training``, once it is checked.

``None`` is what the paper does not say. Rates are those of one step; durations are in epochs or in
steps, of which at most one is set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from ..types.optimizers import OPTIMIZERS, SCHEDULES, UNITS, FormName, OptimizerName, ScheduleName
from ..types.prose import Prose
from .sections import Initializer


class Optimizer(NamedTuple):
    """An optimiser with its settings, as the framework of ``form`` defines it.

    ``decay`` is the share of the old mean square that RMSProp keeps. A ``momentum`` of ``None`` is
    one that the paper does not say.
    """

    name: OptimizerName
    rate: float | None = None
    form: FormName | None = None
    momentum: float | None = 0.0
    nesterov: bool = False
    decay: float | None = None
    beta_1: float | None = None
    beta_2: float | None = None
    epsilon: float | None = None
    note: Prose = Prose()


class WeightDecay(NamedTuple):
    """``l2`` adds rate * w to the gradient of w; ``decoupled`` subtracts learning rate * rate * w
    from w. ``on`` is ``kernels`` or ``all`` trainable weights.
    """

    rate: float
    form: Literal["l2", "decoupled"]
    on: Literal["kernels", "all"]
    note: Prose = Prose()


class WeightGroup(NamedTuple):
    """Factors of the learning rate and of the weight decay of some weights; ``None``: by ``on``."""

    rate: float = 1.0
    decay: float | None = None


class GradientClip(NamedTuple):
    """The largest norm of all gradients together, or the largest absolute value of each element."""

    norm: float | None = None
    value: float | None = None
    note: Prose = Prose()


class Schedule(NamedTuple):
    """A factor of the learning rate for each step, and the schedule after ``epochs`` or ``steps``.

    Durations count from the start of the schedule, or from that of the run; ``by_epoch`` in whole
    epochs.
    """

    name: ScheduleName
    factor: float | None = None
    every_epochs: float | None = None
    every_steps: int | None = None
    at_epochs: tuple[float, ...] | None = None
    at_steps: tuple[int, ...] | None = None
    power: float | None = None
    start: float = 0.0
    end: float = 0.0
    patience: int | None = None
    minimum: float | None = None
    counts_from: Literal["schedule", "run"] = "schedule"
    by_epoch: bool = False
    epochs: float | None = None
    steps: int | None = None
    then: Schedule | None = None
    note: Prose = Prose()

    def parts(self) -> Iterator[Schedule]:
        """This schedule and those that follow it, in order."""
        part: Schedule | None = self
        while part is not None:
            yield part
            part = part.then


class Course(NamedTuple):
    """When a schedule begins and ends, counted from the start of the run; ``end`` is ``None`` for
    the end of the run. Its own numbers count from ``origin``.
    """

    part: Schedule
    begin: float
    end: float | None
    origin: float


class Average(NamedTuple):
    """The running average of the weights, of moving ``statistics`` too.

    With ``warm_up`` the decay after n steps is at most (1 + n) / (10 + n).
    """

    decay: float | None = None
    warm_up: bool = False
    statistics: bool = True
    note: Prose = Prose()


class Augmentation(NamedTuple):
    """Random changes of the images, in this order.

    ``crop`` and ``aspect`` are ranges of the share of the area and of width / height of a random
    part; ``flip`` is left to right for half of the images; ``brightness`` is the largest amount
    added to pixels from 0 to 1; ``contrast`` and ``saturation`` are ranges of factors; ``hue`` is
    the largest shift, as a share of the colour circle.
    """

    crop: tuple[float, float] | None = None
    aspect: tuple[float, float] | None = None
    flip: bool = False
    brightness: float | None = None
    saturation: tuple[float, float] | None = None
    hue: float | None = None
    contrast: tuple[float, float] | None = None
    note: Prose = Prose()


class Training(NamedTuple):
    """The section ``training``: the loss, the initial weights, and the recipe of the paper.

    ``batch_size`` is that of all ``replicas`` together. ``unsaid`` are the fields that the spec
    sets to ``null``, as dotted paths: the paper does not say them.
    """

    label_smoothing: float
    notes: tuple[Prose, ...]
    initializer: Initializer | None = None
    samples: int | None = None
    batch_size: int | None = None
    replicas: int | None = None
    epochs: float | None = None
    steps: int | None = None
    optimizer: Optimizer | None = None
    weight_decay: WeightDecay | None = None
    groups: Mapping[str, WeightGroup] = MappingProxyType({})
    gradient_clip: GradientClip | None = None
    schedule: Schedule | None = None
    average: Average | None = None
    augmentation: Augmentation | None = None
    deviations: tuple[Prose, ...] = ()
    unsaid: tuple[str, ...] = ()

    def duration(self, epochs: float | None, steps: int | None) -> int | None:
        """A duration in steps, rounded down as in the authors' code; ``None`` if it is not known.

        An epoch is ``samples / batch_size`` steps, which may be a fraction.
        """
        found = self.in_unit(epochs, steps, by_epoch=False)
        return None if found is None else int(found)

    def in_unit(
        self, epochs: float | None, steps: int | None, *, by_epoch: bool
    ) -> Fraction | None:
        """A duration in epochs, or in steps (rounded down); ``None`` if it is not known."""
        exact = None if epochs is None else Fraction(repr(float(epochs)))
        if by_epoch:
            return exact if steps is None else self.epoch(steps)
        if exact is None or not self.samples or not self.batch_size:
            return None if steps is None else Fraction(steps)
        return Fraction(int(exact * self.samples / self.batch_size))

    @property
    def total(self) -> int | None:
        """The number of steps of the run, if it is known."""
        return self.duration(self.epochs, self.steps)

    @property
    def length(self) -> tuple[float | None, str]:
        """The length of the run and its unit: epochs if the schedules are in epochs, too, or if the
        steps are not known.
        """
        parts = self.schedule.parts() if self.schedule else ()
        in_steps = any(part.steps is not None or part.at_steps for part in parts)
        if self.epochs is not None and (not in_steps or self.total is None):
            return self.epochs, "epochs"
        return self.total, "steps"

    def in_length(self, epochs: float | None, steps: int | None) -> float | None:
        """A duration in the unit of :attr:`length`; ``None`` if it is not known."""
        return epochs if self.length[1] == "epochs" else self.duration(epochs, steps)

    def epoch(self, step: int) -> Fraction | None:
        """The number of epochs before a step, from 0; ``None`` if it is not known."""
        if not self.samples or not self.batch_size:
            return None
        return Fraction(step * self.batch_size, self.samples)

    def courses(self) -> tuple[Course, ...]:
        """The course of each schedule up to the first whose length is not known.

        In the unit of :attr:`length`.
        """
        found: list[Course] = []
        begin: float | None = 0
        for part in self.schedule.parts() if self.schedule else ():
            if begin is None:
                break
            own = self.in_length(part.epochs, part.steps)
            origin = 0 if part.counts_from == "run" else begin
            end = None if own is None else origin + own
            found.append(Course(part, begin, end, origin))
            begin = end
        return tuple(found)

    @property
    def in_epochs(self) -> bool:
        """Whether anything is in epochs, which takes ``samples`` and ``batch_size``."""
        parts = self.schedule.parts() if self.schedule else ()
        own = [getattr(p, name) for p in parts for name in ("every_epochs", "at_epochs", "epochs")]
        by_epoch = any(part.by_epoch for part in (self.schedule.parts() if self.schedule else ()))
        return by_epoch or any(value is not None for value in (self.epochs, *own))

    def missing(self) -> tuple[str, ...]:
        """The fields, as dotted paths, that a run needs and the recipe does not have."""
        found = list(_missing_counts(self))
        if self.optimizer is None:
            found.append("optimizer")
        else:
            kind = OPTIMIZERS[self.optimizer.name]
            momentum = ("momentum",) if "momentum" in kind.fields else ()
            needed = ("rate", "form", *momentum, *kind.needed)
            found += [f"optimizer.{n}" for n in needed if getattr(self.optimizer, n) is None]
        if self.schedule is not None:
            found += _missing_schedule(self, self.schedule)
        if self.average is not None and self.average.decay is None:
            found.append("average.decay")
        return tuple(found)


def _missing_counts(training: Training) -> Iterator[str]:
    if training.batch_size is None:
        yield "batch_size"
    if training.epochs is None and training.steps is None:
        yield "epochs"
    if training.samples is None and training.in_epochs:
        yield "samples"


TIMED: Final = ("polynomial", "cosine", "warm_up")
"""Schedules that take a duration: their own, or what is left of the run."""


def _missing_schedule(training: Training, whole: Schedule) -> Iterator[str]:
    path = "schedule"
    for part in whole.parts():
        for field in SCHEDULES[part.name].needed:
            names = [f"{field}_{u}" for u in UNITS] if field in ("every", "at") else [field]
            if all(getattr(part, name) is None for name in names):
                yield f"{path}.{names[0]}"
        endless = part.epochs is None and part.steps is None
        run = training.epochs is None and training.steps is None
        if endless and (part.then or part.name == "warm_up" or (part.name in TIMED and run)):
            yield f"{path}.epochs"
        path += ".then"
