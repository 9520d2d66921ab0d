"""Weights, gradients that depend on them, and runs of recipes for tests of the interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from inception_dsl.ir.recipe import Optimizer, Schedule, Training
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


def worst(states: list[State], found: list[dict[str, Any]]) -> float:
    assert len(states) == len(found) == STEPS
    return max(distance(s.weights, f) for s, f in zip(states, found, strict=True))


# numbers that float32 has exactly: Keras converts some settings to float32 first
MOMENTUM, DECAY, EPSILON = 0.875, 0.9375, 2.0**-10
STAIRS = Schedule("staircase", factor=0.5, every_steps=40)
ADAM = {"beta_1": MOMENTUM, "beta_2": 0.9921875, "epsilon": EPSILON}


def sgd(form: Any, **more: Any) -> Optimizer:
    return Optimizer("sgd", 2.0**-6, form, **{"momentum": MOMENTUM, **more})


def rmsprop(form: Any, momentum: float = MOMENTUM) -> Optimizer:
    return Optimizer("rmsprop", 2.0**-6, form, momentum, decay=DECAY, epsilon=EPSILON)


def adam(form: Any, name: Any = "adam") -> Optimizer:
    return Optimizer(name, 2.0**-6, form, **ADAM)
