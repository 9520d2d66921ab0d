"""Training scripts of Keras: the recipe in float64, seeded defects, and ruff."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from keras_scripts import IMAGES, Network, emitted
from recipes import recipe
from scripts import errors

from inception_dsl.ir.recipe import (
    Average,
    GradientClip,
    Optimizer,
    Schedule,
    WeightDecay,
    WeightGroup,
)

keras = pytest.importorskip("keras")
runner = pytest.importorskip("inception_dsl_keras.runner")
BOUND = 1e-12
SEEN = 1e-9
"""A defect differs by more than this."""
SCHEDULES: dict[str, Schedule] = {
    "epochs": Schedule("exponential", factor=0.7, every_epochs=0.3),
    "steps": Schedule("steps", factor=0.1, at_epochs=(1, 2.5)),
    "chain": Schedule(
        "warm_up",
        start=0.2,
        epochs=0.7,
        then=Schedule("constant", steps=17, then=Schedule("polynomial", power=2.0, end=0.1)),
    ),
}


def sgd(form: Any, **more: Any) -> Optimizer:
    return Optimizer("sgd", 0.013, form, **{"momentum": 0.9, **more})


def rmsprop(form: Any, momentum: float = 0.9) -> Optimizer:
    return Optimizer("rmsprop", 0.013, form, momentum, decay=0.9, epsilon=0.001)


def adam(form: Any, name: Any = "adam") -> Optimizer:
    return Optimizer(name, 0.013, form, beta_1=0.9, beta_2=0.99, epsilon=0.001)


STAIRS = Schedule("staircase", factor=0.7, every_steps=30)
L2 = WeightDecay(0.03, "l2", "kernels")
ALL = WeightDecay(0.03, "l2", "all")
DECOUPLED = WeightDecay(0.3, "decoupled", "kernels")
NORM, VALUE = GradientClip(norm=0.3), GradientClip(value=0.3)
GROUPS = {"biases": WeightGroup(2.0, 0.0), "norms": WeightGroup(0.5, 0.1)}
WARM = Average(0.97, warm_up=True)
CHAIN = Schedule("warm_up", start=0.1, steps=20, then=Schedule("cosine", end=0.05))
RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": sgd("keras", momentum=0.0), "schedule": STAIRS},
    "sgd as Caffe": {"optimizer": sgd("caffe"), "weight_decay": L2, "average": WARM},
    "sgd as Caffe, clip": {"optimizer": sgd("caffe"), "weight_decay": ALL, "gradient_clip": NORM},
    "sgd as Caffe, groups": {"optimizer": sgd("caffe"), "weight_decay": L2, "groups": GROUPS},
    "sgd as Keras, clip": {"optimizer": sgd("keras"), "gradient_clip": NORM, "schedule": CHAIN},
    "sgd as Keras, value": {"optimizer": sgd("keras"), "gradient_clip": VALUE},
    "sgd as Keras, average": {"optimizer": sgd("keras", nesterov=True), "average": Average(0.97)},
    "sgd as Keras, decoupled": {"optimizer": sgd("keras"), "weight_decay": DECOUPLED},
    "sgd as TensorFlow": {"optimizer": sgd("tensorflow"), "schedule": STAIRS},
    "nesterov as TensorFlow": {
        "optimizer": sgd("tensorflow", nesterov=True),
        "weight_decay": ALL,
        "gradient_clip": NORM,
    },
    "nesterov as PyTorch": {
        "optimizer": sgd("torch", nesterov=True),
        "weight_decay": L2,
        "gradient_clip": NORM,
        "average": WARM,
    },
    "sgd as PyTorch, groups": {
        "optimizer": sgd("torch"),
        "weight_decay": WeightDecay(0.3, "decoupled", "all"),
        "groups": GROUPS,
        "gradient_clip": VALUE,
    },
    "rmsprop as TensorFlow": {
        "optimizer": rmsprop("tensorflow"),
        "weight_decay": L2,
        "gradient_clip": NORM,
        "schedule": STAIRS,
        "average": Average(0.97, warm_up=True, statistics=False),
    },
    "rmsprop without momentum": {"optimizer": rmsprop("tensorflow", 0.0), "groups": GROUPS},
    "rmsprop as Caffe": {"optimizer": rmsprop("caffe"), "weight_decay": L2, "gradient_clip": VALUE},
    "rmsprop as Keras": {"optimizer": rmsprop("keras"), "weight_decay": L2, "average": WARM},
    "rmsprop as PyTorch": {"optimizer": rmsprop("torch"), "schedule": STAIRS},
    "adam as Caffe": {"optimizer": adam("caffe"), "weight_decay": ALL},
    "adam as TensorFlow": {"optimizer": adam("tensorflow"), "average": Average(0.97)},
    "adam as Keras": {"optimizer": adam("keras"), "groups": GROUPS, "weight_decay": ALL},
    "adam as PyTorch": {"optimizer": adam("torch"), "gradient_clip": NORM, "schedule": CHAIN},
    "adamw as Keras": {"optimizer": adam("keras", "adamw"), "weight_decay": DECOUPLED},
    "adamw without decay": {"optimizer": adam("keras", "adamw"), "schedule": STAIRS},
    "adamw as PyTorch": {"optimizer": adam("torch", "adamw"), "weight_decay": DECOUPLED},
    "lamb as TensorFlow": {"optimizer": adam("tensorflow", "lamb"), "weight_decay": DECOUPLED},
    "lamb, groups": {
        "optimizer": adam("tensorflow", "lamb"),
        "weight_decay": DECOUPLED,
        "groups": GROUPS,
    },
    "lamb as Keras": {"optimizer": adam("keras", "lamb"), "weight_decay": DECOUPLED},
    **{
        f"schedule of {name}": {"optimizer": sgd("caffe"), "schedule": schedule}
        for name, schedule in SCHEDULES.items()
    },
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipe_of_a_script(name: str, network: Network) -> None:
    typed = network(recipe(**RECIPES[name]))
    found = errors(typed, emitted(typed), runner)
    assert {*found} == {"rates", "weights", "slots", "average"}
    assert max(found.values()) < BOUND, found


DEFECTS = {
    "epsilon outside": (
        "rmsprop as TensorFlow",
        "ops.sqrt(square + 0.001)",
        "(ops.sqrt(square) + 0.001)",
    ),
    "mean square from 0": ("rmsprop as TensorFlow", ', "ones")', ")"),
    "rate outside": (
        "rmsprop as TensorFlow",
        "+ learning_rate * scaled\n        self.assign(self.velocities[index], velocity)\n"
        "        self.assign_sub(variable, velocity)",
        "+ scaled\n        self.assign(self.velocities[index], velocity)\n"
        "        self.assign_sub(variable, learning_rate * velocity)",
    ),
    "clip of each weight": ("rmsprop as TensorFlow", "global_clipnorm=", "clipnorm="),
    "decay on biases": ("rmsprop as TensorFlow", " if v.ndim > 1 else g", ""),
    "decoupled for L2": (
        "sgd as Caffe, clip",
        "grads = [g + 0.03 * v for g, v in zip(grads, variables, strict=True)]",
        "[self.assign_sub(v, 0.03 * self.learning_rate * v) for v in variables]",
    ),
    "L2 before the clip": (
        "nesterov as PyTorch",
        "for g in grads))",
        "for g in [g + 0.03 * v for g, v in zip(grads, variables)]))",
    ),
    "no epsilon of the clip": ("nesterov as PyTorch", "(norm + 1e-06)", "norm"),
    "no warm-up of the average": (
        "sgd as Caffe",
        "ops.minimum(0.97, (1 + step) / (10 + step))",
        "0.97",
    ),
    "average one step late": ("sgd as Caffe", "optimizer.iterations,", "optimizer.iterations - 1,"),
    "average does not copy": ("sgd as Keras, average", "ops.where(step > 1, decay, 0.0)", "decay"),
    "average without statistics": ("sgd as Caffe", "model.weights", "model.weights[:-1]"),
    "continuous for staircase": ("sgd as TensorFlow", "step // every", "step / every"),
    "one step late": ("sgd as TensorFlow", "step // every", "(step - 1) // every"),
    "no nesterov": ("nesterov as TensorFlow", "(gradient + 0.9 * velocity)", "velocity"),
    "momentum in float32": ("sgd as Caffe", "np.float64(0.9)", "0.9"),
    "rates of groups swapped": ("sgd as Caffe, groups", '"biases": 2.0', '"biases": 0.5'),
    "decay outside of the trust ratio": (
        "lamb as TensorFlow",
        " + self.decays[index] * variable",
        "",
    ),
    "no bias correction": (
        "adam as PyTorch",
        "square = square / (1 - ops.power(decay, step))",
        "pass",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_of_a_script_is_seen(name: str, network: Network) -> None:
    of, old, new = DEFECTS[name]
    typed = network(recipe(**RECIPES[of]))
    files = emitted(typed)
    assert files["train_net.py"].count(old) >= 1
    files["train_net.py"] = files["train_net.py"].replace(old, new)
    assert not max(errors(typed, files, runner).values()) < SEEN


@pytest.mark.parametrize(
    "command",
    [("format", "--diff"), ("check", "--select", "E,F,W,B,UP,SIM,RUF,C4", "--line-length", "88")],
    ids=["format", "check"],
)
def test_scripts_pass_ruff(command: tuple[str, ...], network: Network, tmp_path: Path) -> None:
    for number, found in enumerate((IMAGES, *(recipe(**parts) for parts in RECIPES.values()))):
        text = emitted(network(found))["train_net.py"]
        (tmp_path / f"train_{number}.py").write_text(text, encoding="utf-8")
    call = [sys.executable, "-m", "ruff", *command, "--isolated", str(tmp_path)]
    result = subprocess.run(call, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
