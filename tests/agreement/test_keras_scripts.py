"""Training scripts of Keras: the recipe in float64, and runs that are killed and resumed."""

from __future__ import annotations

import colorsys
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from inception_dsl_keras import BACKEND
from PIL import Image
from recipes import recipe
from scripts import errors

from inception_dsl.backend import (
    Report,
    Request,
    TypedProgram,
    module_from_source,
    script_from_source,
)
from inception_dsl.ir.recipe import (
    Augmentation,
    Average,
    GradientClip,
    Optimizer,
    Schedule,
    Training,
    WeightDecay,
    WeightGroup,
)

keras = pytest.importorskip("keras")
runner = pytest.importorskip("inception_dsl_keras.runner")
BOUND = 1e-12
SEEN = 1e-9
"""A defect differs by more than this."""
NETWORK = """\
network: net
input: {channels: 3, height: 8, width: 8}
classes: 3
preprocessing: {scale: 0.00784313725490196, mean: 1.0}
stem:
  - {op: conv_bn, name: stem, filters: 4, kernel_size: 3, batch_norm: {decay: 0.9}}
head:
  - {op: global_avg_pool}
  - {op: dropout, rate: 0.3}
  - {op: dense, name: classifier, units: $classes}
aux_heads: {aux: {after: stem, loss_weight: 0.3,
    steps: [{op: global_avg_pool}, {op: dense, name: out, units: $classes}]}}
"""


@pytest.fixture
def network(typed_of: Callable[[str], TypedProgram]) -> Callable[[Training], TypedProgram]:
    """A small network with a recipe."""
    typed = typed_of(NETWORK)
    return lambda found: dataclasses.replace(typed, program=typed.program._replace(training=found))


Network = Callable[[Training], TypedProgram]


def emitted(typed: TypedProgram) -> dict[str, str]:
    """The model and its script."""
    report = Report()
    files = BACKEND.emit(typed, Request("net", train=True), report)
    assert files is not None, report.render()
    return {name: str(text) for name, text in files.items()}


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
        "+ rate * scaled\n        self.assign(self.velocities[index], velocity)\n"
        "        self.assign_sub(variable, velocity)",
        "+ scaled\n        self.assign(self.velocities[index], velocity)\n"
        "        self.assign_sub(variable, rate * velocity)",
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


IMAGES = recipe(
    optimizer=adam("tensorflow", "lamb"),
    weight_decay=WeightDecay(1 / 3, "decoupled", "kernels"),
    groups={"biases": WeightGroup(1 / 3, 1 / 3), "norms": WeightGroup(1 / 7)},
    augmentation=Augmentation(
        crop=(0.08, 1.0),
        aspect=(3 / 4, 4 / 3),
        flip=True,
        brightness=0.125,
        saturation=(0.5, 1.5),
        hue=0.2,
        contrast=(0.5, 1.5),
    ),
)


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


@pytest.fixture
def images(network: Network) -> Any:
    """The script of a recipe with all changes of images."""
    files = emitted(network(IMAGES))
    beside = module_from_source(files["net.py"], "net")
    return script_from_source(files["train_net.py"], "net", beside)


@pytest.mark.parametrize("shape", [(20, 31), (5, 3), (8, 8), (8, 40)])
def test_images_are_resized_as_by_pillow(shape: tuple[int, int], images: Any) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (*shape, 3)).astype("float32")
    found = images.scaled(image)
    assert found.shape == (8, 8, 3)
    for channel in range(3):
        expected = Image.fromarray(image[:, :, channel]).resize((8, 8), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(found[:, :, channel], np.asarray(expected), atol=1e-3)


def test_the_hue_is_shifted_as_by_colorsys(images: Any) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (5, 4, 3)).astype("float32")
    image[0, 0] = 17.0
    found = images.turned(image, -0.15)
    for before, after in zip(image.reshape(-1, 3), found.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.astype("float64"))
        expected = colorsys.hsv_to_rgb((hue - 0.15) % 1, saturation, value)
        np.testing.assert_allclose(after, expected, atol=1e-3)


