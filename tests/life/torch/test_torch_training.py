"""Runs of PyTorch training scripts: workers, kills, and what can go wrong."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from forked import forked
from script_runs import (
    PLAIN,
    RECIPE,
    built,
    checkpoint,
    refused,
    rows_of,
    run_of,
    same_bits,
    started,
    step_of,
    tool,
    until,
)
from scripts import BATCH, IMAGES, NETWORK, command, digits, run

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("script"), RECIPE)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits(tmp_path_factory.mktemp("data") / "digits.npz")


@pytest.fixture(scope="module")
def whole(script: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without a break, by an interpreter of its own."""
    out = tmp_path_factory.mktemp("whole")
    done = run(command(script, "--data", str(data), "--out", str(out), "--save-every", "4"))
    assert done.returncode == 0, done.stderr
    return out


def test_it_learns_and_logs_every_step(whole: Path) -> None:
    rows = [row.split(",") for row in (whole / "log.csv").read_text().splitlines()]
    assert rows[0] == ["step", "loss", "rate", "accuracy", "average"]
    assert [int(row[0]) for row in rows[1:]] == list(range(1, 12 * IMAGES // BATCH + 1))
    assert float(rows[-1][2]) == pytest.approx(0.01 * 0.9**11, rel=1e-12)
    assert float(rows[-1][4]) > 0.8  # the brightness tells the class
    assert all(len(row) == 5 for row in rows)
    assert sum(bool(row[3] and row[4]) for row in rows[1:]) == 12  # accuracies for each epoch


def test_a_map_with_one_position_is_as_accurate_as_a_vector(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    text = NETWORK.replace("global_avg_pool", "avg_pool, kernel_size: 8, padding: valid")
    script = built(tmp_path, RECIPE, text)
    done = run(command(script, "--data", str(data), "--out", str(tmp_path)))
    assert done.returncode == 0, done.stderr
    flat, vector = ((out / "log.csv").read_text().splitlines() for out in (tmp_path, whole))
    assert len(flat) == len(vector) > 1
    for row, other in zip(flat[1:], vector[1:], strict=True):
        found, right = ([float(n or "nan") for n in one.split(",")] for one in (row, other))
        assert found == pytest.approx(right, 1e-3, nan_ok=True)


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_do_not_change_a_run(
    workers: int, script: Path, data: Path, whole: Path, tmp_path: Path
) -> None:
    options = ("--workers", str(workers), "--save-every", "4")
    done = forked(command(script, "--data", str(data), "--out", str(tmp_path), *options))
    assert done.returncode == 0, done.stderr
    same_bits(tmp_path, whole)


def test_killed_and_resumed_is_equal_bit_for_bit(
    script: Path, data: Path, whole: Path, tmp_path: Path
) -> None:
    chance, killed = random.Random(7), 0
    options = ("--save-every", "4", "--log-every", "1")
    for rows in sorted(chance.sample(range(3, 55), 3)):
        process = started(script, data, tmp_path, *options)
        until(tmp_path, rows, process)
        time.sleep(chance.uniform(0, 0.02))
        os.killpg(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.communicate()
    assert killed >= 2
    done = forked(command(script, "--data", str(data), "--out", str(tmp_path), *options))
    assert done.returncode == 0, done.stderr
    same_bits(tmp_path, whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves(
    number: signal.Signals, script: Path, data: Path, whole: Path, tmp_path: Path
) -> None:
    process = started(script, data, tmp_path, "--save-every", "1000", "--log-every", "1")
    until(tmp_path, 8, process)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith("stopped after step ")
    found = run_of(tmp_path)
    assert rows_of(tmp_path) == 1 + found["step"] - len(found["due"])
    done = forked(command(script, "--data", str(data), "--out", str(tmp_path)))
    assert done.returncode == 0, done.stderr
    same_bits(tmp_path, whole)


def test_another_run_is_refused(script: Path, data: Path, whole: Path, tmp_path: Path) -> None:
    before = (whole / "last.npz").read_bytes()
    arguments = ("--data", str(data), "--out", str(whole))
    seed = refused(command(script, *arguments, "--seed", "1"))
    assert seed == f"error: {whole / 'last.npz'} is of another run: seed 0, not 1"
    parts = refused(command(script, *arguments, "--accumulate", "2"))
    assert parts.endswith("is of another run: parts 1, not 2")
    other = built(tmp_path, {**RECIPE, "weight_decay": {"rate": 2e-3}})
    assert "is of another run: recipe " in refused(command(other, *arguments))
    uneven = refused(command(script, *arguments, "--accumulate", "3"))
    assert uneven == "error: a batch of 8 has no 3 equal parts"
    assert (whole / "last.npz").read_bytes() == before
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "last.npz").write_bytes(before[: len(before) // 2])
    line = refused(command(script, "--data", str(data), "--out", str(broken)))
    assert line.startswith(f"error: {broken / 'last.npz'} cannot be read: ")


def test_a_log_that_is_lost_and_data_that_are_cut(
    script: Path, data: Path, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "last.npz").write_bytes((whole / "last.npz").read_bytes())
    done = forked(command(script, "--data", str(data), "--out", str(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log.csv").read_text() == "step,loss,rate,accuracy,average\n"
    cut = tmp_path / "cut.npz"
    cut.write_bytes(data.read_bytes()[:300])
    line = refused(command(script, "--data", str(cut), "--out", str(tmp_path)))
    assert line.startswith(f"error: {cut} cannot be read: ")


def test_a_full_disk_keeps_the_last_checkpoint(script: Path, data: Path, tmp_path: Path) -> None:
    arguments = ("--data", str(data), "--out", str(tmp_path), "--workers", "0")
    line = refused(command(script, *arguments), limit=6000)
    assert line.startswith(f"error: {tmp_path / 'last.npz'} cannot be written: ")
    assert not list(tmp_path.glob("last.npz*"))


def test_a_loss_that_is_not_a_number(tmp_path: Path, data: Path) -> None:
    wild = {"name": "sgd", "form": "torch", "rate": 1e6}
    script = built(tmp_path, {"epochs": 3, "optimizer": wild}, PLAIN)
    out = tmp_path / "out"
    options = ("--save-every", "1", "--log-every", "1")
    line = refused(command(script, "--data", str(data), "--out", str(out), *options))
    step = step_of(out)
    kept = f"; the checkpoint of step {step} is kept"
    assert line == f"error: weights are not finite after step {step + 1}{kept}"
    assert all(np.isfinite(v).all() for n, v in checkpoint(out).items() if n != "run")


def folder_of(path: Path, classes: int = 4) -> Path:
    """A folder of class folders with images of different sizes."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for split, each in (("train", 10), ("val", 2)):
        for number in range(classes):
            (path / split / f"class{number}").mkdir(parents=True)
            for index in range(each):
                pixels = rng.integers(0, 64, (9 + index, 12, 3)) + 48 * number
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(path / split / f"class{number}" / f"{index}.png")
    return path


def test_folders_of_images(script: Path, tmp_path: Path) -> None:
    data = folder_of(tmp_path / "data")
    arguments = ("--data", str(data), "--out", str(tmp_path / "out"))
    done = forked(command(script, *arguments))
    assert done.returncode == 0, done.stderr
    assert float((tmp_path / "out" / "log.csv").read_text().split(",")[-1]) > 0.6
    again = ("--data", str(data), "--out", str(tmp_path / "again"))
    image = data / "train" / "class2" / "3.png"
    image.write_bytes(image.read_bytes()[:40])
    for workers in ("0", "2"):
        line = refused(command(script, *again, "--workers", workers))
        assert line.startswith(f"error: {image} is no image: ")
    for path in (data / "train" / "class1").iterdir():
        path.unlink()
    line = refused(command(script, *again))
    assert line == f"error: {data / 'train' / 'class1'} has no images"
    (data / "train" / "class1").rmdir()
    line = refused(command(script, *again))
    assert line == f"error: {data / 'train'} has 3 folders, for 4 classes"
    line = refused(command(script, "--data", str(tmp_path / "nothing"), "--out", str(tmp_path)))
    assert line.endswith("nothing cannot be read: No such file or directory")


def test_flags_of_speed(script: Path, data: Path, whole: Path, tmp_path: Path) -> None:
    """The first losses in bfloat16 are almost those in float32; ``--compile`` needs a compiler."""
    flags = ["--amp", "--channels-last", "--workers", "0"]
    flags += ["--compile"] * bool(shutil.which("c++"))
    done = run(command(script, "--data", str(data), "--out", str(tmp_path), *flags))
    assert done.returncode == 0, done.stderr
    losses = [np.loadtxt(out / "log.csv", delimiter=",", skiprows=1, usecols=1)
              for out in (tmp_path, whole)]  # fmt: skip
    np.testing.assert_allclose(losses[0][:4], losses[1][:4], rtol=0.03)
    assert not np.array_equal(losses[0], losses[1])


def test_weights_are_exported(script: Path, data: Path, tmp_path: Path) -> None:
    """They are those of the average, which the tool converts for the other framework."""
    file = tmp_path / "small.safetensors"
    arguments = ("--data", str(data), "--out", str(tmp_path / "out"), "--export", str(file))
    done = forked(command(script, *arguments, "--recalibrate", "16"))
    assert done.returncode == 0, done.stderr
    assert "with new moving statistics: accuracy " in done.stdout
    spec = script.parent.parent.parent / "small.yaml"
    out = tmp_path / "small.weights.h5"
    kinds = ("--from", "torch", "--to", "keras")
    tool("weights", "convert", str(spec), str(file), str(out), *kinds)
    assert out.stat().st_size > 1000
