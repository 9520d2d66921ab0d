"""Measures the time of commands relative to `python -c pass`, and their peak memory.

Run with the interpreter in whose environment inception-dsl is installed:

    python benchmarks/startup.py

The last rows are for comparison: the usual ways to print the shapes and parameters of a network of
this size. They need timm, torchvision and torchinfo, and keras with TensorFlow.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS, SLOW_ROUNDS = 15, 3
ROOT = Path(__file__).parent.parent
PROGRAM = str(Path(sys.executable).parent / "inception-dsl")
MAX_MEGABYTES = 60

TORCHINFO = """
import sys
sys.path.insert(0, "tests/shared")
import operators  # the tests install torchvision without its compiled operators
operators.declare()
import timm, torchinfo
print(torchinfo.summary(timm.create_model("inception_v4"), (1, 3, 299, 299), depth=9))
"""
KERAS = """
import keras
keras.applications.InceptionV3(weights=None).summary()
"""


class Row(NamedTuple):
    """A command, the limit of its time relative to `python -c pass`, and the packages it needs."""

    name: str
    command: list[str]
    limit: float = 0
    needs: tuple[str, ...] = ()


def rows(out: str) -> list[Row]:
    """What is measured; ``out`` is a folder for generated files."""
    build = [PROGRAM, "build", "specs/v4.yaml", "--backend", "torch", "--out", out]
    timm = ("timm", "torchvision", "torchinfo")
    return [
        Row("python -c pass", [sys.executable, "-c", "pass"]),
        Row("--version", [PROGRAM, "--version"], 8),
        Row("check specs/v4.yaml", [PROGRAM, "check", "specs/v4.yaml"], 15.5),
        Row("summary specs/v4.yaml", [PROGRAM, "summary", "specs/v4.yaml"], 15.5),
        Row("build specs/v4.yaml --backend torch", build, 22),
        Row("timm, torchinfo: Inception-v4", [sys.executable, "-c", TORCHINFO], 0, timm),
        Row("keras.applications: Inception-v3", [sys.executable, "-c", KERAS], 0, ("keras",)),
    ]


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of one process; its output is discarded."""
    start = time.perf_counter()
    process = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)
        ],
    )
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def measured(found: list[Row]) -> dict[str, list[tuple[float, float]]]:
    """All commands in each round, so that load on the machine affects all of them."""
    for row in found:
        run(row.command)  # warm the file cache and the bytecode
    taken: dict[str, list[tuple[float, float]]] = {row.name: [] for row in found}
    for number in range(ROUNDS):
        for row in found:
            if row.limit or not row.needs or number < SLOW_ROUNDS:
                taken[row.name].append(run(row.command))
    return taken


def main() -> None:
    """Print the medians; exit with status 1 if one is above its limit."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as out:
        found = rows(out)
        missing = {
            row.name: [name for name in row.needs if importlib.util.find_spec(name) is None]
            for row in found
        }
        taken = measured([row for row in found if not missing[row.name]])
    bare = statistics.median(seconds for seconds, _ in taken["python -c pass"])
    missed = False
    for row in found:
        if missing[row.name]:
            print(f"{row.name:36} not installed: {', '.join(missing[row.name])}")
            continue
        seconds = statistics.median(s for s, _ in taken[row.name])
        low, *_, high = statistics.quantiles((s for s, _ in taken[row.name]), n=4)
        memory = max(m for _, m in taken[row.name])
        line = (
            f"{row.name:36} {seconds * 1000:7.1f} ms ({low * 1000:.0f} to {high * 1000:.0f}) "
            f"{seconds / bare:6.1f}x {memory:6.1f} MB"
        )
        if row.limit:
            fits = seconds / bare <= row.limit and memory <= MAX_MEGABYTES
            missed |= not fits
            line += f"  at most {row.limit:g}x, {MAX_MEGABYTES} MB: {'met' if fits else 'MISSED'}"
        print(line)
    raise SystemExit(missed)


main()
