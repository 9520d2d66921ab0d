"""Schedules of recipes, durations, and recipes without a number that their steps need."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recipes import recipe

from inception_dsl.ir.recipe import Average, GradientClip, Optimizer, Schedule, Training
from inception_dsl.reference.recipe import Recipe, clipped
from inception_dsl.reference.schedules import learning_rate
from inception_dsl.types.optimizers import FORMS, OPTIMIZERS, SCHEDULES


def _counted(*fields: Any, **more: Any) -> Schedule:
    """A schedule that counts from the start of the run."""
    return Schedule(*fields, counts_from="run", **more)


@pytest.mark.parametrize(
    ("schedule", "step", "factor"),
    [
        (
            Schedule("polynomial", power=0.5, steps=2_400_000),
            1_800_000,
            0.5,
        ),  # Caffe's quick solver
        (Schedule("polynomial", power=0.5, steps=2_400_000), 2_400_000, 0.0),
        (Schedule("staircase", factor=0.96, every_steps=320_000), 319_999, 1.0),
        (Schedule("staircase", factor=0.96, every_steps=320_000), 320_000, 0.96),
        (Schedule("steps", factor=0.5, at_steps=(3, 6)), 2, 1.0),
        (Schedule("steps", factor=0.5, at_steps=(3, 6)), 3, 0.5),
        (Schedule("steps", factor=0.5, at_steps=(3, 6)), 6, 0.25),
        (Schedule("cosine", end=0.5, steps=10), 5, 0.75),
        (Schedule("warm_up", start=0.5, steps=4), 2, 0.75),
        (Schedule("warm_up", steps=4), 4, 1.0),
        (Schedule("staircase", factor=0.5, every_epochs=2), 5, 1.0),  # 2 epochs are 6.25 steps
        (Schedule("staircase", factor=0.5, every_epochs=2), 6, 0.5),
        (Schedule("steps", factor=0.5, at_epochs=(1.5,)), 4, 0.5),
        (Schedule("constant", steps=3, then=Schedule("steps", 0.5, at_steps=(2,))), 4, 1.0),
        (Schedule("constant", steps=3, then=Schedule("steps", 0.5, at_steps=(2,))), 5, 0.5),
        (Schedule("staircase", factor=0.5, every_steps=2, steps=5), 99, 0.25),  # stays after 5
        (Schedule("steps", factor=0.5, at_steps=(3, 6), steps=5), 99, 0.5),
        (Schedule("cosine", epochs=2, by_epoch=True), 3, 1.0),  # an epoch is 3.125 steps
        (Schedule("cosine", epochs=2, by_epoch=True), 4, 0.5),
        (Schedule("cosine", epochs=2, by_epoch=True), 7, 0.0),
        (Schedule("staircase", factor=0.5, every_epochs=2, by_epoch=True), 6, 1.0),
        (Schedule("staircase", factor=0.5, every_epochs=2, by_epoch=True), 7, 0.5),
        (Schedule("steps", factor=0.5, at_epochs=(1.5,), by_epoch=True), 6, 1.0),
        (Schedule("steps", factor=0.5, at_epochs=(1.5,), by_epoch=True), 7, 0.5),
        (Schedule("warm_up", steps=4, then=_counted("cosine", steps=8)), 4, 0.5),
        (Schedule("warm_up", steps=4, then=_counted("cosine", steps=8)), 6, 0.5 - 0.5**1.5),
        (Schedule("warm_up", steps=4, then=_counted("steps", 0.5, at_steps=(3, 6))), 5, 0.5),
        (Schedule("warm_up", steps=4, then=_counted("steps", 0.5, at_steps=(3, 6))), 6, 0.25),
        (
            Schedule(
                "constant", steps=4, then=Schedule("steps", 0.5, at_epochs=(1,), by_epoch=True)
            ),
            6,  # the first epoch has begun before it: 0.72 epochs after its start
            1.0,
        ),
    ],
)
def test_schedules(schedule: Schedule, step: int, factor: float) -> None:
    training = recipe(optimizer=Optimizer("sgd", 4.0), samples=100, schedule=schedule)
    assert learning_rate(training, step) == pytest.approx(4 * factor, rel=1e-15, abs=0)


def test_an_epoch_is_exact_and_rounded_down() -> None:
    """0.29 * 100 is 28.999999999999996 in floats."""
    assert recipe(samples=3_200, steps=None, epochs=0.29).total == 29
    assert recipe(samples=1_281_167, batch_size=1_600, steps=None, epochs=100).total == 80_072
    assert recipe(steps=None, epochs=3).total is None


@pytest.mark.parametrize(
    ("training", "message"),
    [
        (recipe(), "the recipe does not give optimizer"),
        (recipe(optimizer=Optimizer("rmsprop", 0.1)), "form, optimizer.decay, optimizer.epsilon"),
        (recipe(optimizer=Optimizer("sgd", form="torch")), "does not give optimizer.rate"),
        (
            recipe(optimizer=Optimizer("sgd", 1.0, "torch"), schedule=Schedule("staircase", 0.5)),
            "does not give schedule.every_epochs",
        ),
        (
            recipe(
                optimizer=Optimizer("sgd", 1.0, "torch"),
                schedule=Schedule("staircase", 0.5, every_epochs=2),
            ),
            "the interval of `staircase` is not known",
        ),
        (
            recipe(optimizer=Optimizer("sgd", 1.0, "torch"), schedule=Schedule("plateau", 0.1)),
            "`plateau` depends on the loss",
        ),
        (
            recipe(optimizer=Optimizer("sgd", 1.0, "torch"), average=Average()),
            "does not give average.decay",
        ),
    ],
)
def test_a_recipe_without_a_number_has_no_steps(training: Training, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(training)


def test_gradients_are_those_of_the_weights() -> None:
    own = Recipe(recipe(optimizer=Optimizer("sgd", 1.0, "torch")))
    state = own.begin({"kernel": np.ones(1)})
    with pytest.raises(ValueError, match="not those of the weights: bias, kernel"):
        own.advance(state, {"bias": np.ones(1)})
    with pytest.raises(ValueError, match="there are no gradients"):
        own.advance(state, [])
    with pytest.raises(ValueError, match="`moving_mean` is no trainable weight"):
        own.begin({"moving_mean": np.ones(1)})


def test_the_tables_name_fields_that_exist() -> None:
    for kind in OPTIMIZERS.values():
        assert {*kind.fields} <= {*Optimizer._fields}
    for kind in SCHEDULES.values():
        names = [f"{n}_steps" if n in ("every", "at") else n for n in kind.fields]
        assert {*names} <= {*Schedule._fields}


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.floats(1e-3, 1e3))
def test_clipped_gradients_keep_their_direction_and_have_at_most_the_norm(
    values: list[float], limit: float
) -> None:
    g = np.array(values)
    for form in FORMS.values():
        found = clipped({"kernel": g}, GradientClip(norm=limit), form)["kernel"]
        norm = np.linalg.norm(g)
        assert np.linalg.norm(found) <= limit * (1 + 1e-12)
        assert np.allclose(found * norm, g * np.linalg.norm(found), rtol=1e-9, atol=1e-9)
        if norm < 0.99 * limit:
            assert (found == g).all()


@settings(deadline=None)
@given(st.sampled_from(["polynomial", "cosine"]), st.floats(0, 1), st.integers(1, 500))
def test_falling_schedules_go_from_the_rate_to_their_end(
    name: str, end: float, length: int
) -> None:
    schedule = Schedule(name, power=2.0, end=end, steps=length)  # type: ignore[arg-type]
    training = recipe(optimizer=Optimizer("sgd", 1.0), schedule=schedule)
    rates = [learning_rate(training, step) for step in range(length + 3)]
    assert rates[0] == 1
    assert rates[length:] == [pytest.approx(end, abs=1e-15)] * 3
    assert all(a >= b - 1e-15 for a, b in itertools.pairwise(rates))
