"""Compares shape inference, the NumPy reference and all frameworks on random networks.

``python -m inception_dsl.testing.fuzz``.

Every seed gives one network. The frameworks run in worker processes, each of which tests many
networks. A crash or a hang counts as a disagreement for the current network, and the worker is
restarted. No network is skipped.
"""

from __future__ import annotations

import json
import math
import os
import queue
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from .random_changes import changed_spec
from .random_specs import RandomSpec, random_spec
from .random_symbols import symbol_spec

try:
    from .trial import Trial
except ModuleNotFoundError as error:
    if __name__ != "__main__":
        raise
    click.echo(f"error: cannot import the package `{error.name}`: {error}", err=True)
    click.echo("  = help: pip install 'inception-dsl[weights]' and a framework", err=True)
    sys.exit(1)

MAX_TASKS: Final = 100  # networks per process, as frameworks leak some memory for each model
TIMEOUT: Final = 300.0  # seconds; a network usually takes less than one
THREADS: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
"""One thread each: small networks gain nothing from more, and the processes share the cores."""


class Task(NamedTuple):
    """A seed, whether to compare a training step too, and which generator to use.

    ``folder`` is that of the specs to extend, or an empty text.
    """

    seed: int
    training: bool
    symbols: bool = False
    folder: str = ""

    @property
    def spec(self) -> RandomSpec:
        """The random spec of the seed."""
        if self.folder:
            return changed_spec(self.seed, Path(self.folder)).spec
        return symbol_spec(self.seed).spec if self.symbols else random_spec(self.seed)

    @property
    def command(self) -> str:
        """The command that repeats this task."""
        kind = f"--extends {shlex.quote(self.folder)} " if self.folder else ""
        options = f"{kind}{'--symbols ' * self.symbols}--count 1 --seed {self.seed}"
        return f"python -m inception_dsl.testing.fuzz {options}{' --training 1' * self.training}"


def tasks(
    seeds: Sequence[int], training: int, *, symbols: bool = False, folder: str = ""
) -> list[Task]:
    """One task per seed; the first ``training`` networks in float64 also get a training step."""
    found, left = [], training
    for seed in seeds:
        task = Task(seed, False, symbols, folder)
        trains = left > 0 and task.spec.dtype == "float64"
        left -= trains
        found.append(task._replace(training=trains))
    return found


def fuzz(
    given: Sequence[Task], names: Sequence[str], jobs: int, timeout: float = TIMEOUT
) -> Iterator[Trial]:
    """Run all tasks on these backends in ``jobs`` processes; yields results as they finish."""
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in given:
        waiting.put(task)
    done: queue.SimpleQueue[Trial | BaseException] = queue.SimpleQueue()
    for _ in range(min(jobs, len(given))):
        threading.Thread(
            target=_serve, args=(waiting, done.put, names, timeout), daemon=True
        ).start()
    for _ in given:
        trial = done.get()
        if isinstance(trial, BaseException):
            raise trial
        yield trial


def _serve(
    waiting: queue.SimpleQueue[Task],
    put: Callable[[Trial | BaseException], None],
    names: Sequence[str],
    timeout: float,
) -> None:
    """Send tasks to a worker process; start a new one if it has ended."""
    worker: Worker | None = None
    try:
        while True:
            task = waiting.get_nowait()
            if worker is None or worker.expired:
                if worker:
                    worker.end()
                worker = Worker(names, timeout)
            trial = worker.attempt(task)
            if worker.process.poll() is not None:
                worker = None
            put(trial)
    except queue.Empty:
        pass
    except BaseException as error:
        put(error)
    if worker:
        worker.end()


