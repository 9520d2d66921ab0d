"""Runs of PyTorch training scripts, and what their checkpoints hold."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from forked import Forked, forked
from scripts import NETWORK, command, run, written

RECIPE: dict[str, Any] = {
    "epochs": 12,
    "optimizer": {"name": "rmsprop", "form": "tensorflow", "rate": 0.01, "momentum": 0.9,
                  "decay": 0.9, "epsilon": 1.0},
    "schedule": {"name": "staircase", "factor": 0.9, "every_epochs": 1},
    "weight_decay": {"rate": 1e-3},
    "gradient_clip": {"norm": 2.0},
    "average": {"decay": 0.9, "warm_up": True},
    "augmentation": {"crop": [0.5, 1], "aspect": [0.75, 1.3333], "flip": True,
                     "brightness": 0.1, "saturation": [0.5, 1.5], "contrast": [0.5, 1.5]},
}  # fmt: skip
PLAIN = NETWORK.replace("conv_bn", "conv").replace(", batch_norm: {decay: 0.9, scale: true}", "")
EXACT = """\
import runpy, sys, torch
torch.set_default_dtype(torch.float64)
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def tool(*arguments: str) -> None:
    done = run([sys.executable, "-m", "inception_dsl", *arguments])
    assert done.returncode == 0, done.stderr


def built(folder: Path, training: dict[str, Any], text: str = NETWORK) -> Path:
    """The script of a network, as `build --train` writes it."""
    spec = written(folder, training, text)
    tool("build", str(spec), "--train", "-b", "torch", "-o", str(folder / "made"))
    return folder / "made" / "torch" / "train_small.py"


def checkpoint(out: Path) -> dict[str, Any]:
    """The arrays of a checkpoint by name, of model, optimizer and average."""
    with np.load(out / "last.npz", allow_pickle=False) as file:
        return dict(file)


def run_of(out: Path) -> dict[str, Any]:
    """What a checkpoint says of its run: step, rows that are due, recipe and more."""
    found: dict[str, Any] = json.loads(str(checkpoint(out)["run"]))
    return found


def step_of(out: Path) -> int:
    """The step of a checkpoint."""
    step: int = run_of(out)["step"]
    return step


def same_bits(out: Path, other: Path) -> None:
    """Two runs have the same checkpoint and the same log."""
    found, right = checkpoint(out), checkpoint(other)
    assert found.keys() == right.keys()
    assert len(right) > 30
    assert not [n for n in right if found[n].tobytes() != right[n].tobytes()]
    assert (out / "log.csv").read_text() == (other / "log.csv").read_text()


def started(script: Path, data: Path, out: Path, *more: str) -> Forked:
    return Forked(command(script, "--data", str(data), "--out", str(out), *more))


def rows_of(out: Path) -> int:
    log = out / "log.csv"
    return log.read_text().count("\n") if log.exists() else 0


def until(out: Path, rows: int, process: Forked) -> None:
    """Wait until the log has so many rows."""
    deadline = time.monotonic() + 120
    while rows_of(out) < rows and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)


def exactly(script: Path, processes: int, *arguments: str) -> None:
    """Run a script in float64."""
    wrapper = script.parent / "exact.py"
    wrapper.write_text(EXACT, encoding="utf-8")
    call = command(wrapper, str(script), *arguments, processes=processes)
    done = forked(call) if processes == 1 else run(call)
    assert done.returncode == 0, done.stderr


def apart(out: Path, other: Path) -> float:
    """The largest relative difference of weights and slots, not of statistics of one process."""
    found, right = checkpoint(out), checkpoint(other)
    names = [n for n in right if not any(w in n for w in ("running", "tracked", "run"))]
    return max(
        float(np.abs(found[n] - right[n]).max() / max(np.abs(right[n]).max(), 1e-30))
        for n in names
        if right[n].ndim
    )


def refused(call: list[str], env: Mapping[str, str] | None = None, limit: int | None = None) -> str:
    """The last line of a script that fails, without a traceback."""
    done = forked(call, env, limit)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]
