"""Training scripts of both frameworks: data, arguments and folders that they cannot use."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from script_here import Script
from scripts import BATCH, CLASSES, IMAGES, NETWORK, digits

pytest.importorskip("torch")
pytest.importorskip("keras")
Made = Callable[..., Script]


@pytest.fixture(scope="module", params=["torch", "keras"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    def make(text: str = NETWORK, **training: Any) -> Script:
        return Script(backend, tmp_path_factory.mktemp("spec"), text, training)

    return make


@pytest.fixture(scope="module")
def script(made: Made) -> Script:
    return made()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return digits(tmp_path / "digits.npz")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def changed(data: Path, **arrays: Any) -> Path:
    """The same data with other arrays."""
    with np.load(data) as file:
        held = {**file, **arrays}
    np.savez(data, **held)
    return data


@pytest.mark.parametrize(
    "classes",
    [
        np.arange(IMAGES) % CLASSES + 0.7,
        np.arange(IMAGES) % (CLASSES + 1),
        np.arange(IMAGES) % CLASSES - 1,
        np.full(IMAGES, np.nan),
        np.full(IMAGES, 1 + 0j),
        np.full(IMAGES, "cat"),
        np.full(IMAGES, np.datetime64("2020-01-01")),
        np.full(IMAGES, True),
    ],
    ids=["fractions", "more", "less", "nan", "complex", "text", "date", "bool"],
)
def test_classes_that_are_no_numbers_of_classes(classes: Any, script: Script, data: Path) -> None:
    line = script.refuses(changed(data, y_train=classes))
    assert line.startswith(f"{data}: y_train needs classes from 0 to {CLASSES - 1}")


def test_classes_may_be_whole_floats(script: Script, data: Path) -> None:
    found = script.images(changed(data, y_train=np.arange(IMAGES) % CLASSES * 1.0))
    assert [int(n) for n in found.classes[:5]] == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((IMAGES, 8, 8, 3), np.float32),
        np.zeros((IMAGES, 8, 8, 4), np.uint8),
        np.zeros((IMAGES - 1, 8, 8, 3), np.uint8),
        np.zeros((IMAGES, 8, 0, 3), np.uint8),
        np.zeros((IMAGES, 8), np.uint8),
    ],
    ids=["float", "channels", "fewer", "width", "rank"],
)
def test_images_that_do_not_fit(images: Any, script: Script, data: Path) -> None:
    line = script.refuses(changed(data, x_train=images))
    assert f"x_train is {images.dtype} {images.shape}; it needs uint8 ({IMAGES}, " in line


def test_no_images(script: Script, data: Path) -> None:
    none = {"x_test": np.zeros((0, 8, 8, 3), np.uint8), "y_test": np.zeros(0, np.int64)}
    assert "x_test is uint8 (0, 8, 8, 3)" in script.refuses(changed(data, **none), "val")


def test_files_that_are_damaged(script: Script, data: Path, tmp_path: Path) -> None:
    with np.load(data) as file:
        np.savez_compressed(tmp_path / "packed.npz", **file)
    whole = bytearray((tmp_path / "packed.npz").read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 64] = b"\xff" * 64
    cases = {"packed": bytes(whole), "cut": data.read_bytes()[:900], "none": b"", "text": b"images"}
    np.save(tmp_path / "one.npy", np.zeros(3))
    cases["npy"] = (tmp_path / "one.npy").read_bytes()
    for name, content in cases.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        assert script.refuses(path).startswith(f"{path} cannot be read: ")
    np.savez(tmp_path / "names.npz", x=np.zeros(3))
    assert "x_train" in script.refuses(tmp_path / "names.npz")


def folders(root: Path, split: str, names: list[str]) -> None:
    for number, name in enumerate(names):
        (root / split / name).mkdir(parents=True)
        for image in range(4):
            pixels = np.full((9, 9, 3), 60 * number + image, np.uint8)
            Image.fromarray(pixels).save(root / split / name / f"{image}.png")


def test_folders_of_val_have_the_names_of_train(script: Script, tmp_path: Path) -> None:
    folders(tmp_path, "train", ["a cat", "b", "c", "d"])
    folders(tmp_path, "val", ["b", "c", "d", "zebra"])
    line = script.refuses(tmp_path, "val")
    assert line == f"{tmp_path / 'val'} has not the folders of train: a cat"
    (tmp_path / "val" / "zebra").rename(tmp_path / "val" / "a cat")
    classes = [int(n) for n in script.images(tmp_path, "val").classes]
    assert classes == sorted([*range(CLASSES)] * 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "--seed must not be negative"),
        (["--recalibrate", "-1"], "--recalibrate must not be negative"),
        (["--save-every", "0"], "--save-every must be at least 1"),
        (["--workers", "-1"], "--workers must"),
        (["--export", "w.h5"], "--export needs a file name that ends in ."),
        (["--export", "none/w{end}"], "--export: no such folder: none"),
    ],
)
def test_arguments(
    arguments: list[str], message: str, script: Script, data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    end = {"torch": ".safetensors", "keras": ".weights.h5"}[script.backend]
    given = [one.format(end=end) for one in arguments]
    out = tmp_path / "out"
    assert script.run(monkeypatch, "--data", str(data), "--out", str(out), *given) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_run_without_a_step(
    made: Made, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = made(samples=100_000, epochs=0.1)
    line = script.run(monkeypatch, "--data", str(data), "--out", str(tmp_path / "out"))
    assert line == f"error: {IMAGES} training images are a run without a step"
    assert not (tmp_path / "out").exists()


def test_another_log_is_not_overwritten(
    script: Script, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "log.csv").write_text("my notes,1\n")
    line = script.run(monkeypatch, "--data", str(data), "--out", str(tmp_path / "out"))
    assert line == f"error: {tmp_path / 'out'} has a log.csv without its checkpoint; move it"
    assert (tmp_path / "out" / "log.csv").read_text() == "my notes,1\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["log.csv"]


def test_a_checkpoint_names_the_network(made: Made, script: Script) -> None:
    """Not its comments, deviations and accepted warnings."""

    def recipe(text: str) -> str:
        found = re.search(r'RECIPE = "(\w+)"', made(text).source)
        assert found is not None
        return found[1]

    same = "# another comment\n" + NETWORK.replace(
        "kernel_size: 1}", "kernel_size: 1, deviation: it was 3, allow: [W403]}"
    )
    changes = [
        ("filters: 6", "filters: 8"), ("op: layer_norm", "op: layer_norm, epsilon: 1e-3"),
        ("merge: concat", "merge: add"), ("rate: 0.25", "rate: 0.5"), ("mean: 1", "mean: 2"),
        ("kernel_size: 1}", "kernel_size: 1, activation: relu}"),
    ]  # fmt: skip
    right = recipe(NETWORK)
    assert same != NETWORK
    assert recipe(same) == right
    others = [recipe(NETWORK.replace(*change)) for change in changes]
    assert len({right, *others}) == len(changes) + 1


@pytest.mark.parametrize("name", ["images", "average", "batches", "path", "trainee", "log"])
def test_networks_may_have_names_of_the_script(
    name: str, made: Made, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = made(NETWORK.replace("network: small", f"network: {name}"), epochs=1)
    options = ["--data", str(data), "--out", str(tmp_path / "out"), "--workers", "1"]
    if script.backend == "torch":
        options[-1] = "0"
    assert script.run(monkeypatch, *options) == 0


def test_a_signal_in_the_last_step_of_an_epoch(
    script: Script, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accuracies of the epoch are measured when the run goes on."""
    options = ["--data", str(data), "--workers", "0" if script.backend == "torch" else "1"]
    assert script.run(monkeypatch, *options, "--out", str(tmp_path / "whole")) == 0
    steps = IMAGES // BATCH
    kind = script.module if script.backend == "torch" else script.module.Progress
    name = "update" if script.backend == "torch" else "on_train_batch_end"

    def at(step: int) -> None:
        counted, old = [0], getattr(kind, name)

        def called(*given: Any, **named: Any) -> Any:
            counted[0] += 1
            if counted[0] == step:
                os.kill(os.getpid(), signal.SIGTERM)
            return old(*given, **named)

        monkeypatch.setattr(kind, name, called)

    for _ in range(2):
        at(steps)
        line = script.run(monkeypatch, *options, "--out", str(tmp_path / "stopped"))
        assert str(line).startswith(f"stopped after step {steps}") or (
            str(line).startswith(f"stopped after step {2 * steps}")
        )
        monkeypatch.undo()
    assert script.run(monkeypatch, *options, "--out", str(tmp_path / "stopped")) == 0
    logs = [(tmp_path / name / "log.csv").read_text() for name in ("whole", "stopped")]
    assert logs[0] == logs[1]
    rows = [row.split(",") for row in logs[0].splitlines()]
    assert all(len(row) == 5 for row in rows)
    assert [row[0] for row in rows[1:] if row[3]] == [str(steps), str(2 * steps)]


def test_statistics_are_made_anew_of_all_classes(
    script: Script, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The images are those of the first batches of the run, in their order and as changed."""
    seen: list[Any] = []

    def recalibrate(model: Any, batches: Any) -> None:
        seen.extend(np.asarray(batch) for batch in batches)

    source = script.module.source
    monkeypatch.setattr(source, "recalibrate", recalibrate)
    monkeypatch.setattr(source, "preprocess", lambda x: x)
    with np.load(data) as file:
        order = np.argsort(file["y_train"], kind="stable")
        arrays = {"x_train": file["x_train"][order], "y_train": file["y_train"][order]}
    options = ["--data", str(changed(data, **arrays)), "--out", str(tmp_path / "out")]
    options += ["--workers", "0" if script.backend == "torch" else "1", "--recalibrate", "16"]
    assert script.run(monkeypatch, *options) == 0
    found = np.concatenate(seen)
    assert len(found) == 16
    brightness = found.mean(axis=(1, 2, 3)) // 48  # the class, or a little more
    assert len(set(brightness.tolist())) >= CLASSES
