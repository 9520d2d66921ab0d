"""Settings of `training` that cannot both hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..diagnostics.words import counted, listed
from ..ir.recipe import Augmentation, Optimizer, Schedule, Training
from ..types.optimizers import OPTIMIZERS, UNITS


class Contradiction(NamedTuple):
    """The field, below `training`, that contradicts another one, and what to do."""

    path: tuple[str | int, ...]
    message: str
    help: str


def contradictions(training: Training) -> Iterator[Contradiction]:
    """All contradictions of a recipe."""
    yield from _units(training, (), "")
    yield from _batch(training)
    if training.optimizer is not None:
        yield from _optimizer(training.optimizer)
    yield from _decays(training)
    clip = training.gradient_clip
    if clip is not None and clip.norm is not None and clip.value is not None:
        message = "`norm` and `value` are both set"
        yield Contradiction(("gradient_clip", "value"), message, "remove one of them")
    path: tuple[str, ...] = ("schedule",)
    for part in training.schedule.parts() if training.schedule else ():
        yield from _schedule(part, path)
        yield from _by_epoch(part, path)
        path = (*path, "then")
    yield from _below_a_step(training)
    yield from _warm_up(training)
    if training.augmentation is not None:
        yield from _ranges(training.augmentation)


def _units(given: Any, path: tuple[str, ...], stem: str) -> Iterator[Contradiction]:
    """A duration in epochs and in steps."""
    epochs, steps = (f"{stem}{unit}" for unit in UNITS)
    if getattr(given, epochs) is not None and getattr(given, steps) is not None:
        message = f"`{epochs}` and `{steps}` are both set"
        help = f"remove one of them, in an overlay with `{epochs}: null`"
        yield Contradiction((*path, steps), message, help)


def _batch(training: Training) -> Iterator[Contradiction]:
    size, replicas, samples = training.batch_size, training.replicas, training.samples
    if size and replicas and size % replicas:
        message = f"{replicas:,} replicas cannot share a batch of {size:,} evenly"
        help = "`batch_size` is that of all replicas together: a multiple of `replicas`"
        yield Contradiction(("replicas",), message, help)
    if size and samples and size > samples:
        message = f"a batch of {size:,} is larger than the {samples:,} samples"
        yield Contradiction(("batch_size",), message, "use a smaller batch")


def _optimizer(found: Optimizer) -> Iterator[Contradiction]:
    forms = OPTIMIZERS[found.name].forms
    if found.form is not None and found.form not in forms:
        message = f"`{found.form}` has no `{found.name}`"
        help = f"forms of `{found.name}`: {listed(forms)}"
        yield Contradiction(("optimizer", "form"), message, help)
    if found.nesterov and not found.momentum:
        message = "`nesterov` needs a momentum above 0"
        help = "add `momentum: 0.9`, or remove `nesterov`"
        yield Contradiction(("optimizer", "nesterov"), message, help)
    if (found.name, found.form) == ("rmsprop", "caffe") and found.momentum:
        help = "remove `momentum`, or choose another form"
        yield Contradiction(("optimizer", "momentum"), "Caffe's RMSProp has no momentum", help)


def _decays(training: Training) -> Iterator[Contradiction]:
    """Weight decay that the optimizer cannot have, or that is not there."""
    found, name = training.weight_decay, training.optimizer.name if training.optimizer else ""
    if found and (name, found.form) == ("adamw", "l2"):
        help = "write `name: adam`, or remove `form`"
        message = "the weight decay of `adamw` is decoupled"
        yield Contradiction(("weight_decay", "form"), message, help)
    if found and (name, found.form) == ("adam", "decoupled"):
        message = "`adam` with decoupled weight decay is `adamw`"
        yield Contradiction(("weight_decay", "form"), message, "write `name: adamw`")
    for group, own in training.groups.items() if not found else ():
        if own.decay:
            message = f"`decay` of `{group}` is a factor, and there is no weight decay"
            help = "add `weight_decay: {rate: 4e-5}`, or remove it"
            yield Contradiction(("groups", group, "decay"), message, help)


def _schedule(part: Schedule, path: tuple[str, ...]) -> Iterator[Contradiction]:
    for stem in ("", "every_", "at_"):
        yield from _units(part, path, stem)
    if part.name == "plateau" and part.then is not None:
        message = "nothing can follow `plateau`, which depends on the loss"
        yield Contradiction((*path, "then"), message, "remove `then`")
    for field in ("at_epochs", "at_steps"):
        values: Sequence[float] = getattr(part, field) or ()
        for index in range(1, len(values)):
            if values[index] <= values[index - 1]:
                message = f"{values[index]:,.10g} comes after {values[index - 1]:,.10g}"
                yield Contradiction((*path, field, index), message, "write them in order")


def _warm_up(training: Training) -> Iterator[Contradiction]:
    """A warm-up that takes longer than the run, which never reaches its rate."""
    path: tuple[str, ...] = ("schedule",)
    limit, unit = training.length
    for part, _, end, _ in training.courses():
        if limit is not None and end is not None and part.name == "warm_up" and end > limit + 1e-9:
            field = UNITS[part.epochs is None]
            message = (
                f"the warm-up ends after {counted(end, unit)}, and the run after {limit:,.10g}"
            )
            help = "use a shorter warm-up or a longer run"
            yield Contradiction((*path, field), message, help)
        path = (*path, "then")


def _below_a_step(training: Training) -> Iterator[Contradiction]:
    """Durations in epochs that have no step."""
    given: list[tuple[tuple[str | int, ...], float | None]] = [(("epochs",), training.epochs)]
    path: tuple[str, ...] = ("schedule",)
    for part in training.schedule.parts() if training.schedule else ():
        given += [((*path, name), getattr(part, name)) for name in ("epochs", "every_epochs")]
        given += [((*path, "at_epochs", i), at) for i, at in enumerate(part.at_epochs or ())]
        path = (*path, "then")
    for field, epochs in given:
        if epochs is not None and training.duration(epochs, None) == 0:
            message = (
                f"{counted(epochs, 'epochs')} of {training.samples:,} samples in batches of "
                f"{training.batch_size:,} are less than one step"
            )
            yield Contradiction(field, message, "use more epochs, or write a number of steps")


def _by_epoch(part: Schedule, path: tuple[str, ...]) -> Iterator[Contradiction]:
    """A schedule that changes once per epoch, with numbers in steps."""
    for field in ("steps", "every_steps", "at_steps"):
        if part.by_epoch and getattr(part, field) is not None:
            message = f"`{field}` counts steps, and `by_epoch` whole epochs"
            help = f"write `{field.replace('steps', 'epochs')}`, or remove `by_epoch`"
            yield Contradiction((*path, field), message, help)


def _ranges(found: Augmentation) -> Iterator[Contradiction]:
    for field in ("crop", "aspect", "saturation", "contrast"):
        given: tuple[float, float] | None = getattr(found, field)
        if given is not None and given[0] > given[1]:
            message = f"the smallest `{field}` is {given[0]:g}, and the largest {given[1]:g}"
            help = f"write `[{given[1]:g}, {given[0]:g}]`"
            yield Contradiction(("augmentation", field), message, help)
