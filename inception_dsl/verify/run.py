"""Runs a network in several frameworks with the same weights and compares the results.

Each framework runs in its own process and is compared with the NumPy reference in float64. The
bounds for float32 follow from rounding: the difference between the float32 and the float64 results
of the first framework that supports float64, with the same weights and batch.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..backend.protocol import Backend, Engine
from ..diagnostics.report import Report
from ..diagnostics.signals import stopped_by_signals
from ..language.shipped import from_anywhere
from ..reference.arrays import by_input
from .bounds import allowed
from .case import RATE, Case, Expected, expect, prepare
from .compare import BOUNDS, Check, compare, reason
from .errors import errors, rounding
from .observe import Observed, restored, write
from .workers import AT_ONCE, Job, Workers

NUDGES: Final = 3  # perturbations of the weights that measure the spread of float32 gradients
UNTRAINED: Final = "inference only; no training step, as this engine has no exact float64"
TIMEOUT: Final = 1800.0  # seconds; every shipped network is faster on two cores


class Target(NamedTuple):
    """A backend and the engine that its framework runs on (``keras:jax``)."""

    backend: Backend
    engine: Engine

    def __str__(self) -> str:
        first = self.backend.engines[:1]
        return (
            self.backend.name
            if self.engine in first or not first
            else f"{self.backend.name}:{self.engine.name}"
        )

    def process(self) -> tuple[dict[str, str], str]:
        """What a process needs to run models: its environment, and the module to import."""
        return dict(self.engine.environment), self.backend.runner


class Outcome(NamedTuple):
    """The result for one framework.

    ``status`` is agrees, differs, failed, missing or hung; ``reason`` explains it. ``note`` is what
    was asked for and not compared.
    """

    target: str
    dtype: str
    status: str
    reason: str = ""
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.status == "agrees"


class Verification(NamedTuple):
    """A case and the outcomes of all frameworks.

    ``rounding`` are the rounding errors of float32 by kind, measured with the framework
    ``reference``.
    """

    case: Case
    outcomes: tuple[Outcome, ...]
    rounding: Mapping[str, float]
    reference: str

    @property
    def ok(self) -> bool:
        return all(outcome.ok for outcome in self.outcomes)


class Plan(NamedTuple):
    """What to run: all targets with all dtypes; the number of samples is ``prepare``'s or given."""

    targets: Sequence[Target]
    dtypes: Sequence[str] = ("float64",)
    train: bool = False
    seed: int = 0
    size: int | None = None
    timeout: float = TIMEOUT

    def jobs(self) -> list[tuple[Target, str, bool]]:
        """Target, dtype, and whether its result is shown (else only its rounding is used)."""
        asked = [(t, d if t.engine.exact else "float32") for d in self.dtypes for t in self.targets]
        exact = self.exact_target()
        extra = (
            [(exact, "float64"), (exact, "float32")]
            if exact and any(d == "float32" for _, d in asked)
            else []
        )
        ordered = list(dict.fromkeys([*extra, *asked]))
        return [(target, dtype, (target, dtype) in asked) for target, dtype in ordered]

    def exact_target(self) -> Target | None:
        """The framework whose rounding errors give the bounds for float32."""
        return next((target for target in self.targets if target.engine.exact), None)


def targets_of(backend: Backend) -> list[Target]:
    """A target for each engine of a backend, the default engine first."""
    return [Target(backend, engine) for engine in backend.engines or (Engine(backend.name),)]


class Run(NamedTuple):
    """The jobs of a case, with a folder for their arrays."""

    case: Case
    root: Path
    jobs: Sequence[Job]


def verify(
    spec: str | os.PathLike[str],
    settings: Mapping[str, str],
    plan: Plan,
    report: Report,
    workers: Workers | None = None,
) -> Verification | None:
    """Compare all targets of the plan on a spec; ``None`` with errors in the report.

    ``workers`` are kept for the next spec.
    """
    (found,) = verify_all([spec], settings, plan, report, workers=workers)
    return found


def verify_all(
    specs: Sequence[str | os.PathLike[str]],
    settings: Mapping[str, str],
    plan: Plan,
    report: Report,
    progress: Callable[[str], None] = lambda _: None,
    workers: Workers | None = None,
) -> Generator[Verification | None]:
    """Compare all targets of the plan on every spec; ``None`` for a spec with errors.

    The frameworks run while the reference is computed and the case of the next spec is prepared.
    ``progress`` is called with a description of every step before its result is waited for.
    """
    if workers is None:
        with closing(Workers()) as own_workers:
            yield from verify_all(specs, settings, plan, report, progress, own_workers)
        return
    with (
        stopped_by_signals(),
        tempfile.TemporaryDirectory(prefix="inception-dsl-") as name,
        workers.closed_on_errors(),
    ):
        begun: list[Run | None] = []
        for number, spec in enumerate(specs):
            progress(f"{spec}: reference")
            begun.append(_begun(spec, settings, plan, report, Path(name, str(number)), workers))
            if number:
                yield _finished(begun.pop(0), plan, progress, workers)
        yield from (_finished(one, plan, progress, workers) for one in begun)


