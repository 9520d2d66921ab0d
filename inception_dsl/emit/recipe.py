"""The recipe of a network as sentences, for the docstrings of generated code."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir.recipe import Augmentation, Optimizer, Schedule, Training
from ..types.optimizers import FORMS, TITLES
from ..types.prose import Prose

_UNSAID = {
    "epochs": "length",
    "steps": "length",
    "optimizer.rate": "learning rate",
    "optimizer.form": "exact form of the optimiser",
    "optimizer.momentum": "momentum",
    "optimizer": "optimiser",
}
_PARTS = {"optimizer": "optimiser", "average": "running average", "gradient_clip": "clip"}
_FIELDS = {"every_epochs": "interval", "every_steps": "interval", "epochs": "length"}
_GIVEN = ("momentum", "decay", "beta_1", "beta_2", "epsilon")


def recorded(training: Training) -> list[Prose]:
    """The recipe, what the paper does not give, deviations and notes, as sentences."""
    given = [
        *_run(training),
        *_optimizer(training.optimizer),
        *_schedule(training.schedule),
        *_decay(training),
        *_average(training),
        *_augmentation(training.augmentation),
    ]
    found = [_noted(f"{what[:1].upper()}{what[1:]}.", note) for what, note in given]
    if training.unsaid and (training.optimizer or "optimizer" in training.unsaid):
        unsaid = dict.fromkeys(map(_unsaid, training.unsaid))
        found.append(Prose(f"The paper does not give the {_joined([*unsaid])}."))
    return [*found, *training.deviations, *training.notes]


_Sentences = Iterator[tuple[str, Prose]]


def _noted(sentence: str, note: Prose) -> Prose:
    return Prose(f"{sentence} {note.plain}") if note else Prose(sentence)


def _unsaid(path: str) -> str:
    """``schedule.then.factor`` as `factor of the schedule`."""
    parts = [part for part in path.split(".") if part != "then"]
    words = [_FIELDS.get(parts[-1], parts[-1]), *(_PARTS.get(part, part) for part in parts[-2::-1])]
    spelled = " of the ".join(word if "beta" in word else word.replace("_", " ") for word in words)
    return _UNSAID.get(path, spelled)


def _joined(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _number(value: float) -> str:
    """``1,500``, ``0.94``, ``4e-5``."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,g}"
    return text.replace("e-0", "e-").replace("e+0", "e+")


def _span(epochs: float | None, steps: int | None) -> str:
    """``2 epochs``, ``1 step``; empty if it is not known."""
    value, unit = (epochs, "epoch") if epochs is not None else (steps, "step")
    return f"{_number(value)} {unit}{'s' * (value != 1)}" if value is not None else ""


def _run(training: Training) -> _Sentences:
    length = _span(training.epochs, training.steps)
    parts = [f"for {length}"] if length else []
    if training.samples is not None:
        parts.append(f"on {training.samples:,} sample{'s' * (training.samples != 1)}")
    if training.batch_size is not None:
        parts.append(f"in batches of {training.batch_size:,}")
    if training.replicas is not None:
        parts.append(f"across {training.replicas:,} replica{'s' * (training.replicas != 1)}")
    if parts:
        yield f"trained {' '.join(parts)}", Prose()


def _optimizer(found: Optimizer | None) -> _Sentences:
    if found is None:
        return
    whose = f" as {FORMS[found.form].title} defines it" if found.form else ""
    settings = [("learning rate", found.rate)]
    settings += [(name, getattr(found, name)) for name in _GIVEN]
    parts = [f"{name} {_number(value)}" for name, value in settings if value]
    parts += ["Nesterov momentum"] * found.nesterov
    text = "; ".join([f"optimiser: {TITLES[found.name]}{whose}", *[", ".join(parts)] * bool(parts)])
    yield text, found.note


