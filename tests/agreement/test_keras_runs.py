"""Runs of Keras scripts: killed and resumed bit for bit, averages, and changes of images."""

from __future__ import annotations

import colorsys
import dataclasses
import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from keras_scripts import IMAGES, NETWORK, Network, emitted
from PIL import Image
from recipes import recipe

from inception_dsl.backend import TypedProgram, module_from_source, script_from_source
from inception_dsl.ir.recipe import Average, GradientClip, Optimizer, Schedule, WeightDecay

keras = pytest.importorskip("keras")


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
    optimizer=Optimizer("rmsprop", 0.013, "tensorflow", 0.9, decay=0.9, epsilon=0.001),
    weight_decay=WeightDecay(0.03, "l2", "kernels"),
    gradient_clip=GradientClip(norm=0.3),
    schedule=Schedule("staircase", factor=0.9, every_epochs=1),
    average=Average(0.97, warm_up=True),
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
    with pytest.raises(SystemExit, match="stopped after step 6; run it again to go on"):
        runs("killed", change=signalled)
    assert files_of(runs.folder / "killed")["log"].count("\n") == 7
    assert runs("killed") == whole


def test_the_accuracy_of_maps_with_one_position(typed_of: Callable[[str], TypedProgram]) -> None:
    pool = "{op: avg_pool, kernel_size: 8, padding: valid}"
    typed = typed_of(NETWORK.replace("{op: global_avg_pool}", pool, 1))
    program = typed.program._replace(training=RUN)
    files = emitted(dataclasses.replace(typed, program=program))
    beside = module_from_source(files["net.py"], "net")
    trainee = script_from_source(files["train_net.py"], "net", beside).Trainee(beside.net())
    random = np.random.default_rng(0)
    outputs, classes = random.normal(size=(30, 1, 1, 3)), random.integers(0, 3, 30)
    found = trainee.compute_metrics(None, classes, {"logits": outputs, "aux": outputs[:, 0, 0]})
    expected = np.mean(outputs.argmax(-1).reshape(-1) == classes)
    assert float(found["accuracy"]) == pytest.approx(expected, rel=1e-6)


def test_the_average_of_a_run_is_that_of_its_weights(runs: Any) -> None:
    """Checkpoints of all steps: weights and moving statistics after the step."""
    held: list[dict[str, Any]] = []

    def keep(module: Any) -> None:
        def save(path: Path, *given: Any, old: Any = module.save) -> None:
            held.append({str(n): np.array(value) for n, value in enumerate(given[-1])})
            old(path, *given)

        module.save = save

    runs("each", "--save-every", "1", change=keep)
    assert len(held) == 8  # one before the first step
    count = len(held[0])  # variables; the network has 9 weights and the state of dropout
    weights = [k for k in map(str, range(10)) if held[0][k].dtype == np.float32]
    averages = [str(n) for n in range(count - 9, count)]
    for step, (old, new) in enumerate(itertools.pairwise(held), 1):
        decay = min(0.97, (1 + step) / (10 + step))
        for weight, average in zip(weights, averages, strict=True):
            expected = decay * old[average] + (1 - decay) * new[weight]
            np.testing.assert_allclose(new[average], expected, rtol=1e-5, atol=1e-7)
            assert not np.array_equal(new[average], new[weight])
