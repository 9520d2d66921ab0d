"""The optimiser and the average of an emitted Keras script, beside the reference."""

from __future__ import annotations

import dataclasses
import math
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from inception_dsl_keras.script import script
from recipes import STEPS, WEIGHTS, gradients

from inception_dsl.backend import Request, TypedProgram
from inception_dsl.ir.recipe import Training
from inception_dsl.reference.recipe import Recipe

NETWORK = """\
network: net
input: {channels: 3, height: 8, width: 8}
classes: 3
preprocessing: {scale: 0.00784313725490196, mean: 1.0}
stem: [{op: conv_bn, name: stem, filters: 4, kernel_size: 3}]
head:
  - {op: global_avg_pool}
  - {op: dropout, rate: 0.3}
  - {op: dense, name: classifier, units: $classes}
aux_heads: {aux: {after: stem, loss_weight: 0.3,
    steps: [{op: global_avg_pool}, {op: dense, name: out, units: $classes}]}}
"""
SAMPLES = 1000
"""Images of a run whose recipe is in epochs."""
MOVING = "n/moving_mean"
_RANDOM = np.random.default_rng(1)
STATISTICS = [_RANDOM.normal(0, 1, 4) for _ in range(STEPS)]
SLOTS = {
    "SGD": {"momentum": ("velocity", -1)},
    "RMSprop": {"velocity": ("mean_square", 1), "momentum": ("velocity", 1)},
    "Adam": {"momentum": ("mean", 1), "velocity": ("mean_square", 1)},
}
"""The slots of Keras's classes: names in the reference, and signs."""
SLOTS |= {"AdamW": SLOTS["Adam"], "Lamb": SLOTS["Adam"]}
OWN = {name: (name, 1) for name in ("velocity", "mean", "mean_square")}


def emitted(typed: TypedProgram, training: Training) -> str:
    """The script for a recipe."""
    program = typed.program._replace(training=training)
    return script(dataclasses.replace(typed, program=program), Request("net", train=True))


def imported(text: str, source: Any = None) -> Any:
    """A script as a module, beside the module of the network."""
    module = ModuleType("train_net")
    before = sys.modules.get("net")
    sys.modules["net"] = source or ModuleType("net")
    try:
        exec(compile(text, "train_net.py", "exec"), module.__dict__)
    finally:
        if before is None:
            del sys.modules["net"]
        else:
            sys.modules["net"] = before
    return module


def difference(text: str, training: Training, enough: float = 1.0) -> float:
    """The largest difference from the reference in any weight, slot or average of any step,
    relative to the largest value of the array, or the first above ``enough``.

    The script computes in float64.
    """
    import keras
    import tensorflow as tf

    module = imported(text)
    own = {p: keras.Variable(w, name=p.rpartition("/")[2]) for p, w in WEIGHTS.items()}
    moving = keras.Variable(np.zeros(4), trainable=False, name="moving_mean")
    weights = [*own.values()]
    model = SimpleNamespace(trainable_variables=weights, weights=[*weights, moving])
    optimizer = module.make_optimizer(model, SAMPLES)
    averaged = training.average is not None
    average = module.Average(model, optimizer) if averaged else None

    @tf.function
    def advance(grads: list[Any], statistics: Any) -> None:
        moving.assign(statistics)
        optimizer.apply(grads, weights)
        if average is not None:
            average.update()

    reference = Recipe(training)
    state = reference.begin(WEIGHTS, {MOVING: np.zeros(4)})
    worst = 0.0
    for step in range(STEPS):
        values = {path: v.numpy() for path, v in own.items()}
        given = [tf.constant(g) for g in gradients(values, step).values()]
        advance(given, tf.constant(STATISTICS[step]))
        statistics = {MOVING: STATISTICS[step]}
        state = reference.advance(state, gradients(state.weights, step), statistics)
        found = {path: v.numpy() for path, v in own.items()}
        pairs = [(found[path], state.weights[path]) for path in found]
        pairs += [*_slots(optimizer, own, state.slots)]
        if average is not None:
            names = [*own, MOVING][: len(average.values)]
            if names != [*state.average]:
                return math.inf
            old = zip(names, average.values, strict=True)
            pairs += [(v.numpy(), state.average[path]) for path, v in old]
        worst = max(worst, *(_distance(*pair) for pair in pairs))
        if not worst < enough:
            return worst
    return worst


def _slots(optimizer: Any, own: dict[str, Any], expected: Any) -> list[tuple[Any, Any]]:
    """The slots of the optimiser and those of the reference."""
    stock = [c.__name__ for c in type(optimizer).__mro__ if c.__module__.startswith("keras.")]
    names = next((SLOTS[name] for name in stock if name in SLOTS), OWN)
    pairs = []
    for suffix, (slot, sign) in names.items():
        found = [v.numpy() for v in optimizer.variables if v.name.endswith(f"_{suffix}")]
        if found:
            pairs += [(sign * v, expected[p][slot]) for p, v in zip(own, found, strict=True)]
    assert pairs or getattr(optimizer, "momentum", 1.0) == 0.0
    return pairs


def _distance(found: Any, expected: Any) -> float:
    largest = float(np.abs(expected).max()) or 1.0
    return float(np.abs(found - expected).max()) / largest
