"""Runs one framework on cases, in its own process.

:func:`serve` reads jobs from standard input, one line of JSON each: a folder with the arrays of the
case, and one with ``job.json``, which receives the arrays of the results and, at last,
``result.json``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import plugins
from ..backend.arguments import decided
from ..compiler import compile_spec
from ..diagnostics.project import install
from ..diagnostics.report import Report
from ..ir.program import INPUT
from . import recipe, whole_steps
from .finding import Job
from .observe import Archive, observe, save, write
from .offered import of_file, of_model


def main(given: Path, folder: Path) -> None:
    """Run the job in ``folder``; an exception of the framework is a result, too."""
    try:
        found = run(given, folder, json.loads((folder / "job.json").read_text(encoding="utf-8")))
    except Exception as error:
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        kind = "missing" if isinstance(error, ModuleNotFoundError) else "failed"
        found = {"status": kind, "reason": f"{type(error).__name__}: {lines[0]}"}
    written = folder / "result.tmp"
    written.write_text(json.dumps(found), encoding="utf-8")
    written.replace(folder / "result.json")  # it is complete when it is there


def run(given: Path, folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the model of the backend; returns the results that are plain data."""
    if "recipe" in job:
        return run_recipe(given, folder, job)
    report = Report()
    typed = compile_spec(job["spec"], job["settings"], report)
    emitted = compile_spec(job["spec"], job["source_settings"], report)
    chosen = plugins.chosen([job["backend"]], report)
    if typed is None or emitted is None or not chosen:
        return {"status": "failed", "reason": _first(report)}
    ((plugin, backend),) = chosen
    if not backend.runner:
        return {
            "status": "failed",
            "reason": f"{plugin.distribution} cannot run models",
        }
    emitted = decided(emitted, backend, emitted.program.id)
    files = plugins.emit(plugin, backend, emitted, report)
    if files is None:
        return {"status": "failed", "reason": _first(report)}
    try:
        runner = importlib.import_module(backend.runner)
    except ModuleNotFoundError as error:
        help = install(plugin.distribution, plugin.name, backend.title)
        if error.name in [engine.name for engine in backend.engines[1:]]:
            help = f"pip install {error.name}"  # the extra has the default engine only
        return {"status": "missing", "reason": f"ModuleNotFoundError: {error}; {help}"}
    model = runner.create(typed, files, job["dtype"])
    targets = None
    if job["train"]:
        targets = dict(Archive(given, "targets"))
    x = dict(Archive(given, "batch"))
    x = x if typed.program.several else x[INPUT]
    weights = Archive(given, "weights")
    found = observe(model, weights, x, job["dtype"], targets, job["rate"], nudges=job["nudges"])
    if targets is not None and job["dtype"] == "float64" and hasattr(runner, "rejected"):
        model.load(weights)
        emission = Job(runner, emitted, files)
        judged = of_model(model, typed, x, targets, found.loss or 0.0, found.trained)
        found = found._replace(offered=[*judged, *of_file(emission)])
    return {"status": "ok", **save(found, folder)}


def run_recipe(given: Path, folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the optimiser of the training script, then whole steps from the states in ``given``;
    writes the states after them to ``folder``.
    """
    report = Report()
    typed = compile_spec(job["spec"], job["settings"], report)
    chosen = plugins.chosen([job["backend"]], report)
    if typed is None or not chosen:
        return {"status": "failed", "reason": _first(report)}
    ((plugin, backend),) = chosen
    files = plugins.emit(plugin, backend, typed, report, train=True)
    if files is None:
        return {"status": "failed", "reason": _first(report)}
    model = importlib.import_module(backend.runner).create(typed, files, "float64")
    model.load(recipe.start(typed))
    samples = recipe.samples_of(recipe.training_of(typed))
    total, _ = model.rates(files, samples, [])
    _, rates = model.rates(files, samples, recipe.looked_at(total))
    feed = recipe.Feed(recipe.training_of(typed))
    for state in model.updates(files, feed, samples, recipe.LOOKS):
        for kind, arrays in recipe.kinds(state).items():
            write(folder, f"{kind}.{state.step}", arrays)
    steps = [whole_steps.saved(given, number) for number in range(job["whole_steps"])]
    losses = []
    for number, (loss, state) in enumerate(model.train_steps(files, samples, steps)):
        whole_steps.save_state(folder, f"after.{number}", state)
        losses.append(loss)
    return {"status": "ok", "total": total, "rates": rates, "losses": losses}


def _first(report: Report) -> str:
    """The first error in one line: its location and help too, as `build` prints them."""
    error = next(iter(report))
    text = f"error[{error.code}]: {error.message} ({error.span})"
    return f"{text}; {error.help}" if error.help else text


def serve(runner: str) -> None:
    """Import the module ``runner``, then run all jobs."""
    with contextlib.suppress(Exception):  # the first job fails with it, and says so
        importlib.import_module(runner)
    for line in sys.stdin:
        main(*map(Path, json.loads(line)))
        gc.collect()  # a model holds itself
