"""Whole training steps of scripts, each from a state of the reference interpreter.

A step begins with pixels and ends with new weights: preprocessing, the forward pass in training
mode, the loss, its gradients, the update, the moving statistics and the running average. Steps
that follow each other would say nothing, as a network that trains magnifies rounding errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ..backend.protocol import Backend, ImageBatch, Trained, Updated
from ..ir.typed import TypedProgram
from ..reference.arrays import Noise, Weights
from ..reference.preprocessing import preprocess
from ..reference.recipe import Recipe, State
from ..reference.seeds import calibrated, enough
from ..reference.training import unbiased
from .bounds import GRADIENT64, distance, gradient_errors
from .case import Case, targets, training_step
from .observe import Archive, write
from .recipe import MOVING, kinds, start, training_of, updated
from .zeros import without_zeros

SPLITS: Final = ((1, 1), (2, 1), (2, 2))
"""For each step, the parts of its batch and the processes, if a script can do both."""
STEPS: Final = len(SPLITS)
KINDS: Final = ("loss", "update", "weights", "slots", "statistics", "average")
BOUND: Final = GRADIENT64
ULPS: Final = 2.0
"""The rounding of a weight, in ulp, below which its change cannot be compared."""
Errors = dict[tuple[str, str], float]
"""The relative errors of a step by kind, then by the name of the array."""


class WholeStep(NamedTuple):
    """A step of the reference: the state before it with the moving statistics, its batch, and its
    result.
    """

    state: State
    moving: Weights
    batch: ImageBatch
    done: Trained


class Reference:
    """The reference for the scripts of a backend: its batches, and steps of the whole recipe."""

    def __init__(self, typed: TypedProgram, backend: Backend) -> None:
        self.typed, self.backend, self.training = typed, backend, training_of(typed)
        self.recipe = Recipe(self.training)

    def steps(self) -> Iterator[WholeStep]:
        """The steps, each from the state that the one before it leaves."""
        x = self.prepared(self.batch(0).images)
        weights = calibrated(self.typed, start(self.typed), x)
        moving: Weights = {p: w for p, w in weights.items() if p.endswith(MOVING)}
        own = {path: w for path, w in weights.items() if path not in moving}
        state = self.recipe.begin(own, moving)
        for number in range(STEPS):
            batch = self.batch(number)
            loss, after, statistics = self.advance(state, moving, batch)
            done = Trained(loss, updated(after, statistics, self.training))
            yield WholeStep(state, moving, batch, done)
            state, moving = after, statistics

    def before(self, step: WholeStep) -> Updated:
        """The state before a step, as scripts have it."""
        return updated(step.state, step.moving, self.training)

    def batch(self, number: int) -> ImageBatch:
        """The images of a step, of which every part has enough."""
        parts, processes = self._split(number)
        size = enough(self.typed) * max(parts for parts, _ in SPLITS)
        shape = (size, *self.typed.program.input.shape)
        images = np.random.default_rng(number).integers(0, 256, shape).astype(np.float64)
        classes = targets(self.typed, size, number)[self.typed.output_name]
        return ImageBatch(images, classes, parts, processes)

    def _split(self, number: int) -> tuple[int, int]:
        """The parts and the processes of a step of the backend's script."""
        parts, processes = SPLITS[number]
        able = self.backend.splits and (processes == 1 or self.backend.processes)
        return (parts, processes) if able else (1, 1)

    def prepared(self, images: Any) -> Any:
        """Pixels as input of the network; without ``preprocessing``, scripts divide by 255."""
        steps = self.typed.program.preprocessing
        return images / 255 if steps is None else preprocess(steps, images)

    def advance(
        self, state: State, moving: Weights, batch: ImageBatch, noise: Noise | None = None
    ) -> tuple[float, State, Weights]:
        """The mean loss of all parts, the state and the moving statistics after a step."""
        parts = zip(
            np.split(self.prepared(batch.images), batch.parts),
            np.split(np.asarray(batch.classes), batch.parts),
            strict=True,
        )
        gradients, losses = [], []
        for x, classes in parts:
            weights, labels = {**state.weights, **moving}, {self.typed.output_name: classes}
            step = training_step(Case("", self.typed, {}, {}, weights, x, labels), noise)
            gradients.append(step.gradients)
            losses.append(step.loss)
            after = unbiased(step) if self.backend.unbiased_variance else step.weights
            moving = {path: after[path] for path in moving}
        return float(np.mean(losses)), self.recipe.advance(state, gradients, moving), moving

    def errors(self, step: WholeStep, found: Trained) -> Errors:
        """The errors of a script in a step; 0 for what is zero except for rounding."""
        before = {**step.state.weights, **step.moving}
        errors = _errors(before, found, step.done)
        if max(errors.values()) <= BOUND:
            return errors
        return without_zeros(errors, partial(self._moved, before, step))

    def _moved(self, before: Weights, step: WholeStep, noise: Noise) -> Errors:
        """How far rounding errors move the reference."""
        loss, state, moving = self.advance(step.state, step.moving, step.batch, noise)
        return _errors(before, Trained(loss, updated(state, moving, self.training)), step.done)