def _begun(
    spec: str | os.PathLike[str],
    settings: Mapping[str, str],
    plan: Plan,
    report: Report,
    root: Path,
    workers: Workers,
) -> Run | None:
    """The case of a spec and its jobs; the frameworks are imported while the case is prepared."""

    def ready() -> None:
        for target in plan.targets[:AT_ONCE]:
            workers.ready(str(target), *target.process())

    case = prepare(spec, settings, report, seed=plan.seed, size=plan.size, compiled=ready)
    return None if case is None else Run(case, root, _submitted(case, plan, root, workers))


def _finished(
    run: Run | None, plan: Plan, progress: Callable[[str], None], workers: Workers
) -> Verification | None:
    """The outcomes of all jobs, compared with the reference."""
    if run is None:
        return None
    case = run.case
    exact, round_off = plan.exact_target(), dict[str, float]()
    outcomes, own = [], dict[str, Observed]()
    expected = expect(case, train=plan.train)
    for (target, dtype, asked), job in zip(plan.jobs(), run.jobs, strict=True):
        progress(f"{case.spec}: {target} {dtype}")
        ended = workers.result(job)
        found = None if ended.found is None else restored(ended.found, job.folder)
        outcome = Outcome(str(target), dtype, ended.status, ended.reason, (), ended.seconds)
        if found is not None and target == exact:
            own[dtype] = found
            round_off = (
                rounding(case, expected, own["float32"], own["float64"]) if len(own) == 2 else {}
            )
        if found is not None and asked:
            outcome = _compared(case, expected, found, target, outcome, round_off)
        if asked:
            note = "" if target.engine.exact or not plan.train else UNTRAINED
            outcomes.append(outcome._replace(note=note))
        if target != exact:  # to limit disk use
            shutil.rmtree(job.folder)
    shutil.rmtree(run.root)
    return Verification(case, tuple(outcomes), round_off, str(exact) if exact else "")


def _compared(
    case: Case,
    expected: Expected,
    found: Observed,
    target: Target,
    outcome: Outcome,
    round_off: Mapping[str, float],
) -> Outcome:
    unbiased = target.backend.unbiased_variance
    deviations = errors(case, expected, found, outcome.dtype, unbiased_variance=unbiased)
    bounds = (
        BOUNDS
        if outcome.dtype == "float64"
        else {kind: allowed(round_off.get(kind, 0.0)) for kind in BOUNDS}
    )
    checks = compare(case, found, deviations, bounds)
    problem = reason(case, expected, checks, outcome.dtype)
    return outcome._replace(
        status="differs" if problem else "agrees",
        reason=problem,
        checks=checks,
    )


def _given(case: Case, root: Path) -> Path:
    """Write the arrays of the case to a folder and return it."""
    folder = root / "given"
    folder.mkdir(parents=True)
    write(folder, "weights", case.weights)
    write(folder, "batch", by_input(case.x))
    write(folder, "targets", case.targets)
    return folder


def _submitted(case: Case, plan: Plan, root: Path, workers: Workers) -> list[Job]:
    """All jobs of the plan; the first run already."""
    given, found = _given(case, root), []
    for i, (target, dtype, _) in enumerate(plan.jobs()):
        folder = root / str(i)
        folder.mkdir()
        text = json.dumps(_job(case, plan, target, dtype))
        (folder / "job.json").write_text(text, encoding="utf-8")
        environment, runner = target.process()
        job = Job(str(target), environment, given, folder, plan.timeout, runner)
        found.append(workers.submit(job))
    return found


def _job(case: Case, plan: Plan, target: Target, dtype: str) -> dict[str, Any]:
    """What a worker needs to know."""
    return {
        "spec": from_anywhere(case.spec),
        "settings": dict(case.settings),
        "source_settings": dict(case.source_settings),
        "backend": target.backend.name,
        "dtype": dtype,
        "train": plan.train and target.engine.exact,
        "rate": RATE,
        "nudges": NUDGES if dtype == "float32" and target == plan.exact_target() else 0,
    }
