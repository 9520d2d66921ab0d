"""Compiles damaged specs: ``python tests/nightly/campaign.py --count 100000``.

Each spec is compiled as by the command line. If that fails, every error must have a location inside
of a text, and is printed. Otherwise the summary is printed, and all backends emit some of the
specs. An exception, a crash, a hang, or more than a second of CPU time is a finding, and the mutant
is saved to a file.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
LIMIT = 1.0  # seconds of CPU time
HANGS = 120  # seconds without a result
MEMORY = 2 << 30  # bytes
EVERY = 12
"""One in so many mutants is also emitted, if it is valid."""
SIZES: Final = "{channels: 192, height: 35, width: 35}"
"""The input for blocks without one of their own."""


class Result(NamedTuple):
    """``outcome`` is ``network``, ``emitted``, ``rejected`` or, for a bug, ``finding``."""

    seed: int
    kind: str
    source: str
    outcome: str
    seconds: float
    problem: str = ""
    codes: tuple[str, ...] = ()


def attempt(seed: int, folder: Path, texts: dict[str, str], *, emit: bool) -> Result:
    """Compile one mutant in ``folder``, which has the shipped specs."""
    from mutations import mutant

    made = mutant(seed, texts)
    path = folder / made.source
    path.write_bytes(made.data)
    settings = {"input": SIZES} if made.source.startswith("blocks/") and seed % 3 else {}
    start = time.process_time()
    outcome, problem, codes = "finding", "", ()
    try:
        outcome, codes = compiled(path, settings, emit=emit)
    except Exception:
        problem = traceback.format_exc(limit=-4)
    seconds = time.process_time() - start
    path.write_text(texts[made.source], encoding="utf-8")
    if seconds > LIMIT:
        outcome, problem = "finding", problem or f"{seconds:.2f} seconds"
    return Result(seed, made.kind, made.source, outcome, seconds, problem, codes)


def compiled(path: Path, settings: dict[str, str], *, emit: bool) -> tuple[str, tuple[str, ...]]:
    """The outcome of a spec, and the codes of its diagnostics; raises an exception for a bug."""
    from inception_dsl import plugins
    from inception_dsl.compiler import compile_spec
    from inception_dsl.design.summary import Summary
    from inception_dsl.diagnostics.report import Report

    report = Report()
    typed = compile_spec(path, settings, report)
    assert (typed is None) != report.ok, "a spec must give either a network or errors"
    if typed is not None:
        found = Summary(typed)
        assert str(found)
        assert not emit or json.dumps(found.to_dict())
        for plugin, backend in plugins.usable()[0] if emit else ():
            for name, text in (plugins.emit(plugin, backend, typed, report) or {}).items():
                if name.endswith(".py"):
                    compile(text, name, "exec")
        assert "E502" not in {d.code for d in report}, report.render()
    assert report.render() or report.ok
    for found in report:
        placed(found.span, report.texts)
    return ("rejected" if typed is None else "emitted" if emit else "network"), tuple(
        d.code for d in report
    )


def placed(span: object, texts: dict[str, str]) -> None:
    """Check that a diagnostic has a file, and a line and column that exist in it."""
    assert span.file and span.line >= 1 and span.column >= 1, span  # type: ignore[attr-defined]
    if span.file in texts:  # type: ignore[attr-defined]
        lines = texts[span.file].split("\n")  # type: ignore[attr-defined]
        assert span.line <= len(lines), span  # type: ignore[attr-defined]
        assert span.column <= len(lines[span.line - 1]) + 1, span  # type: ignore[attr-defined]


def worker(first: int, end: int, step: int) -> None:
    """Test every ``step``-th seed; each line of standard output is a result."""
    from mutations import shipped

    texts = shipped(ROOT)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    gc.disable()  # as the command does; collected below, as this process runs many specs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "specs"
        shutil.copytree(ROOT / "specs", folder)
        for count, seed in enumerate(range(first, end, step)):
            found = attempt(seed, folder, texts, emit=seed // 4 % EVERY == 0)
            print(json.dumps(found._asdict()), flush=True)
            if count % 50 == 0:
                gc.collect()


class Worker:
    """A process that tests seeds; a crash or a hang is a result, and a new process continues."""

    def __init__(self, first: int, end: int, step: int) -> None:
        self.next, self.end, self.step = first, end, step
        self.start()

    def command(self) -> list[str]:
        return [sys.executable, __file__, "--worker", str(self.next), str(self.end), str(self.step)]

    def start(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")]),
        }
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self.heard, self.rest = time.monotonic(), b""

    @property
    def done(self) -> bool:
        return self.next >= self.end

    def results(self) -> Iterator[Result]:
        """The results since the last call."""
        assert self.process.stdout
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        self.heard = time.monotonic()
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            yield Result(
                **{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(line).items()}
            )
            self.next += self.step
        if not data:
            yield from self.over(f"the process ended with {self.process.wait()}")

    def over(self, problem: str) -> Iterator[Result]:
        """Report the current seed as a finding, and continue with the next."""
        self.process.kill()
        self.process.wait()
        if not self.done:
            yield Result(self.next, "", "", "finding", 0.0, problem)
            self.next += self.step
        if not self.done:
            self.start()

    def hung(self) -> bool:
        return not self.done and time.monotonic() - self.heard > HANGS


def campaign(first: int, count: int, jobs: int) -> Iterator[Result]:
    """Test ``count`` seeds; yields results as they finish."""
    workers = [Worker(first + i, first + count, jobs) for i in range(min(jobs, count))]
    while active := [w for w in workers if not w.done]:
        ready, _, _ = select.select([w.process.stdout for w in active], [], [], 5)
        for one in active:
            if one.process.stdout in ready:
                yield from one.results()
            elif one.hung():
                yield from one.over(f"no answer for {HANGS} seconds")
    for one in workers:
        one.process.wait()


def summary(results: list[Result], seconds: float) -> str:
    """The number of outcomes by kind, the CPU times and the error codes, as text."""
    count = Counter((r.kind, r.outcome) for r in results)
    codes = Counter(code for r in results for code in dict.fromkeys(r.codes))
    times = sorted(r.seconds for r in results)
    outcomes = ("rejected", "network", "emitted", "finding")
    lines = [
        f"{len(results):,} mutants, {sum(r.outcome == 'finding' for r in results)} findings "
        f"({seconds:.0f} s)"
    ]
    lines += [
        f"  {kind:8} " + ", ".join(f"{count[kind, o]:,} {o}" for o in outcomes if count[kind, o])
        for kind in sorted({kind for kind, _ in count})
    ]
    shares = [
        (share, times[min(len(times) - 1, int(share * len(times)))])
        for share in (0.5, 0.99, 0.9999)
    ]
    shown = ", ".join(f"{share:.2%}: {time * 1000:.0f}" for share, time in shares)
    lines.append(f"  milliseconds of CPU time, {shown}, largest: {times[-1] * 1000:.0f}")
    lines.append("  " + ", ".join(f"{code} {n}" for code, n in sorted(codes.items())))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="number of mutants (default: 1000)")
    parser.add_argument(
        "--seed", type=int, default=0, help="first seed; the others follow it (default: 0)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="number of processes (default: 2)")
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path("findings"),
        help="folder for mutants with a finding (default: findings)",
    )
    parser.add_argument("--worker", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        return worker(*given.worker)
    from mutations import mutant, shipped

    results, started, texts = [], time.perf_counter(), shipped(ROOT)
    for found in campaign(given.seed, given.count, given.jobs):
        results.append(found)
        if found.outcome == "finding":
            given.keep.mkdir(parents=True, exist_ok=True)
            made = mutant(found.seed, texts)
            kept = given.keep / f"{found.seed}.yaml"
            kept.write_bytes(made.data)
            print(
                f"seed {found.seed} ({made.kind} of {made.source}, "
                f"saved to {kept}): {found.problem}",
                flush=True,
            )
        if len(results) % 5000 == 0:
            print(summary(results, time.perf_counter() - started), flush=True)
    print(summary(results, time.perf_counter() - started))
    raise SystemExit(any(r.outcome == "finding" for r in results))


if __name__ == "__main__":
    main()
