"""The figures of docs/training.md are what the interpreter computes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from paths import ROOT
from recipes import STEPS, WEIGHTS, distance, gradients, recipe

from inception_dsl.ir.recipe import (
    Average,
    GradientClip,
    Optimizer,
    Schedule,
    Training,
    WeightDecay,
)
from inception_dsl.reference.recipe import Recipe
from inception_dsl.types.optimizers import FORMS, Form

ROW = re.compile(r"^\| (.+?) \| ([0-9.e-]+) \|$", re.MULTILINE)
STAIRS = Schedule("staircase", factor=0.94, every_steps=20)


def sgd(form: Any, schedule: Schedule | None = None, **more: Any) -> Training:
    optimizer = Optimizer("sgd", 0.01, form, momentum=0.9)
    return recipe(optimizer=optimizer, schedule=schedule, **more)


def rmsprop(form: Any, momentum: float = 0.9, **more: Any) -> Training:
    optimizer = Optimizer("rmsprop", 0.045, form, momentum, decay=0.9, epsilon=1.0)
    return recipe(optimizer=optimizer, schedule=STAIRS, **more)


def steps(factor: float, every: int) -> Schedule:
    return Schedule("staircase", factor=factor, every_steps=every)


CLIP = rmsprop("tensorflow", gradient_clip=GradientClip(norm=2.0))
L2 = sgd("keras", weight_decay=WeightDecay(0.01, "l2", "kernels"))
AVERAGE = rmsprop("tensorflow", average=Average(0.99, warm_up=True))
PAIRS: dict[str, tuple[Training, Training, Form | None]] = {
    "RMSProp, momentum 0: `torch` for `tensorflow`": (
        rmsprop("tensorflow", 0.0),
        rmsprop("torch", 0.0),
        None,
    ),
    "RMSProp, momentum 0.9: `torch` for `tensorflow`": (
        rmsprop("tensorflow"),
        rmsprop("torch"),
        None,
    ),
    "RMSProp, momentum 0.9: `keras` for `tensorflow`": (
        rmsprop("tensorflow"),
        rmsprop("keras"),
        None,
    ),
    "SGD, constant rate: `torch` for `caffe`": (sgd("caffe"), sgd("torch"), None),
    "SGD, rate times 0.96 every 20 steps: `torch` for `caffe`": (
        sgd("caffe", steps(0.96, 20)),
        sgd("torch", steps(0.96, 20)),
        None,
    ),
    "SGD, rate times 0.1 every 60 steps: `torch` for `caffe`": (
        sgd("caffe", steps(0.1, 60)),
        sgd("torch", steps(0.1, 60)),
        None,
    ),
    "Norm + 1e-6 for the norm": (CLIP, CLIP, FORMS["tensorflow"]._replace(clip_epsilon=1e-6)),
    "Decoupled weight decay for L2": (
        L2,
        L2._replace(weight_decay=WeightDecay(0.01, "decoupled", "kernels")),
        None,
    ),
    "Running average without its warm-up": (
        AVERAGE,
        AVERAGE._replace(average=Average(0.99)),
        None,
    ),
}


def last(training: Training, form: Form | None = None) -> dict[str, Any]:
    """The weights, or their average, after the last step."""
    own = Recipe(training, form)
    state = own.begin(WEIGHTS)
    for step in range(STEPS):
        state = own.advance(state, gradients(state.weights, step))
    return dict(state.average or state.weights)


def figures() -> dict[str, str]:
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    return dict(ROW.findall(text.partition("## How much it matters")[2].partition("\n## ")[0]))


@pytest.mark.parametrize("name", PAIRS)
def test_a_figure(name: str) -> None:
    expected, other, form = PAIRS[name]
    found = distance(last(other, form), last(expected))
    stated = figures()[name]
    if found < 1e-14:
        assert float(stated) == 0
    else:
        assert f"{found:.1e}" == f"{float(stated):.1e}"


def test_no_figure_is_left() -> None:
    assert set(figures()) == {*PAIRS}
