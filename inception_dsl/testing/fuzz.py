"""Random networks through inference, the NumPy reference and every framework.

``python -m inception_dsl.testing.fuzz``.

Every seed is a network. The frameworks run in processes that live for many networks; one that
crashes or hangs is a disagreement of the network that it was given, and is started anew. No network
is ever left out.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from .random_specs import RandomSpec, random_spec
from .random_symbols import symbol_spec
from .trial import Trial

LIFE: Final = 100  # networks that a process is given; frameworks keep something of every model
TIMEOUT: Final = 300.0  # seconds; a network takes a fraction of one
THREADS: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
"""Small networks gain nothing from threads, and processes that share the cores lose by them."""


class Task(NamedTuple):
    """A seed to try, in training mode too or not, and which generator makes a network of it."""

    seed: int
    training: bool
    symbols: bool = False

    @property
    def spec(self) -> RandomSpec:
        """The network."""
        return symbol_spec(self.seed).spec if self.symbols else random_spec(self.seed)

    @property
    def again(self) -> str:
        """The command that tries it again."""
        options = f"{'--symbols ' * self.symbols}--count 1 --seed {self.seed}"
        return f"python -m inception_dsl.testing.fuzz {options}{' --training 1' * self.training}"


def tasks(seeds: Sequence[int], training: int, *, symbols: bool = False) -> list[Task]:
    """Every seed; a training step is compared on the first ``training`` networks that are judged in
    float64.
    """
    found, left = [], training
    for seed in seeds:
        task = Task(seed, False, symbols)
        trains = left > 0 and task.spec.dtype == "float64"
        left -= trains
        found.append(task._replace(training=trains))
    return found


def fuzz(
    given: Sequence[Task], names: Sequence[str], jobs: int, timeout: float = TIMEOUT
) -> Iterator[Trial]:
    """The trials of all tasks on these backends, as they end; ``jobs`` processes share them."""
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
    """Give tasks to a process, and start another one where it has ended."""
    worker: Worker | None = None
    try:
        while True:
            task = waiting.get_nowait()
            if worker is None or worker.old:
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
    """A process that tries networks."""

    def __init__(self, names: Sequence[str], timeout: float) -> None:
        call = [sys.executable, "-m", "inception_dsl.testing.fuzz_worker", *names]
        pipe = subprocess.PIPE
        environment = {**THREADS, **os.environ}
        self.process = subprocess.Popen(
            call, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self.timeout, self.count = timeout, 0

    @property
    def old(self) -> bool:
        return self.count >= LIFE

    def attempt(self, task: Task) -> Trial:
        """The trial of a task, also where the process dies of it."""
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
            words = (task.seed, int(task.training), int(task.symbols))
            print(*words, file=self.process.stdin, flush=True)
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
        """Waits for the process, which ends when its input does."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


@click.command(context_settings={"show_default": True})
@click.option("--count", default=200, type=click.IntRange(0), help="How many networks.")
@click.option(
    "--seed", default=0, type=click.IntRange(0), help="Of the first; each next one has the next."
)
@click.option(
    "--seeds", "file", type=click.Path(path_type=Path, exists=True), help="A file of further seeds."
)
@click.option("--training", default=0, help="Compare a training step of so many networks.")
@click.option("--backend", "names", multiple=True, help="May be repeated.  [default: all that run]")
@click.option("--jobs", default=2, type=click.IntRange(1), help="Number of processes.")
@click.option("--timeout", default=TIMEOUT, help="Seconds for one network.")
@click.option("--symbols", is_flag=True, help="Values that are expressions, awkward names.")
@click.option("--show", is_flag=True, help="Print the spec of the first seed and leave.")
def main(
    count: int,
    seed: int,
    file: Path | None,
    training: int,
    names: tuple[str, ...],
    jobs: int,
    timeout: float,
    symbols: bool,
    show: bool,
) -> None:
    """Try random networks: inference, NumPy reference and frameworks have to agree on each.

    Leaves with 1 where one does not; the same seed is the same network again.
    """
    if show:
        click.echo(Task(seed, False, symbols).spec.text, nl=False)
        return
    names = names or _runnable()
    seeds = dict.fromkeys([*range(seed, seed + count), *(kept(file) if file else ())])
    started, trials = time.perf_counter(), list[Trial]()
    given = tasks(list(seeds), training, symbols=symbols)
    by_seed = {task.seed: task for task in given}
    with click.progressbar(
        length=len(given), file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for trial in fuzz(given, names, jobs, timeout):
            trials.append(trial)
            bar.update(1)
            if trial.problem:
                click.echo(f"seed {trial.seed} ({trial.policy}): {trial.problem}")
                click.echo(f"  again: {by_seed[trial.seed].again}")
    click.echo(told(given, trials, names, time.perf_counter() - started))
    if any(trial.problem for trial in trials):
        raise click.exceptions.Exit(1)


def told(
    given: Sequence[Task], trials: Sequence[Trial], names: Sequence[str], seconds: float
) -> str:
    """What came out, in lines."""
    wrong = sum(bool(trial.problem) for trial in trials)
    trained = sum(trial.trained for trial in trials)
    skipped = len({task.seed for task in given} - {trial.seed for trial in trials})
    lines = [
        f"{len(trials)} networks, {trained} of them in training mode too: {wrong} disagreements, "
        f"{skipped} skipped "
        f"(inference, NumPy, {', '.join(names)}; {seconds:.0f} s)"
    ]
    for dtype in ("float64", "float32"):
        errors = [trial.worst for trial in trials if trial.dtype == dtype]
        if errors:
            lines.append(f"{len(errors)} judged in {dtype}, largest error {max(errors):.1e}")
    policies = Counter(trial.policy for trial in trials)
    lines.append(", ".join(f"{name} {number}" for name, number in sorted(policies.items())))
    return "\n".join(lines)


def kept(file: Path) -> list[int]:
    """The seeds in a file: the first word of every line that is no comment."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def _runnable() -> tuple[str, ...]:
    """The names of all backends that can run what they print."""
    from .. import plugins

    return tuple(backend.name for _, backend in plugins.usable()[0] if backend.runner)


if __name__ == "__main__":
    main()
