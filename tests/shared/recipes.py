"""Weights, gradients that depend on them, and runs of recipes for tests of the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from inception_dsl.ir.recipe import Training
from inception_dsl.reference.recipe import Recipe, State
from inception_dsl.types.optimizers import Form

STEPS = 200
SHAPES = {"a/kernel": (3, 3, 4, 8), "b/kernel": (7, 5), "a/bias": (8,), "n/gamma": (4,)}
_RANDOM = np.random.default_rng(0)
WEIGHTS = {path: _RANDOM.normal(0, 0.1, shape) for path, shape in SHAPES.items()}
_CURVES = {path: 10 ** _RANDOM.uniform(-3, 1, shape) for path, shape in SHAPES.items()}
_NOISE = [
    {p: _RANDOM.normal(0, 1, s) * _CURVES[p] * 0.1 for p, s in SHAPES.items()} for _ in range(STEPS)
]
"""Gradients of a quadratic whose curvatures span four decades, with noise: errors feed back."""
Arrays = Mapping[str, Any]


def gradients(weights: Arrays, step: int) -> dict[str, Any]:
    """The gradients at the weights before a step, from 0."""
    return {path: _CURVES[path] * w + _NOISE[step][path] for path, w in weights.items()}


def recipe(**parts: Any) -> Training:
    """A recipe of one epoch: ``STEPS`` steps."""
    return Training(0.0, (), **{"steps": STEPS, "batch_size": 32, **parts})


def interpreted(training: Training, form: Form | None = None) -> list[State]:
    """The state after each step."""
    interpreter = Recipe(training, form)
    states = [interpreter.begin(WEIGHTS)]
    for step in range(STEPS):
        states.append(interpreter.advance(states[-1], gradients(states[-1].weights, step)))
    return states[1:]


def distance(found: Arrays, expected: Arrays) -> float:
    """The largest difference, relative to the largest value of the array."""
    assert found.keys() == expected.keys()
    return max(
        float(np.abs(found[p] - expected[p]).max() / np.abs(expected[p]).max()) for p in expected
    )


def worst(states: list[State], run: Callable[[int], Arrays]) -> float:
    """The largest distance between the weights of a run and those of the interpreter."""
    return max(distance(state.weights, run(step)) for step, state in enumerate(states))