def _errors(before: Weights, found: Trained, right: Trained) -> Errors:
    own, other = found.state, right.state
    trained = {path: other.weights[path] for path in other.slots}
    rest = {path: w for path, w in other.weights.items() if path not in trained}
    errors: dict[str, Mapping[str, float]] = {
        "loss": {"": distance(found.loss, right.loss)},
        "update": gradient_errors(
            {p: _changed(before[p], own.weights.get(p, np.nan), w) for p, w in trained.items()},
            {p: w - before[p] for p, w in trained.items()},
        ),
        "weights": _each(own.weights, trained),
        "slots": _of_slots(own.slots, other.slots),
        "statistics": _each(own.weights, rest),
        "average": _each(own.average, other.average),
    }
    return {(kind, path): e for kind, each in errors.items() for path, e in each.items()}


def _changed(before: Any, found: Any, right: Any) -> Any:
    """The change of a weight by a script, without what rounding the weight itself may add."""
    found = np.asarray(found)
    if found.shape != right.shape:
        return found
    rounded = np.abs(found - right) <= ULPS * np.spacing(np.abs(right))
    return np.where(rounded, right, found) - before


def _each(found: Weights, right: Weights) -> dict[str, float]:
    return {path: distance(found.get(path, np.nan), value) for path, value in right.items()}


def _of_slots(found: Mapping[str, Weights], right: Mapping[str, Weights]) -> dict[str, float]:
    """The errors of slots, relative to those of the same name in the layer, as gradients."""
    errors: dict[str, float] = {}
    for name in sorted({name for own in right.values() for name in own}):
        own = {path: found.get(path, {}).get(name, np.nan) for path in right}
        other = {path: slots[name] for path, slots in right.items()}
        errors |= {f"{path}/{name}": e for path, e in gradient_errors(own, other).items()}
    return errors


def save(folder: Path, number: int, state: Updated, batch: ImageBatch) -> None:
    """Write the state before a step, and its batch."""
    save_state(folder, f"before.{number}", state)
    images, classes, *split = batch
    write(folder, f"batch.{number}", {"images": images, "classes": classes, "split": split})


def saved(folder: Path, number: int) -> tuple[Updated, ImageBatch]:
    """What :func:`save` wrote."""
    found = Archive(folder, f"batch.{number}")
    parts, processes = map(int, found["split"])
    batch = ImageBatch(found["images"], found["classes"], parts, processes)
    return saved_state(folder, f"before.{number}", number), batch


def save_state(folder: Path, name: str, state: Updated) -> None:
    """Write the arrays of a state."""
    for kind, arrays in kinds(state).items():
        write(folder, f"{kind}.{name}", arrays)


def saved_state(folder: Path, name: str, step: int) -> Updated:
    """What :func:`save_state` wrote."""
    slots: dict[str, dict[str, Any]] = {}
    for key, value in Archive(folder, f"slots.{name}").items():
        path, _, slot = key.rpartition("/")
        slots.setdefault(path, {})[slot] = value
    weights, average = (dict(Archive(folder, f"{kind}.{name}")) for kind in ("weights", "average"))
    return Updated(step, weights, slots, average)
