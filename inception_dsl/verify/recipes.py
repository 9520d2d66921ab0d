"""Runs training scripts in several frameworks: their optimisers, then whole steps."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from ..backend.protocol import Trained
from ..backend.trainable import trainable
from ..diagnostics.report import Report
from ..diagnostics.signals import stopped_by_signals
from ..language.shipped import from_anywhere
from . import whole_steps
from .observe import Archive
from .recipe import (
    BOUND,
    LOOKS,
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
from .workers import AT_ONCE, Job, Workers

KINDS: Final = ("rates", "weights", "slots", "average")
PLURALS: Final = ("rates", "weights", "slots", "statistics")
INEXACT: Final = "this engine does not compute in float64 throughout"


class RecipeOutcome(NamedTuple):
    """The result for one framework: the largest relative error of each kind, and what is wrong.

    ``status`` is agrees, differs, failed, missing or hung. ``errors`` are those of the optimiser,
    ``whole`` those of whole steps.
    """

    target: str
    status: str
    reason: str = ""
    errors: Mapping[str, float] = {}
    whole: Mapping[str, float] = {}
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
            for target in targets[:AT_ONCE]:
                if target.engine.exact:
                    workers.ready(str(target), *target.process())
            folders = [Path(name, str(number), str(i)) for i, _ in enumerate(targets)]
            runs = [
                _submitted(spec, own, target, folder, workers, timeout)
                for target, folder in zip(targets, folders, strict=True)
            ]
            states = [kinds(state) for state in expected(own.typed)]
            outcomes = []
            for target, run in zip(targets, runs, strict=True):
                progress(f"{spec}: {target}")
                outcomes.append(_outcome(own, states, target, run, workers))
            yield RecipeVerification(os.path.normpath(spec), own, tuple(outcomes))


class _Run(NamedTuple):
    """The job of a target, and the whole steps that it is compared with."""

    job: Job
    reference: whole_steps.Reference
    steps: Sequence[whole_steps.WholeStep]


def _submitted(
    spec: str | os.PathLike[str],
    own: Narrow,
    target: Target,
    folder: Path,
    workers: Workers,
    timeout: float,
) -> _Run | None:
    """The run of a target, which begins as soon as there is room; none for inexact engines."""
    if not target.engine.exact:
        return None
    given = folder / "given"
    given.mkdir(parents=True)
    reference = whole_steps.Reference(own.typed, target.backend)
    steps = list(reference.steps())
    for number, step in enumerate(steps):
        whole_steps.save(given, number, reference.before(step), step.batch)
    backend = target.backend.name
    wanted = {"recipe": True, "spec": from_anywhere(os.path.normpath(spec)), "backend": backend}
    text = json.dumps({**wanted, "settings": own.settings, "whole_steps": len(steps)})
    (folder / "job.json").write_text(text, encoding="utf-8")
    environment, runner = target.process()
    job = workers.submit(Job(str(target), environment, given, folder, timeout, runner))
    return _Run(job, reference, steps)


def _outcome(
    own: Narrow,
    states: Sequence[Mapping[str, Mapping[str, Any]]],
    target: Target,
    run: _Run | None,
    workers: Workers,
) -> RecipeOutcome:
    if run is None:
        return RecipeOutcome(str(target), "missing", INEXACT)
    ended = workers.result(run.job)
    if ended.found is None:
        return RecipeOutcome(str(target), ended.status, ended.reason, seconds=ended.seconds)
    errors, reason = _judged(_errors(own, states, ended.found, run.job.folder), BOUND)
    whole, other = _judged(_errors_of_steps(run, ended.found), whole_steps.BOUND)
    first = reason or other
    status = "differs" if first else "agrees"
    return RecipeOutcome(str(target), status, first, errors, whole, ended.seconds)


_Difference: TypeAlias = tuple[str, str, tuple[float, str]]
"""The kind, when, and the largest error with the name of its array."""


def _judged(found: Iterable[_Difference], bound: float) -> tuple[dict[str, float], str]:
    """The largest error of each kind, and the first that is not allowed."""
    worst, reason = dict[str, float](), ""
    for kind, when, (error, where) in found:
        worst[kind] = max(worst.get(kind, 0.0), error)
        if not error <= bound and not reason:
            place = f" of `{where}`" if where else ""
            verb = "differ" if kind in PLURALS else "differs"
            reason = f"{kind}{place} {verb} {when}: relative error {error:.2g}, allowed {bound:g}"
    return worst, reason


def _errors(
    own: Narrow,
    states: Sequence[Mapping[str, Mapping[str, Any]]],
    found: Mapping[str, Any],
    folder: Path,
) -> Iterator[_Difference]:
    """The errors of rates and states, in order."""
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
            if arrays or held:  # not every recipe has slots and an average
                yield kind, f"after {step} step{'s' * (step > 1)}", apart(held, arrays)


def _errors_of_steps(run: _Run, found: Mapping[str, Any]) -> Iterator[_Difference]:
    """The same of whole steps."""
    for number, (step, loss) in enumerate(zip(run.steps, found["losses"], strict=True)):
        state = whole_steps.saved_state(run.job.folder, f"after.{number}", number + 1)
        for (kind, where), error in run.reference.errors(step, Trained(loss, state)).items():
            yield kind, f"after whole step {number + 1}", (error, where)
