"""Measures the time in which `sweep` compiles 2,000 variants of Inception-v4 on all cores.

Run with the interpreter in whose environment inception-dsl is installed:

    python benchmarks/sweep.py

The target is for two cores; other work on the machine makes it slower. CPU time is that of all
processes together.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, LIMIT = 3, 20.0
VARIANTS = 2000
VARIED = ("width=0.5..2.49:0.01", "input=224..332:12")  # 200 times 10
ROOT = Path(__file__).parent.parent
PROGRAM = str(Path(sys.executable).parent / "inception-dsl")


def run(folder: Path) -> tuple[float, float]:
    """Seconds of one sweep, and seconds of CPU time."""
    out = folder / "sweep.csv"
    options = [word for varied in VARIED for word in ("--vary", varied)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [PROGRAM, "sweep", "specs/v4.yaml", *options, "--front", "-f", "csv", "-o", str(out)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if len(out.read_text(encoding="utf-8").splitlines()) != VARIANTS + 1:
        raise SystemExit(f"expected {VARIANTS:,} rows")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the median; exit with status 1 if it is above the limit."""
    with tempfile.TemporaryDirectory() as folder:
        taken = [run(Path(folder)) for _ in range(ROUNDS)]
    seconds, cpu = (statistics.median(numbers) for numbers in zip(*taken, strict=True))
    runs = ", ".join(f"{wall:.1f}" for wall, _ in taken)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{VARIANTS:,} variants of v4  {seconds:5.1f} s ({runs})  CPU time {cpu:.1f} s")
    print(f"{os.cpu_count()} cores, load average {load}")
    print(f"at most {LIMIT:.0f} s: {'met' if seconds <= LIMIT else 'MISSED'}")
    raise SystemExit(seconds > LIMIT)


main()
