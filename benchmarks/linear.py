"""Measures whether compile time is linear in the size of the spec.

Compares the CPU time of a chain of 10,000 steps with that of 1,000 steps in the same run.

python benchmarks/linear.py
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from inception_dsl import plugins
from inception_dsl.compiler import compile_spec
from inception_dsl.design.summary import Summary
from inception_dsl.diagnostics.report import Report

ROUNDS, LIMIT = 5, 10.5
STEP = "  - {{op: conv, name: c{0}, filters: 8, kernel_size: 3, activation: relu}}"


def chain(folder: Path, steps: int) -> Path:
    """A spec whose body is a chain of ``steps`` steps."""
    path = folder / f"chain_{steps}.yaml"
    body = "\n".join(STEP.format(i) for i in range(steps))
    path.write_text(
        f"network: chain\ninput: {{channels: 8, height: 32, width: 32}}\nbody:\n{body}\n"
    )
    return path


def compile_time(path: Path) -> float:
    """Seconds from the text to the summary."""
    start = time.process_time()
    report = Report()
    typed = compile_spec(path, {}, report)
    if typed is None:
        raise SystemExit(report.render())
    str(Summary(typed))
    return time.process_time() - start


def emit_time(path: Path, name: str) -> float:
    """Seconds for a backend to emit the source."""
    report = Report()
    typed = compile_spec(path, {}, report)
    ((plugin, backend),) = plugins.chosen([name], report)
    start = time.process_time()
    if typed is None or plugins.emit(plugin, backend, typed, report) is None:
        raise SystemExit(report.render())
    return time.process_time() - start


def main() -> None:
    """Print the ratios; exit with status 1 if one is above the limit."""
    gc.disable()  # as the command does
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        small, large = chain(Path(folder), 1_000), chain(Path(folder), 10_000)
        jobs = {"compile and summary": compile_time}
        jobs |= {
            f"emit {name}": lambda path, name=name: emit_time(path, name)
            for name in ("torch", "keras")
        }
        for title, job in jobs.items():
            job(small)
            pairs = []
            for _ in range(ROUNDS):
                pairs.append((job(small), job(large)))
                gc.collect()
            short, long = (statistics.median(times) for times in zip(*pairs, strict=True))
            missed |= long / short > LIMIT
            verdict = f"at most {LIMIT}x: {'met' if long / short <= LIMIT else 'MISSED'}"
            print(
                f"{title:20} {short * 1000:8.1f} ms {long * 1000:9.1f} ms {long / short:5.1f}x  "
                f"{verdict}"
            )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024 * 1024
    )
    print(f"peak memory of this process: {memory:.0f} MB")
    raise SystemExit(missed)


main()
