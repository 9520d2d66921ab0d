"""Runs of PyTorch training scripts, and what their checkpoints hold."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from scripts import command, run

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


def checkpoint(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(out / "last.pt", weights_only=True)
    return found


def tensors(state: dict[str, Any]) -> dict[str, Any]:
    """All tensors of a checkpoint, by name."""
    slots = {
        f"{number}/{name}": value
        for number, own in state["optimizer"]["state"].items()
        for name, value in own.items()
    }
    return {**state["model"], **{f"average/{k}": v for k, v in state["average"].items()}, **slots}


def same_bits(out: Path, other: Path) -> None:
    found, right = tensors(checkpoint(out)), tensors(checkpoint(other))
    assert found.keys() == right.keys()
    assert len(right) > 30
    wrong = [name for name in right if not torch.equal(found[name], right[name])]
    assert not wrong
    assert (out / "log.csv").read_text() == (other / "log.csv").read_text()


def started(script: Path, data: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    call = command(script, "--data", str(data), "--out", str(out), *more)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        call, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def rows_of(out: Path) -> int:
    log = out / "log.csv"
    return log.read_text().count("\n") if log.exists() else 0


def until(out: Path, rows: int, process: subprocess.Popen[str]) -> None:
    """Wait until the log has so many rows."""
    deadline = time.monotonic() + 120
    while rows_of(out) < rows and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)


def exactly(script: Path, processes: int, *arguments: str) -> None:
    """Run a script in float64."""
    wrapper = script.parent / "exact.py"
    wrapper.write_text(EXACT, encoding="utf-8")
    call = command(wrapper, str(script), *arguments, processes=processes)
    done = run(call)
    assert done.returncode == 0, done.stderr


def apart(out: Path, other: Path) -> float:
    """The largest relative difference of weights and slots, not of statistics of one process."""
    found, right = tensors(checkpoint(out)), tensors(checkpoint(other))
    names = [name for name in right if "running" not in name and "tracked" not in name]
    return max(
        float((found[n] - right[n]).abs().max() / right[n].abs().max().clamp(min=1e-30))
        for n in names
        if right[n].is_floating_point() and right[n].dim()
    )


def refused(call: list[str], **more: Any) -> str:
    """The last line of a script that fails, without a traceback."""
    done = run(call, **more)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]
