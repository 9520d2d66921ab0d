"""How long 500 lines of a spec take from text to data with a place for every key and value.

python benchmarks/loader.py

Beside it stands PyYAML's own `yaml.load` with the parser in C, which gives neither places nor a
mistake for a key that stands twice.
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
    """Whole specs below keys of their own, so many that there are 500 lines.

    The longest spec is the densest too.
    """
    lines: list[str] = []
    while len(lines) < LINES:
        lines += [
            f"copy_{len(lines)}:",
            *(f"  {line}" for line in SPEC.read_text(encoding="utf-8").splitlines()),
        ]
    return "\n".join(lines[:LINES])


def quickest(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time of the quickest of some rounds, which other work on the machine
    disturbs least.
    """
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
        gc.collect()
    return min(times) * 1000


def main() -> None:
    """Print the times; leave with 1 if ours is above the limit."""
    gc.disable()  # as the program does
    spec, report = text(), Report()
    document = parse(spec, "spec.yaml", report)
    if document is None or not report.ok:
        raise SystemExit(report.render())
    ours = quickest(lambda: parse(spec, "spec.yaml", Report()))
    theirs = quickest(lambda: yaml.load(spec, yaml.CSafeLoader))
    places = len(document.spans) + len(document.keys)
    verdict = f"at most {LIMIT:.0f} ms: {'met' if ours <= LIMIT else 'MISSED'}"
    print(f"{LINES} lines, {len(spec):,} characters, {places:,} places")
    print(f"the loader           {ours:6.1f} ms  {verdict}")
    print(f"yaml.load in C       {theirs:6.1f} ms  {ours / theirs:.2f}x")
    raise SystemExit(ours > LIMIT)


main()