class Worker:
    """A process that tests networks."""

    def __init__(self, names: Sequence[str], timeout: float) -> None:
        call = [sys.executable, "-m", "inception_dsl.testing.fuzz_worker", *names]
        pipe = subprocess.PIPE
        environment = {**THREADS, **os.environ}
        self.process = subprocess.Popen(
            call, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self.timeout, self.count = timeout, 0

    @property
    def expired(self) -> bool:
        return self.count >= MAX_TASKS

    def attempt(self, task: Task) -> Trial:
        """The result of a task; a crash or a timeout is a result too."""
        assert self.process.stdin
        assert self.process.stdout
        self.count += 1
        hung = threading.Event()

        def stop() -> None:
            hung.set()
            self.process.kill()

        timer = threading.Timer(self.timeout, stop)
        timer.start()
        try:
            print(json.dumps(task), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        timer.cancel()
        if line:
            return Trial(**json.loads(line))
        code = self.process.wait()
        spec = task.spec
        problem = (
            f"no result after {self.timeout:g} seconds"
            if hung.is_set()
            else f"the process ended with {code}"
        )
        return Trial(task.seed, spec.policy, spec.dtype, problem=problem)

    def end(self) -> None:
        """Close the input and wait until the process ends."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


@click.command(context_settings={"show_default": True})
@click.option("--count", default=200, type=click.IntRange(0), help="Number of networks.")
@click.option("--seed", default=0, type=click.IntRange(0), help="First seed; the others follow it.")
@click.option(
    "--seeds", "file", type=click.Path(path_type=Path, exists=True), help="File with more seeds."
)
@click.option("--training", default=0, help="Number of networks to compare in training too.")
@click.option(
    "--backend", "names", multiple=True, help="Backend; repeatable.  [default: all with a runner]"
)
@click.option("--jobs", default=2, type=click.IntRange(1), help="Number of processes.")
@click.option("--timeout", default=TIMEOUT, help="Seconds per network.")
@click.option("--symbols", is_flag=True, help="Use expressions as values and unusual names.")
@click.option(
    "--extends",
    "folder",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    help="Use overlays over the specs of this folder, such as `specs`.",
)
@click.option("--show", is_flag=True, help="Print the spec of the first seed and exit.")
def main(
    count: int,
    seed: int,
    file: Path | None,
    training: int,
    names: tuple[str, ...],
    jobs: int,
    timeout: float,
    symbols: bool,
    folder: str | None,
    show: bool,
) -> None:
    """Test that shape inference, the NumPy reference and all frameworks agree on random networks.

    Exits with status 1 on a disagreement. The same seed always gives the same network.
    """
    if show:
        click.echo(Task(seed, False, symbols, folder or "").spec.text, nl=False)
        return
    names = names or _runnable()
    seeds = dict.fromkeys([*range(seed, seed + count), *(read_seeds(file) if file else ())])
    started, trials = time.perf_counter(), list[Trial]()
    given = tasks(list(seeds), training, symbols=symbols, folder=folder or "")
    by_seed = {task.seed: task for task in given}
    with click.progressbar(
        length=len(given), file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for trial in fuzz(given, names, jobs, timeout):
            trials.append(trial)
            bar.update(1)
            if trial.problem:
                click.echo(f"seed {trial.seed} ({trial.policy}): {trial.problem}")
                click.echo(f"  to repeat: {by_seed[trial.seed].command}")
    click.echo(summary(given, trials, names, time.perf_counter() - started))
    if any(trial.problem for trial in trials):
        raise click.exceptions.Exit(1)


def summary(
    given: Sequence[Task], trials: Sequence[Trial], names: Sequence[str], seconds: float
) -> str:
    """The totals, the largest errors and the policies, as text."""
    wrong = sum(bool(trial.problem) for trial in trials)
    trained = sum(trial.trained for trial in trials)
    skipped = len({task.seed for task in given} - {trial.seed for trial in trials})
    lines = [
        f"{len(trials)} networks, {trained} of them also in training: {wrong} disagreements, "
        f"{skipped} skipped "
        f"(inference, NumPy, {', '.join(names)}; {seconds:.0f} s)"
    ]
    for dtype in ("float64", "float32"):
        found = [trial.worst for trial in trials if trial.dtype == dtype]
        errors = [error for error in found if not math.isnan(error)]
        if errors:
            lines.append(f"{len(errors)} compared in {dtype}, largest error {max(errors):.1e}")
        if sensitive := len(found) - len(errors):
            lines.append(f"{sensitive} not compared in {dtype}, whose rounding changes the outputs")
    policies = Counter(trial.policy for trial in trials)
    lines.append(", ".join(f"{name} {number}" for name, number in sorted(policies.items())))
    return "\n".join(lines)


def read_seeds(file: Path) -> list[int]:
    """The seeds in a file: the first word of every line that is not a comment."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def _runnable() -> tuple[str, ...]:
    """The names of all backends with a runner."""
    from .. import plugins

    return tuple(backend.name for _, backend in plugins.usable()[0] if backend.runner)


if __name__ == "__main__":
    main()
