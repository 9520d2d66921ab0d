"""Runs the optimisers of training scripts in several frameworks and compares their states."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..backend.trainable import trainable
from ..diagnostics.report import PLAIN, Report, Style
from ..diagnostics.signals import stopped_by_signals
from ..diagnostics.text import aligned, printable
from ..language.shipped import from_anywhere
from ..types.optimizers import FORMS, TITLES
from .observe import Archive
from .recipe import (
    BOUND,
    LOOKS,
    STEPS,
    Narrow,
    apart,
    expected,
    kinds,
    looked_at,
    narrow,
    rates,
    training_of,
)
from .run import TIMEOUT, Target
from .workers import Job, Workers

KINDS: Final = ("rates", "weights", "slots", "average")
INEXACT: Final = "this engine does not compute in float64 throughout"


class RecipeOutcome(NamedTuple):
    """The result for one framework: the largest relative error of each kind, and what is wrong.

    ``status`` is agrees, differs, failed, missing or hung.
    """

    target: str
    status: str
    reason: str = ""
    errors: Mapping[str, float] = {}
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it agrees."""
        return self.status == "agrees"


class RecipeVerification(NamedTuple):
    """A spec and the outcomes of all frameworks."""

    spec: str
    narrow: Narrow
    outcomes: tuple[RecipeOutcome, ...]


def verify_recipes(
    specs: Sequence[str | os.PathLike[str]],
    settings: Mapping[str, str],
    targets: Sequence[Target],
    report: Report,
    progress: Callable[[str], None] = lambda _: None,
    timeout: float = TIMEOUT,
) -> Generator[RecipeVerification]:
    """Compare the training scripts of all targets with the interpreter of recipes, spec by spec.

    Specs with errors, or whose recipe lacks a number, are in the report.
    """
    with (
        stopped_by_signals(),
        tempfile.TemporaryDirectory(prefix="inception-dsl-") as name,
        closing(Workers()) as workers,
    ):
        for number, spec in enumerate(specs):
            progress(f"{spec}: recipe")
            own = narrow(spec, settings, report)
            if own is None or not all(trainable(t.backend, own.typed, report) for t in targets):
                continue
            folders = [Path(name, str(number), str(i)) for i, _ in enumerate(targets)]
            jobs = [
                _submitted(spec, own, target, folder, workers, timeout)
                for target, folder in zip(targets, folders, strict=True)
            ]
            states = [kinds(state) for state in expected(own.typed)]
            outcomes = []
            for target, job in zip(targets, jobs, strict=True):
                progress(f"{spec}: {target}")
                outcomes.append(_outcome(own, states, target, job, workers))
            yield RecipeVerification(os.path.normpath(spec), own, tuple(outcomes))


def _submitted(
    spec: str | os.PathLike[str],
    own: Narrow,
    target: Target,
    folder: Path,
    workers: Workers,
    timeout: float,
) -> Job | None:
    """The job of a target, which runs as soon as there is room; none for inexact engines."""
    if not target.engine.exact:
        return None
    folder.mkdir(parents=True)
    backend = target.backend.name
    job = {"recipe": True, "spec": from_anywhere(os.path.normpath(spec)), "backend": backend}
    text = json.dumps({**job, "settings": own.settings})
    (folder / "job.json").write_text(text, encoding="utf-8")
    environment, runner = target.process()
    return workers.submit(Job(str(target), environment, folder, folder, timeout, runner))


def _outcome(
    own: Narrow,
    states: Sequence[Mapping[str, Mapping[str, Any]]],
    target: Target,
    job: Job | None,
    workers: Workers,
) -> RecipeOutcome:
    if job is None:
        return RecipeOutcome(str(target), "missing", INEXACT)
    ended = workers.result(job)
    if ended.found is None:
        return RecipeOutcome(str(target), ended.status, ended.reason, seconds=ended.seconds)
    worst = dict.fromkeys(KINDS, 0.0)
    reasons = []
    for kind, when, (error, where) in _errors(own, states, ended.found, job.folder):
        worst[kind] = max(worst[kind], error)
        if not error <= BOUND:
            place = f" of `{where}`" if where else ""
            what = f"{kind}{place} differ {when}: relative error {error:.2g}"
            reasons.append(f"{what}, allowed {BOUND:g}")
    status = "differs" if reasons else "agrees"
    return RecipeOutcome(str(target), status, next(iter(reasons), ""), worst, ended.seconds)


def _errors(
    own: Narrow,
    states: Sequence[Mapping[str, Mapping[str, Any]]],
    found: Mapping[str, Any],
    folder: Path,
) -> Iterator[tuple[str, str, tuple[float, str]]]:
    """The kind, when, and the largest error of all that is compared, in order."""
    total = training_of(own.typed).total
    if total != found["total"]:
        yield "rates", f"in a run of {found['total']} steps, not {total}", (math.inf, "")
        return
    steps = looked_at(found["total"])
    for step, rate, right in zip(steps, found["rates"], rates(own.typed, steps), strict=True):
        yield "rates", f"in step {step}", (abs(rate - right) / (abs(right) or 1.0), "")
    for step, state in zip(LOOKS, states, strict=True):
        for kind, arrays in state.items():
            held = Archive(folder, f"{kind}.{step}")
            yield kind, f"after {step} step{'s' * (step > 1)}", apart(held, arrays)


def table(found: RecipeVerification, style: Style = PLAIN) -> str:
    """A row for each framework with its largest errors, the bound, and the first difference."""
    rows = [["", *KINDS, ""]]
    for outcome in found.outcomes:
        cells = [f"{outcome.errors[k]:.1e}" if k in outcome.errors else "" for k in KINDS]
        rows.append([outcome.target, *cells, outcome.status])
    rows.append(["allowed", *[f"{BOUND:.1e}"] * len(KINDS), ""])
    columns, *lines = (f"  {line}" for line in aligned(rows, (0, len(rows[0]) - 1)))
    for outcome in found.outcomes:
        if not outcome.ok:
            reason = f"{outcome.target} {outcome.status}: {printable(outcome.reason)}"
            lines.append(f"  {reason}")
    return "\n".join([style.strong(heading(found)), style.frame(columns), *lines])


def heading(found: RecipeVerification) -> str:
    """The spec, and what is compared."""
    typed = found.narrow.typed
    optimizer = training_of(typed).optimizer
    assert optimizer is not None
    assert optimizer.form is not None
    form, width = FORMS[optimizer.form].title, found.narrow.settings.get("width", "")
    at = f" at {width} of its width" if width else ""
    text = f"{STEPS} steps of {TITLES[optimizer.name]} as {form} defines it"
    return f"{printable(found.spec)}: {typed.program.id}{at}, {text}, float64"


def to_dict(found: RecipeVerification) -> dict[str, Any]:
    """The data of ``inception-dsl verify --recipe --json``; infinite values are ``null``."""
    return {
        "spec": found.spec,
        "name": found.narrow.typed.program.id,
        "settings": found.narrow.settings,
        "steps": STEPS,
        "allowed": BOUND,
        "agrees": all(outcome.ok for outcome in found.outcomes),
        "outcomes": [
            {
                "target": outcome.target,
                "status": outcome.status,
                "reason": outcome.reason,
                "seconds": round(outcome.seconds, 3),
                "errors": {k: v if math.isfinite(v) else None for k, v in outcome.errors.items()},
            }
            for outcome in found.outcomes
        ],
    }
