"""Measures the start-up time of commands relative to `python -c pass`, and their peak memory.

Run with the interpreter in whose environment inception-dsl is installed:

    python benchmarks/startup.py
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
ROOT = Path(__file__).parent.parent
PROGRAM = str(Path(sys.executable).parent / "inception-dsl")
MAX_MEGABYTES = 60


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of one process; its output is discarded."""
    start = time.perf_counter()
    process = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def main() -> None:
    """Measure all commands in each round, so that load on the machine affects all of them."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as out:
        commands: dict[str, tuple[list[str], float]] = {
            "python -c pass": ([sys.executable, "-c", "pass"], 1),
            "--version": ([PROGRAM, "--version"], 8),
            "summary specs/v4.yaml": ([PROGRAM, "summary", "specs/v4.yaml"], 20),
            "build specs/v4.yaml --backend torch": (
                [PROGRAM, "build", "specs/v4.yaml", "--backend", "torch", "--out", out],
                30,
            ),
        }
        for command, _ in commands.values():
            run(command)  # warm the file cache and the bytecode
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, (command, _) in commands.items():
                taken[name].append(run(command))
    bare = statistics.median(seconds for seconds, _ in taken["python -c pass"])
    missed = False
    for name, (_, limit) in commands.items():
        seconds = statistics.median(s for s, _ in taken[name])
        memory = max(m for _, m in taken[name])
        fits = seconds / bare <= limit and memory <= MAX_MEGABYTES
        missed |= not fits
        verdict = (
            f"at most {limit:g}x, {MAX_MEGABYTES} MB: {'met' if fits else 'MISSED'}"
            if limit > 1
            else ""
        )
        print(
            f"{name:36} {seconds * 1000:7.1f} ms {seconds / bare:6.1f}x {memory:6.1f} MB  "
            f"{verdict}".rstrip()
        )
    raise SystemExit(missed)


main()
