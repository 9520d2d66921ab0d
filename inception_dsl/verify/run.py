"""One network in several frameworks with identical weights.

Each runs in a process of its own and is compared.

The judge is the NumPy reference in float64. In float32 a framework may lie as far from it as
rounding takes the first framework that keeps float64: its float32 against its own float64, on the
same weights and batch.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..backend.protocol import Backend, Engine
from ..diagnostics.report import Report
from .bounds import allowed
from .case import RATE, Case, Expected, expect, prepare
from .compare import BOUNDS, Check, compare, errors, rounding
from .observe import Observed, restored, write

NUDGES: Final = (
    3  # other roundings of the weights, by which the spread of gradients in float32 is known
)
TIMEOUT: Final = 1800.0  # seconds; larger than any shipped network takes on two cores


class Target(NamedTuple):
    """A backend and what its framework runs on."""

    backend: Backend
    engine: Engine

    def __str__(self) -> str:
        first = self.backend.engines[:1]
        return (
            self.backend.name
            if self.engine in first or not first
            else f"{self.backend.name}:{self.engine.name}"
        )


class Outcome(NamedTuple):
    """How a framework compared.

    ``status`` is agrees, differs, failed, missing or hung; ``reason`` says why.
    """

    target: str
    dtype: str
    status: str
    reason: str = ""
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.status == "agrees"


class Verification(NamedTuple):
    """What was compared, and every outcome.

    ``rounding`` is that of float32 by kind; ``reference`` whose it is.
    """

    case: Case
    outcomes: tuple[Outcome, ...]
    rounding: Mapping[str, float]
    reference: str

    @property
    def ok(self) -> bool:
        return all(outcome.ok for outcome in self.outcomes)


class Plan(NamedTuple):
    """What to run: every target in every type of numbers."""

    targets: Sequence[Target]
    dtypes: Sequence[str] = ("float64",)
    train: bool = False
    seed: int = 0
    size: int = 2
    timeout: float = TIMEOUT

    def jobs(self) -> list[tuple[Target, str, bool]]:
        """Target, dtype, and whether it is asked for (else only its rounding is wanted)."""
        asked = [(t, d if t.engine.exact else "float32") for d in self.dtypes for t in self.targets]
        judge = self.judge()
        extra = (
            [(judge, "float64"), (judge, "float32")]
            if judge and any(d == "float32" for _, d in asked)
            else []
        )
        ordered = list(dict.fromkeys([*extra, *asked]))
        return [(target, dtype, (target, dtype) in asked) for target, dtype in ordered]

    def judge(self) -> Target | None:
        """Whose rounding bounds float32."""
        return next((target for target in self.targets if target.engine.exact), None)


def targets_of(backend: Backend) -> list[Target]:
    """A target for every engine of a backend, the usual one first."""
    return [Target(backend, engine) for engine in backend.engines or (Engine(backend.name),)]


def verify(
    spec: str | os.PathLike[str],
    settings: Mapping[str, str],
    plan: Plan,
    report: Report,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification | None:
    """Compare every target of the plan on a spec.

    ``None`` with the mistakes in the report where it has some.

    ``progress`` is told of every step before it starts.
    """
    progress(f"{spec}: reference")
    case = prepare(spec, settings, report, seed=plan.seed, size=plan.size)
    if case is None:
        return None
    expected = expect(case, train=plan.train)
    judge, round_off = plan.judge(), dict[str, float]()
    outcomes, own = [], dict[str, Observed]()
    with tempfile.TemporaryDirectory(prefix="inception-dsl-") as name:
        given = _given(case, Path(name))
        for i, (target, dtype, asked) in enumerate(plan.jobs()):
            progress(f"{spec}: {target} {dtype}")
            folder = Path(name) / str(i)
            found, outcome = _run(case, plan, target, dtype, given, folder)
            if found is not None and target == judge:
                own[dtype] = found
                round_off = (
                    rounding(case, expected, own["float32"], own["float64"])
                    if len(own) == 2
                    else {}
                )
            if found is not None and asked:
                outcome = _judged(case, expected, found, target, outcome, round_off)
            if asked:
                outcomes.append(outcome)
            if target != judge:  # the largest gradients are those of a whole network
                shutil.rmtree(folder)
    return Verification(case, tuple(outcomes), round_off, str(judge) if judge else "")


def _judged(
    case: Case,
    expected: Expected,
    found: Observed,
    target: Target,
    outcome: Outcome,
    round_off: Mapping[str, float],
) -> Outcome:
    deviations = errors(case, expected, found, unbiased_variance=target.backend.unbiased_variance)
    bounds = (
        BOUNDS
        if outcome.dtype == "float64"
        else {kind: allowed(round_off.get(kind, 0.0)) for kind in BOUNDS}
    )
    checks = compare(case, found, deviations, bounds)
    first = next((check for check in checks if check.problem), None)
    return outcome._replace(
        status="differs" if first else "agrees",
        reason=first.problem if first else "",
        checks=checks,
    )


def _given(case: Case, root: Path) -> Path:
    """A folder with the arrays of the case."""
    folder = root / "given"
    folder.mkdir()
    write(folder, "weights", case.weights)
    write(folder, "batch", {"x": case.x})
    write(folder, "targets", {"classes": case.targets} if case.typed.has_loss else case.targets)
    return folder


def _run(
    case: Case, plan: Plan, target: Target, dtype: str, given: Path, folder: Path
) -> tuple[Observed | None, Outcome]:
    """What a target did in a process of its own, or the outcome that says why there is nothing."""
    job: dict[str, Any] = {
        "spec": os.path.abspath(case.spec),
        "settings": dict(case.settings),
        "source_settings": dict(case.source_settings),
        "backend": target.backend.name,
        "dtype": dtype,
        "train": plan.train and target.engine.exact,
        "rate": RATE,
        "nudges": NUDGES if dtype == "float32" and target == plan.judge() else 0,
    }
    folder.mkdir()
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    started = time.perf_counter()
    outcome = Outcome(str(target), dtype, "agrees")
    call = [sys.executable, "-m", "inception_dsl.verify.worker", str(given), str(folder)]
    environment = {**os.environ, **dict(target.engine.environment)}
    try:
        done = subprocess.run(
            call,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=plan.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, outcome._replace(
            status="hung", reason=f"no result after {plan.timeout:g} seconds"
        )
    outcome = outcome._replace(seconds=time.perf_counter() - started)
    result = folder / "result.json"
    if not result.exists():
        return None, outcome._replace(status="failed", reason=_ending(done))
    found = json.loads(result.read_text(encoding="utf-8"))
    if found["status"] != "ok":
        return None, outcome._replace(status=found["status"], reason=found["reason"])
    return restored(found, folder), outcome


def _ending(done: subprocess.CompletedProcess[str]) -> str:
    """How a process that left no result ended."""
    lines = done.stderr.strip().splitlines() or ["it said nothing"]
    if done.returncode < 0:
        return f"ended by signal {signal.Signals(-done.returncode).name}: {lines[-1]}"
    return f"ended with exit code {done.returncode}: {lines[-1]}"
