"""The schedule of scripts against the interpreter of recipes, in every step of a run."""

from __future__ import annotations

from typing import Any

import pytest

from inception_dsl.emit.schedule import rate_lines, run_length
from inception_dsl.ir.recipe import Optimizer, Schedule, Training
from inception_dsl.reference.schedules import learning_rate

COSINE, STAIRS = Schedule("cosine", end=0.01), Schedule("staircase", factor=0.9, every_epochs=1)
SCHEDULES = {
    "none": None,
    "constant": Schedule("constant"),
    "staircase": Schedule("staircase", factor=0.94, every_epochs=2),
    "staircase in steps": Schedule("staircase", factor=0.5, every_steps=7),
    "short intervals": Schedule("staircase", factor=0.9, every_epochs=0.75),
    "a staircase that ends": STAIRS._replace(epochs=4),
    "exponential": Schedule("exponential", factor=0.9, every_epochs=2.5),
    "steps": Schedule("steps", factor=0.1, at_epochs=(3, 5.5)),
    "fixed steps": Schedule("steps", factor=0.1, at_steps=(30,)),
    "polynomial": Schedule("polynomial", power=0.5),
    "polynomial that ends": Schedule("polynomial", power=2, end=0.1, epochs=5),
    "cosine": COSINE,
    "warm-up": Schedule("warm_up", epochs=2, then=COSINE),
    "three parts": Schedule(
        "warm_up",
        start=0.1,
        steps=13,
        then=Schedule("constant", epochs=1, then=Schedule("polynomial", power=1.0)),
    ),
    "warm-up of 2.3 epochs": Schedule("warm_up", epochs=2.3, then=STAIRS),
    "from the run": Schedule("warm_up", epochs=5, then=COSINE._replace(counts_from="run")),
    "by epoch, from the run": Schedule(
        "warm_up",
        epochs=5,
        by_epoch=True,
        start=0.01,
        then=COSINE._replace(counts_from="run", by_epoch=True),
    ),
    "by epoch": Schedule("warm_up", epochs=2.5, by_epoch=True, then=COSINE._replace(by_epoch=True)),
    "steps, then epochs": Schedule(
        "warm_up",
        steps=13,
        then=Schedule("staircase", factor=0.5, every_epochs=2.4, by_epoch=True),
    ),
    "epochs after steps": Schedule(
        "warm_up", steps=13, then=Schedule("polynomial", power=2, by_epoch=True)
    ),
    "changes by epoch": Schedule("steps", factor=0.1, at_epochs=(2, 3.5), by_epoch=True),
    "the run again": Schedule(
        "warm_up",
        epochs=1,
        then=Schedule("constant", steps=9, then=STAIRS._replace(counts_from="run")),
    ),
}
HEAD = """\
import math
from fractions import Fraction

BATCH_SIZE = {batch}


def steps_of_run(samples):
    return {length}


def learning_rate(step, samples):
"""


def emitted(training: Training) -> dict[str, Any]:
    """The functions of a script."""
    head = HEAD.format(batch=training.batch_size, length=run_length(training))
    found: dict[str, Any] = {}
    exec("\n".join([head.rstrip("\n"), *rate_lines(training)]), found)
    return found


@pytest.mark.parametrize(("samples", "batch"), [(1000, 32), (333, 7), (64, 64)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_step_has_the_rate_of_the_interpreter(name: str, samples: int, batch: int) -> None:
    training = Training(
        0.0,
        (),
        samples=samples,
        batch_size=batch,
        epochs=10,
        optimizer=Optimizer("sgd", rate=0.045),
        schedule=SCHEDULES[name],
    )
    script = emitted(training)
    total = training.total
    assert script["steps_of_run"](samples) == total
    assert total
    for step in range(total):
        try:
            expected = learning_rate(training, step)
        except ValueError:
            assert name == "short intervals"  # an interval below one step
            assert samples == batch
            return
        found = script["learning_rate"](step, samples)
        assert found == pytest.approx(expected, rel=4e-15, abs=1e-18), step


def test_a_run_in_steps() -> None:
    training = Training(0.0, (), steps=40, batch_size=4, optimizer=Optimizer("sgd", rate=1.0))
    assert emitted(training)["steps_of_run"](1000) == 40
