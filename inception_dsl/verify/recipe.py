"""What a training script computes, compared with the reference interpreter of recipes.

The network is the user's at a fraction of its width, on the smallest input from 32 pixels for which
its spec compiles, so that it has the same kinds of weights in the same places, but few of them.
Gradients are those of a quadratic with noise, whose curvatures span four decades: they depend on
the weights, so an error in one step changes all that follow. :mod:`.whole_steps` has the others.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.sizes import compiling_sizes
from ..backend.protocol import Updated
from ..backend.trainable import resized
from ..compiler import compile_spec
from ..diagnostics.report import Report
from ..ir.recipe import Training
from ..ir.typed import TypedProgram
from ..reference.arrays import Weights
from ..reference.recipe import Recipe, State
from ..reference.schedules import learning_rate
from ..reference.seeds import seeded

STEPS: Final = 200
LOOKS: Final = (1, 2, 3, 10, 50, 100, 150, STEPS)
"""The steps after which states are compared. An error stays in all later ones."""
WIDTHS: Final = ("0.0625", "0.125", "0.25", "0.5")
BOUND: Final = 1e-12
PIXELS: Final = 32
"""The least length of an axis of the input, so that a kernel has more pixels than its own."""
EPOCH: Final = 10
"""Steps of an epoch in the comparison, so that a rate per epoch changes within ``STEPS``."""
MOVING: Final = ("moving_mean", "moving_variance")


class Narrow(NamedTuple):
    """The program of a comparison, and the settings that make it small."""

    typed: TypedProgram
    settings: dict[str, str]

    def smaller(self, spec: str | os.PathLike[str], more: Mapping[str, str]) -> Narrow | None:
        """The program with ``more`` settings, if it has no errors with them."""
        settings = {**self.settings, **more}
        typed = compile_spec(spec, settings, Report())
        return None if typed is None else Narrow(typed, settings)


def narrow(
    spec: str | os.PathLike[str], settings: Mapping[str, str], report: Report
) -> Narrow | None:
    """The narrowest form of a spec that has no errors, on a small input; ``None`` with the errors
    of the spec itself. A width or an input among the settings stays.
    """
    own = compile_spec(spec, settings, report)
    if own is None:
        return None
    found = Narrow(own, dict(settings))
    if "width" not in settings:
        forms = (found.smaller(spec, {"width": width}) for width in WIDTHS)
        scaled = (form for form in forms if form and form.typed.program.width.factor is not None)
        found = next(scaled, found)
    if any(name.partition(".")[0] == "input" for name in settings) or own.program.several:
        return found
    x = own.program.input
    sizes = [
        next(n for n in range(min(PIXELS, size), size + 1) if axis.fits(n) or n == size)
        for axis, size in zip(compiling_sizes(found.typed), x.spatial, strict=True)
    ]
    smaller = found.smaller(spec, {"input": "x".join(map(str, [*sizes, x.channels]))})
    return smaller if smaller and not resized(smaller.typed.program) else found


class Feed:
    """Gradients and moving statistics for weights, the same in all processes."""

    def __init__(self, training: Training) -> None:
        assert training.optimizer is not None
        largest = 1 / max(0.1, training.optimizer.rate or 0.0)  # so that steps do not diverge
        self.curve, self.curves = math.log10(largest), dict[str, Any]()

    def __call__(self, weights: Mapping[str, Any], step: int) -> dict[str, Any]:
        found = {}
        for path, w in weights.items():
            random = np.random.default_rng((zlib.crc32(path.encode()), step))
            noise = random.normal(0.0, 0.1, w.shape)
            if path.endswith(MOVING):
                found[path] = np.abs(noise) if path.endswith(MOVING[1]) else noise
                continue
            if path not in self.curves:
                own = np.random.default_rng(zlib.crc32(path.encode()))
                self.curves[path] = 10 ** own.uniform(self.curve - 4, self.curve, w.shape)
            found[path] = self.curves[path] * (w + noise)
        return found


def samples_of(training: Training) -> int:
    """The number of images of the comparison."""
    return EPOCH * (training.batch_size or 1)


def start(typed: TypedProgram) -> dict[str, Any]:
    """The weights before the first step."""
    return seeded(typed)


def expected(typed: TypedProgram) -> Iterator[Updated]:
    """The states of the reference after each of ``LOOKS``."""
    training = training_of(typed)
    recipe, feed, weights = Recipe(training), Feed(training), start(typed)
    moving = {path: w for path, w in weights.items() if path.endswith(MOVING)}
    state = recipe.begin({p: w for p, w in weights.items() if p not in moving}, moving)
    for step in range(STEPS):
        given = feed({**state.weights, **moving}, step)
        moving = {path: given[path] for path in moving}
        gradients = {path: given[path] for path in state.weights}
        state = recipe.advance(state, gradients, moving)
        if step + 1 in LOOKS:
            yield updated(state, moving, training)


def updated(state: State, moving: Weights, training: Training) -> Updated:
    """A state of the reference and its moving statistics as those of a script."""
    slots = {path: _kept(own, training) for path, own in state.slots.items()}
    # statistics that are not averaged are the network's own
    average = {**moving, **state.average} if state.average else {}
    return Updated(state.step, {**state.weights, **moving}, slots, average)


def _kept(slots: Mapping[str, Any], training: Training) -> dict[str, Any]:
    """The slots that an optimiser has: without momentum it needs no velocity."""
    assert training.optimizer is not None
    moved = training.optimizer.momentum
    return {name: value for name, value in slots.items() if moved or name != "velocity"}


def training_of(typed: TypedProgram) -> Training:
    """The recipe, with the number of images of the comparison."""
    training = typed.program.training
    assert training is not None
    return training._replace(samples=samples_of(training))


def looked_at(total: int) -> list[int]:
    """The steps of a run of ``total`` whose rates are compared."""
    rng = np.random.default_rng(0)
    chosen = {*range(min(total, 1000)), *range(max(0, total - 5), total)}
    chosen |= {int(n) for n in rng.integers(0, max(total, 1), 1000)} if total else set()
    return sorted(chosen)


def rates(typed: TypedProgram, steps: list[int]) -> list[float]:
    """The learning rates of the reference."""
    training = training_of(typed)
    return [learning_rate(training, step) for step in steps]


def kinds(state: Updated) -> dict[str, dict[str, Any]]:
    """The arrays of a state by kind, then by path."""
    slots = {f"{path}/{name}": v for path, own in state.slots.items() for name, v in own.items()}
    return {"weights": state.weights, "slots": slots, "average": state.average}


def apart(found: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[float, str]:
    """The largest difference, relative to the largest value of its array, and the array's name;
    infinite for one that is missing or not finite.
    """
    worst, where = 0.0, ""
    for path in found.keys() - other.keys():
        return math.inf, path
    for path, right in other.items():
        own = np.asarray(found.get(path, math.nan))
        if own.shape != right.shape or not np.isfinite(own).all():
            return math.inf, path
        size = float(np.abs(right).max(initial=0.0)) or 1.0
        error = float(np.abs(own - right).max(initial=0.0)) / size
        if error > worst:
            worst, where = error, path
    return worst, where
