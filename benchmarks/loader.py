"""Measures the YAML loader on 500 lines of a spec: data with a location for every key and value.

python benchmarks/loader.py

For comparison, it also measures PyYAML's `yaml.load` with the parser in C, which has no locations
and accepts duplicate keys.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from inception_dsl.diagnostics.report import Report
from inception_dsl.yaml.source import parse

LINES, LIMIT, ROUNDS = 500, 10.0, 60
SPEC = Path(__file__).parents[1] / "specs" / "v2.yaml"


def text() -> str:
    """Several copies of the longest spec under different keys, cut at 500 lines."""
    lines: list[str] = []
    while len(lines) < LINES:
        lines += [
            f"copy_{len(lines)}:",
            *(f"  {line}" for line in SPEC.read_text(encoding="utf-8").splitlines()),
        ]
    return "\n".join(lines[:LINES])


def quickest(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time of the fastest round, the one least affected by other processes."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
        gc.collect()
    return min(times) * 1000


def main() -> None:
    """Print the times; exit with status 1 if that of the loader is above the limit."""
    gc.disable()  # as the command does
    spec, report = text(), Report()
    document = parse(spec, "spec.yaml", report)
    if document is None or not report.ok:
        raise SystemExit(report.render())
    ours = quickest(lambda: parse(spec, "spec.yaml", Report()))
    theirs = quickest(lambda: yaml.load(spec, yaml.CSafeLoader))
    locations = len(document.spans) + len(document.keys)
    verdict = f"at most {LIMIT:.0f} ms: {'met' if ours <= LIMIT else 'MISSED'}"
    print(f"{LINES} lines, {len(spec):,} characters, {locations:,} locations")
    print(f"the loader           {ours:6.1f} ms  {verdict}")
    print(f"yaml.load in C       {theirs:6.1f} ms  {ours / theirs:.2f}x")
    raise SystemExit(ours > LIMIT)


main()
