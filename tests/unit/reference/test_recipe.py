"""The interpreter of recipes: cases computed by hand, an independent run, and seeded defects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from recipes import STEPS, WEIGHTS, distance, gradients, recipe

from inception_dsl.ir.recipe import (
    Average,
    GradientClip,
    Optimizer,
    Schedule,
    Training,
    WeightDecay,
    WeightGroup,
)
from inception_dsl.reference.recipe import Recipe, State
from inception_dsl.types.optimizers import FORMS

HALVES = Schedule("staircase", factor=0.5, every_steps=1)


def two_steps(training: Training, first: Mapping[str, float], second: Mapping[str, float]) -> State:
    """The state after two steps from weights of 1, with gradients of these values."""
    run = Recipe(training)
    state = run.begin({path: np.ones(1) for path in first})
    for given in (first, second):
        state = run.advance(state, {path: np.array([g]) for path, g in given.items()})
    return state


def exactly(found: Any, expected: str) -> bool:
    """Whether an array has one number, which is a fraction of a power of 2."""
    (value,) = found
    return Fraction(float(value)) == Fraction(expected)


def test_rmsprop_of_tensorflow_1() -> None:
    """Step 1: square 1/2 + 1/2 = 1, root of 1 + 3 = 2, velocity 1/2 * 1 / 2 = 1/4. Step 2: square
    1/2 + 25/2 = 13, root of 13 + 3 = 4, velocity 1/2 * 1/4 + 1/4 * 5 / 4 = 7/16.
    """
    optimizer = Optimizer("rmsprop", 0.5, "tensorflow", momentum=0.5, decay=0.5, epsilon=3.0)
    state = two_steps(recipe(optimizer=optimizer, schedule=HALVES), {"kernel": 1}, {"kernel": 5})
    assert exactly(state.slots["kernel"]["mean_square"], "13")
    assert exactly(state.slots["kernel"]["velocity"], "7/16")
    assert exactly(state.weights["kernel"], "5/16")
    assert state.rate == 0.25


def test_sgd_of_caffe_with_factors_of_biases() -> None:
    """Kernel: g = 1/2 + 1/4, v = 3/8, w = 5/8; then g = 1/2 + 5/32, v = 3/16 + 1/4 * 21/32.
    Bias, twice the rate and no decay: v = 1/2, then 1/4 + 1/2 * 1/2.
    """
    training = recipe(
        optimizer=Optimizer("sgd", 0.5, "caffe", momentum=0.5),
        schedule=HALVES,
        weight_decay=WeightDecay(0.25, "l2", "all"),
        groups={"biases": WeightGroup(rate=2.0, decay=0.0)},
    )
    given = {"kernel": 0.5, "bias": 0.5}
    state = two_steps(training, given, given)
    assert exactly(state.weights["kernel"], "35/128")
    assert exactly(state.slots["bias"]["velocity"], "1/2")
    assert exactly(state.weights["bias"], "0")


def test_sgd_outside_is_not_sgd_inside() -> None:
    """PyTorch: v = 1/2, w = 3/4; then v = 3/4, w = 3/4 - 1/4 * 3/4."""
    optimizer = Optimizer("sgd", 0.5, "torch", momentum=0.5)
    state = two_steps(
        recipe(optimizer=optimizer, schedule=HALVES), {"kernel": 0.5}, {"kernel": 0.5}
    )
    assert exactly(state.weights["kernel"], "9/16")


def test_rmsprop_of_caffe() -> None:
    """Step 1: square 3/4 * 12 = 9, root 3, plus 1; step 2: 9/4 + 3/4 * 9 = 9 again."""
    optimizer = Optimizer("rmsprop", 0.5, "caffe", decay=0.25, epsilon=1.0)
    first, second = 12**0.5, 3.0
    state = two_steps(recipe(optimizer=optimizer), {"kernel": first}, {"kernel": second})
    expected = 1 - 0.5 * first / 4 - 0.5 * second / 4
    assert state.weights["kernel"] == pytest.approx(expected, rel=1e-14)


def test_lamb_of_the_paper_has_the_decay_in_the_ratio_of_norms() -> None:
    """Mean 3 and root 3 after bias correction, so 1 + 1/2 * w of w = (3, 4): (5/2, 3)."""
    optimizer = Optimizer("lamb", 0.5, "tensorflow", beta_1=0.5, beta_2=0.5, epsilon=1e-300)
    decay = WeightDecay(0.5, "decoupled", "kernels")
    run = Recipe(recipe(optimizer=optimizer, weight_decay=decay))
    w = np.array([3.0, 4.0])
    state = run.advance(run.begin({"kernel": w}), {"kernel": np.array([3.0, 3.0])})
    change = np.array([2.5, 3.0])
    expected = w - 0.5 * 5 / np.linalg.norm(change) * change
    assert state.weights["kernel"] == pytest.approx(expected, rel=1e-15)


def test_the_average_of_slim_warms_up() -> None:
    """(1 + n) / (10 + n) is 2/11 after the first step, 3/12 after the second."""
    training = recipe(
        optimizer=Optimizer("sgd", 1.0, "tensorflow"), average=Average(0.9999, warm_up=True)
    )
    run = Recipe(training)
    state = run.begin({"kernel": np.ones(1)}, {"moving_mean": np.zeros(1)})
    for mean in (1.0, 2.0):
        state = run.advance(state, {"kernel": np.array([1.0])}, {"moving_mean": np.array([mean])})
    first = Fraction(2, 11)  # of weights 1, 0, -1 and means 0, 1, 2
    second = Fraction(1, 4) * first - Fraction(3, 4)
    means = Fraction(1, 4) * Fraction(9, 11) + Fraction(3, 4) * 2
    assert state.average["kernel"] == pytest.approx(float(second), rel=1e-15)
    assert state.average["moving_mean"] == pytest.approx(float(means), rel=1e-15)


def test_statistics_are_averaged_only_if_the_recipe_says_so() -> None:
    training = recipe(
        optimizer=Optimizer("sgd", 1.0, "tensorflow"), average=Average(0.5, statistics=False)
    )
    state = Recipe(training).begin({"kernel": np.ones(1)}, {"moving_mean": np.zeros(1)})
    assert set(state.average) == {"kernel"}


# a run of its own: nothing here is the interpreter's

V3 = recipe(
    optimizer=Optimizer("rmsprop", 0.045, "tensorflow", momentum=0.9, decay=0.9, epsilon=1.0),
    schedule=Schedule("staircase", factor=0.94, every_steps=20),
    gradient_clip=GradientClip(norm=2.0),
    weight_decay=WeightDecay(0.01, "l2", "kernels"),
    average=Average(0.99, warm_up=True),
)


def parts(weights: Mapping[str, Any], step: int) -> list[dict[str, Any]]:
    """The gradients of two replicas, whose mean is that of the whole batch."""
    whole = gradients(weights, step)
    return [{p: factor * g for p, g in whole.items()} for factor in (0.5, 1.5)]


SEEN = (0, 9, STEPS - 1)


def independent() -> list[dict[str, Any]]:
    """The weights and averages of ``V3`` after each step of ``SEEN``."""
    found = []
    weights = {p: w.copy() for p, w in WEIGHTS.items()}
    squares = {p: np.ones_like(w) for p, w in weights.items()}
    velocities = {p: np.zeros_like(w) for p, w in weights.items()}
    averages = {p: w.copy() for p, w in weights.items()}
    for t in range(STEPS):
        given = gradients(weights, t)
        for path in given:
            if path.endswith("kernel"):
                given[path] = given[path] + 0.01 * weights[path]
        norm = np.sqrt(sum((g**2).sum() for g in given.values()))
        for path, g in given.items():
            g = g * (2.0 / max(norm, 2.0))
            squares[path] = 0.9 * squares[path] + 0.1 * g**2
            step = 0.045 * 0.94 ** (t // 20) * g / np.sqrt(squares[path] + 1.0)
            velocities[path] = 0.9 * velocities[path] + step
            weights[path] = weights[path] - velocities[path]
            decay = min(0.99, (2 + t) / (11 + t))
            averages[path] = decay * averages[path] + (1 - decay) * weights[path]
        found += [dict(weights), dict(averages)] * (t in SEEN)
    return found


def run(
    training: Training = V3,
    interpreter: Callable[..., Recipe] = Recipe,
    given: Callable[[Mapping[str, Any], int], Any] = parts,
    first: int = 0,
    **form: Any,
) -> float:
    """The largest distance of the interpreter from :func:`independent`, with other parameters."""
    own = interpreter(training, FORMS["tensorflow"]._replace(**form))
    state, found = own.begin(WEIGHTS)._replace(step=first), []
    for step in range(STEPS):
        state = own.advance(state, given(state.weights, step))
        found += [state.weights, state.average] * (step in SEEN)
    return max(distance(a, b) for a, b in zip(found, independent(), strict=True))


def summed(weights: Mapping[str, Any], step: int) -> dict[str, Any]:
    one, two = parts(weights, step)
    return {path: one[path] + two[path] for path in one}


def clipped_each(weights: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Each gradient clipped by its own norm, as Keras's `clipnorm`, with L2 before it."""
    l2 = {p: 0.01 * w if p.endswith("kernel") else 0 for p, w in weights.items()}
    whole = {p: g + l2[p] for p, g in gradients(weights, step).items()}
    return {p: g * (2.0 / max(float(np.linalg.norm(g)), 2.0)) for p, g in whole.items()}


