"""Batches of Keras scripts in parts: equal to whole ones, and resumed bit for bit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from script_here import Script
from script_runs import PLAIN
from scripts import NETWORK, compiled, digits, emitted, written
from step_defects import RECIPES

pytest.importorskip("keras")
PROGRAM = Path(__file__).with_name("parts_on_engine.py")
BOUNDS = {"tensorflow": 1e-10, "jax": 1e-10, "torch": 1e-6}
"""For weights: ``keras.ops.matmul`` computes in float32 on PyTorch."""
ROW = 1e-6
"""For losses: ``keras.ops.mean`` does on JAX, too."""
_PLAIN = re.sub(r"  - {op: (dropout|layer_norm).*\n", "", PLAIN)
ALIKE = _PLAIN.replace("global_avg_pool", "global_max_pool").replace("small", "alike")
RECIPE = {**RECIPES["v3"], "epochs": 1, "samples": 64}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scripts, and images: of a network without what depends on the other images, and of one
    with batch norm and dropout.
    """
    folder = tmp_path_factory.mktemp("made")
    for text in (ALIKE, NETWORK):
        for name, source in emitted(compiled(written(folder, RECIPE, text)), "keras").items():
            (folder / name).write_text(source, encoding="utf-8")
    digits(folder / "digits.npz")
    return folder


def checkpoint(out: Path) -> list[Any]:
    """The variables of a checkpoint, in their order."""
    with np.load(out / "last.npz") as file:
        return [file[str(n)] for n in range(len(file.files) - 2)]


def losses(out: Path) -> Any:
    return np.genfromtxt(out / "log.csv", delimiter=",", skip_header=1)[:, 1]


@pytest.mark.parametrize("engine", BOUNDS)
def test_parts_equal_the_whole(engine: str, made: Path, tmp_path: Path) -> None:
    scripts = [str(made / f"train_{name}.py") for name in ("alike", "small")]
    environment = {"KERAS_BACKEND": engine, "JAX_ENABLE_X64": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *scripts, str(made / "digits.npz"), str(tmp_path)],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "killed between parts" in done.stdout
    whole, parts = checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "parts")
    count = next(n for n, v in enumerate(whole) if not v.ndim)  # of the network's weights
    sums, rest = len(parts) - len(whole), parts[:count]
    assert whole[0].dtype == np.float64
    assert (whole[count], parts[count], sums) == (5, 10, count)
    assert not any(v.any() for v in parts[count + 1 : count + 1 + sums])
    rest += parts[count + 1 + sums :]
    for one, other in zip(whole[:count] + whole[count + 1 :], rest, strict=True):
        assert np.abs(one - other).max() <= BOUNDS[engine] * np.abs(one).max()
    np.testing.assert_allclose(losses(tmp_path / "parts"), losses(tmp_path / "whole"), rtol=ROW)
    for name in ("last.npz", "log.csv"):
        full, killed = (tmp_path / run / name for run in ("full", "killed"))
        assert full.read_bytes() == killed.read_bytes(), name


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script("keras", tmp_path_factory.mktemp("spec"), NETWORK, {"epochs": 1})


def test_a_batch_that_has_no_equal_parts(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    options = ["--data", str(digits(tmp_path / "d.npz")), "--out", str(tmp_path / "out")]
    for parts in ("3", "16"):
        line = script.run(monkeypatch, *options, "--accumulate", parts)
        assert line == f"error: a batch of 8 has no {parts} equal parts"
    assert script.run(monkeypatch, *options, "--accumulate", "0") == 2
    assert "--accumulate must be at least 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_keeps_its_parts(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--data", str(digits(tmp_path / "d.npz")), "--out", str(tmp_path / "out")]
    assert script.run(monkeypatch, *options, "--workers", "1", "--accumulate", "2") == 0
    line = script.run(monkeypatch, *options)
    assert line == f"error: {tmp_path}/out/last.npz is of another run: parts 2, not 1"