def test_changes_of_images_follow_from_the_seed(images: Any) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (20, 31, 3)).astype("float32")
    found = [images.augmented(image, (0, 0, n)) for n in range(20)]
    again = [images.augmented(image, (0, 0, n)) for n in range(20)]
    assert all(np.array_equal(*pair) for pair in zip(found, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in itertools.combinations(found, 2))
    assert all(one.min() >= 0 and one.max() <= 255 and one.shape == (8, 8, 3) for one in found)


RUN = recipe(
    optimizer=rmsprop("tensorflow"),
    weight_decay=L2,
    gradient_clip=NORM,
    schedule=Schedule("staircase", factor=0.9, every_epochs=1),
    average=WARM,
)._replace(steps=None, epochs=3.0, batch_size=8)


class Stop(BaseException):
    """The process ends here."""


@pytest.fixture
def runs(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a script with its arguments, and returns its files."""
    random = np.random.default_rng(2)
    classes = random.integers(0, 3, 30)
    images = random.integers(0, 200, (30, 9, 10), np.uint8) + 20 * classes[:, None, None]
    images = images.astype(np.uint8)
    held = {"x_train": images[:20], "y_train": classes[:20]}
    np.savez(tmp_path / "data.npz", x_test=images[20:], y_test=classes[20:], **held)
    files = emitted(network(RUN))
    beside = module_from_source(files["net.py"], "net")

    def run(out: str, *more: str, change: Callable[[Any], None] = lambda _: None) -> dict[str, Any]:
        module = script_from_source(files["train_net.py"], "net", beside)
        change(module)
        arguments = ["--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / out), *more]
        monkeypatch.setattr("sys.argv", ["train_net.py", "--save-every", "3", *arguments])
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        try:
            module.main()
        finally:
            for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
                signal.signal(number, handler)
            keras.backend.clear_session()
        return files_of(tmp_path / out)

    run.folder = tmp_path  # type: ignore[attr-defined]
    return run


def files_of(out: Path) -> dict[str, Any]:
    with np.load(out / "last.npz") as file:
        return {"log": (out / "log.csv").read_text(), **{k: v.tobytes() for k, v in file.items()}}


def killed(runs: Any, out: str, change: Callable[[Any], None]) -> None:
    with pytest.raises(Stop):
        runs(out, change=change)


def test_a_killed_run_goes_on_bit_for_bit(runs: Any) -> None:
    whole = runs("whole")
    log = whole["log"].splitlines()
    assert log[0] == "step,loss,rate,accuracy,average"
    assert [line.split(",")[0] for line in log[1:]] == [str(n) for n in range(1, 8)]
    assert [bool(line.split(",")[4]) for line in log[1:]] == [n in (3, 5, 7) for n in range(1, 8)]

    def at(step: int, act: Callable[[], None]) -> Callable[[Any], None]:
        def change(module: Any) -> None:
            old = module.Progress.on_train_batch_end

            def end(progress: Any, batch: int, logs: Any) -> None:
                if progress.step == step:
                    act()
                old(progress, batch, logs)

            module.Progress.on_train_batch_end = end

        return change

    def stop() -> None:
        raise Stop

    def signalled(module: Any) -> None:
        at(5, lambda: os.kill(os.getpid(), signal.SIGTERM))(module)

    def before_the_checkpoint_is_there(module: Any) -> None:
        def replace(*_: Any) -> None:
            raise Stop

        module.os = SimpleNamespace(**{**vars(os), "replace": replace})

    killed(runs, "killed", before_the_checkpoint_is_there)
    assert not (runs.folder / "killed" / "last.npz").exists()
    killed(runs, "killed", at(4, stop))
    assert files_of(runs.folder / "killed")["log"].count("\n") >= 4
    with pytest.raises(Exception, match="stopped after step 6; run it again to go on"):
        runs("killed", change=signalled)
    assert files_of(runs.folder / "killed")["log"].count("\n") == 7
    assert runs("killed") == whole


def test_the_average_of_a_run_is_that_of_its_weights(runs: Any) -> None:
    """Checkpoints of all steps: weights and moving statistics after the step."""
    held: list[dict[str, Any]] = []

    def keep(module: Any) -> None:
        def save(path: Path, state: dict[str, Any], old: Any = module.save) -> None:
            held.append({key: np.array(value) for key, value in state.items()})
            old(path, state)

        module.save = save

    runs("each", "--save-every", "1", change=keep)
    assert len(held) == 7
    count = len(held[0]) - 2  # variables; the network has 9 weights and the state of dropout
    weights = [k for k in map(str, range(10)) if held[0][k].dtype == np.float32]
    averages = [str(n) for n in range(count - 9, count)]
    for step, (old, new) in enumerate(itertools.pairwise(held), 2):
        decay = min(0.97, (1 + step) / (10 + step))
        for weight, average in zip(weights, averages, strict=True):
            expected = decay * old[average] + (1 - decay) * new[weight]
            np.testing.assert_allclose(new[average], expected, rtol=1e-5, atol=1e-7)
            assert not np.array_equal(new[average], new[weight])