class Late(Recipe):
    """Averages the weights before the step."""

    def advance(self, state: State, *given: Any) -> State:
        found = super().advance(state, *given)
        return found._replace(average=self._average(state.average, state.weights, found.step))


def test_the_interpreter_is_an_independent_run() -> None:
    assert run() < 1e-12


DEFECTS: dict[str, dict[str, Any]] = {
    "epsilon outside of the root": {"epsilon_inside": False},
    "mean square from 0": {"mean_square": 0.0},
    "learning rate outside of the velocity": {"rmsprop_rate_inside": False},
    "clip of each variable": {
        "training": V3._replace(gradient_clip=None, weight_decay=None),
        "given": clipped_each,
    },
    "norm + 1e-6": {"clip_epsilon": 1e-6},
    "clip before L2": {"decay_clipped": False},
    "decay on biases": {"training": V3._replace(weight_decay=WeightDecay(0.01, "l2", "all"))},
    "decoupled decay": {
        "training": V3._replace(weight_decay=WeightDecay(0.01, "decoupled", "kernels"))
    },
    "no warm-up of the average": {"training": V3._replace(average=Average(0.99))},
    "average one step late": {"interpreter": Late},
    "average that copies the first weights": {"average_copies": True},
    "continuous for staircase": {
        "training": V3._replace(schedule=Schedule("exponential", factor=0.94, every_steps=20))
    },
    "one step ahead": {"first": 1},
    "sum over the replicas": {"given": summed},
    "gradients of one replica": {"given": lambda weights, step: parts(weights, step)[0]},
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_seeded_defect_is_caught(name: str) -> None:
    assert run(**DEFECTS[name]) > 1e-8


def test_a_state_is_not_changed_by_the_next_step() -> None:
    own = Recipe(V3)
    state = own.begin(WEIGHTS)
    again = [own.advance(state, gradients(state.weights, 0)) for _ in range(2)]
    assert distance(again[0].weights, again[1].weights) == 0
    assert distance(state.weights, WEIGHTS) == 0


def test_gradients_of_zero_are_not_clipped_to_nan() -> None:
    own = Recipe(V3._replace(weight_decay=None))
    state = own.begin(WEIGHTS)
    found = own.advance(state, {path: np.zeros_like(w) for path, w in WEIGHTS.items()})
    assert distance(found.weights, WEIGHTS) == 0
