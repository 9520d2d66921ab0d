"""Keras scripts: data, checkpoints and folders that they cannot use, each named in one line."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from script_here import Script
from scripts import NETWORK, compiled, digits, emitted, written

pytest.importorskip("keras")
NO_NPZ = "it is no .npz file, as numpy.savez writes them"
SGD = {"name": "sgd", "form": "torch", "rate": 0.01, "momentum": 0.9}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script("keras", tmp_path_factory.mktemp("spec"), NETWORK, {"epochs": 1})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return digits(tmp_path / "digits.npz")


Run = Callable[[], Any]


@pytest.fixture
def run(script: Script, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The script in a folder; returns its status, or its last line without that folder."""
    out = tmp_path / "out"
    options = ["--data", str(data), "--out", str(out), "--workers", "1"]

    def call() -> Any:
        done = script.run(monkeypatch, *options)
        return done.replace(f"{out}/", "") if isinstance(done, str) else done

    return call


TRAINED = {"step": 5, "log": 10, "due": []}


def now(**more: Any) -> dict[str, Any]:
    return {"now": np.array(json.dumps({**TRAINED, **more}))}


ODD = "last.npz cannot be read: "
CHECKPOINTS: dict[str, tuple[dict[str, Any], str]] = {
    "an array is missing": ({"3": None}, "last.npz has not the arrays of this network"),
    "an array more": ({"999": np.zeros(2)}, "last.npz has not the arrays of this network"),
    "text": ({"0": np.full((3, 3, 3, 6), "x")}, "last.npz has not the arrays of this network"),
    "NaN": ({"0": np.full((3, 3, 3, 6), np.nan, "f4")}, "last.npz has values that are not finite"),
    "half a step": (now(step=2.5), ODD),
    "a step before the first": (now(step=-1), ODD),
    "a step after the last": (now(step=6), "last.npz has a step after the end of the run: 6"),
    "a size in bytes and a half": (now(log=2.5), ODD),
    "no size": (now(log=-1), ODD),
    "text is due": (now(due="all"), ODD),
    "a number is due": (now(due=3), ODD),
    "rows of text are due": (now(due=[["a", "b", "c"]]), ODD),
    "half a row is due": (now(due=[[5, 1.0]]), ODD),
    "another row is due": (now(due=[[4, 1.0, 0.1]]), ODD),
    "no loss is due": (now(due=[[5, None, 0.1]]), ODD),
    "a list": ({"now": np.array("[1]")}, ODD),
    "no JSON": ({"run": np.array("{")}, ODD),
}


def test_checkpoints_that_are_odd(run: Run, tmp_path: Path) -> None:
    assert run() == 0
    path, log = tmp_path / "out" / "last.npz", tmp_path / "out" / "log.csv"
    right, rows = dict(np.load(path)), log.read_bytes()
    assert right["0"].shape == (3, 3, 3, 6)
    for name, (arrays, line) in CHECKPOINTS.items():
        held = {k: v for k, v in {**right, **arrays}.items() if v is not None}
        np.savez(path, **held)
        assert str(run()).startswith(f"error: {line}"), name
        assert log.read_bytes() == rows
    np.savez(path, **{**right, **now(log=len(rows), due=[[5, 1.0, 0.1]])})
    assert run() == 0, "a row that is due is measured and written"
    assert log.read_text().splitlines()[-1].startswith("5,1.0,0.1,0.")


def test_a_checkpoint_of_another_script(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "last.npz"
    text = json.dumps({"recipe": "x", "processes": 1, **TRAINED})
    np.savez(path, **{"model/w": np.zeros(3), "run": np.array(text)})
    assert run() == "error: last.npz is of another script or framework"
    path.write_bytes(b"")
    assert run() == f"error: {ODD}{NO_NPZ}"


HOLDS = """\
import fcntl, sys, time
log = open(sys.argv[1], "a")
fcntl.flock(log, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no flock")
def test_two_processes_with_one_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    log = tmp_path / "out" / "log.csv"
    call = [sys.executable, "-c", HOLDS, str(log)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        assert run() == "error: another process writes log.csv"
        assert [path.name for path in log.parent.iterdir()] == ["log.csv"]
        other.kill()
    assert run() == 0
    assert run() == 0, "this process has let it go"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_during_imports(tmp_path: Path) -> None:
    """No traceback: the process ends by the signal."""
    files = emitted(compiled(written(tmp_path, {"optimizer": SGD})), "keras")
    source = files["train_small.py"].replace(
        "import keras\n", "import time\nprint('imports', flush=True)\ntime.sleep(60)\n", 1
    )
    (tmp_path / "train_small.py").write_text(source, encoding="utf-8")
    call = [sys.executable, str(tmp_path / "train_small.py")]
    with subprocess.Popen(call, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "imports\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert process.stderr.read() == ""


def test_a_full_disk_keeps_the_last_files(
    run: Run, script: Script, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out, right = tmp_path / "out", "cannot be written: No space left on device"
    with monkeypatch.context() as patched:
        patched.setattr(script.module.os, "fsync", full)
        assert run() == f"error: last.npz {right}"
    assert [path.name for path in out.iterdir()] == ["log.csv"]
    assert run() == 0
    weights = tmp_path / "w.weights.h5"
    weights.write_bytes(b"old")
    options = ["--data", str(data), "--out", str(out), "--export", str(weights)]
    with monkeypatch.context() as patched:
        patched.setattr(script.module.os, "fsync", full)
        line = script.run(patched, *options)
    assert line == f"error: {weights} {right}; the last one is unchanged"
    assert weights.read_bytes() == b"old"
    assert {path.name for path in out.iterdir()} == {"log.csv", "last.npz"}