def _schedule(found: Schedule | None) -> _Sentences:
    parts = [*found.parts()] if found else []
    if parts:
        lengths = [_span(part.epochs, part.steps) for part in parts]
        each = zip(parts, lengths, strict=True)
        texts = [f"{_shape(part)}{f', for {length}' * bool(length)}" for part, length in each]
        notes = [part.note.plain for part in parts if part.note]
        yield f"learning rate: {', then '.join(texts)}", Prose(" ".join(notes))


def _shape(part: Schedule) -> str:
    """What a schedule does, without its duration."""
    how = ["counted from the start of the run"] * (part.counts_from == "run")
    how += ["once per epoch"] * part.by_epoch
    return f"{_course(part)} ({', '.join(how)})" if how else _course(part)


def _course(part: Schedule) -> str:
    """The same, without what it counts."""
    factor = f"times {_number(part.factor)}" if part.factor is not None else "falling"
    every = f" every {every}" if (every := _span(part.every_epochs, part.every_steps)) else ""
    end = f", down to {_number(part.end)} of it" * bool(part.end)
    if part.name == "steps":
        values, unit = (part.at_epochs, "epochs") if part.at_epochs else (part.at_steps, "steps")
        return f"{factor} after {_joined([*map(_number, values)])} {unit}" if values else factor
    if part.name == "plateau":
        waits = f" for {part.patience:,} epochs" if part.patience is not None else ""
        least = f", at least {_number(part.minimum)}" if part.minimum is not None else ""
        return f"{factor} when the loss has not fallen{waits}{least}"
    power = f" of power {_number(part.power)}" if part.power is not None else ""
    return {
        "constant": "constant",
        "staircase": f"{factor}{every}{', in steps' * (part.factor is None or not every)}",
        "exponential": f"falling exponentially{f', {factor}{every}' * (part.factor is not None)}",
        "polynomial": f"falling by a polynomial{power}{end}",
        "cosine": f"falling by half a cosine{end}",
        "warm_up": f"rising from {_number(part.start)}{' times the rate' * bool(part.start)}",
    }[part.name]


def _decay(training: Training) -> _Sentences:
    if found := training.weight_decay:
        form = "L2" if found.form == "l2" else "decoupled"
        where = "kernels" if found.on == "kernels" else "all weights"
        yield f"weight decay: {form}, {_number(found.rate)} on {where}", found.note
    for name, group in training.groups.items():
        parts = [f"{_number(group.rate)} times the learning rate"] if group.rate != 1 else []
        if group.decay is not None:
            factor = f"{_number(group.decay)} times the" if group.decay else "no"
            parts.append(f"{factor} weight decay")
        if parts:
            yield f"{name} have {_joined(parts)}", Prose()
    if clip := training.gradient_clip:
        norm = f"a norm of {_number(clip.norm)}, all together" if clip.norm is not None else ""
        value = f"{_number(clip.value)} each" if clip.value is not None else ""
        yield f"gradients are clipped to {norm or value}", clip.note


def _average(training: Training) -> _Sentences:
    if found := training.average:
        decay = f" {_number(found.decay)}" if found.decay is not None else ""
        start = f"{',' * bool(decay)} at most (1+n)/(10+n) after n steps" * found.warm_up
        which = f"; its decay is{decay}{start}" if decay or start else ""
        yield f"evaluated with a running average of the weights{which}", found.note


def _augmentation(found: Augmentation | None) -> _Sentences:
    if found is None:
        return
    ranges = (
        ("random parts with {} of the area", found.crop),
        ("width / height {}", found.aspect),
        ("saturation times {}", found.saturation),
        ("contrast times {}", found.contrast),
    )
    parts = [t.format(f"{_number(r[0])} to {_number(r[1])}") for t, r in ranges if r is not None]
    shifts = (("brightness", found.brightness), ("hue", found.hue))
    parts += [f"{name} +- {_number(value)}" for name, value in shifts if value is not None]
    parts += ["horizontal flips"] * found.flip
    if parts:
        yield f"augmentation: {', '.join(parts)}", found.note
