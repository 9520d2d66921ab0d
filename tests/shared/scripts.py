"""Small networks with recipes, the scripts that train them, and runs of these scripts."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from inception_dsl import plugins
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.verify.recipe import (
    LOOKS,
    Feed,
    apart,
    expected,
    kinds,
    looked_at,
    rates,
    samples_of,
    start,
    training_of,
)
from inception_dsl.verify.whole_steps import Reference

NETWORK = """
network: small
input: {channels: 3, height: 8, width: 8}
classes: 4
preprocessing: {scale: 0.0078125, mean: 1}
body:
  - {op: conv_bn, filters: 6, kernel_size: 3, batch_norm: {decay: 0.9, scale: true}}
  - branches:
      a: [{op: conv, filters: 4, kernel_size: 1}]
      b: [{op: conv_bn, filters: 4, kernel_size: 3, batch_norm: {decay: 0.9, scale: true}}]
    merge: concat
  - {op: layer_norm}
  - {op: dropout, rate: 0.25}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
BATCH, IMAGES, CLASSES = 8, 40, 4
ALONE = {"batch_size": BATCH, "epochs": 2}


def written(folder: Path, training: Mapping[str, Any], text: str = NETWORK) -> Path:
    """A spec with a recipe, in a file."""
    path = folder / "small.yaml"
    body = yaml.safe_dump({"training": {**ALONE, **training}}, sort_keys=False)
    path.write_text(text + body, encoding="utf-8")
    return path


def compiled(path: Path) -> TypedProgram:
    report = Report()
    typed = compile_spec(path, {}, report)
    assert typed is not None, report.render()
    return typed


def emitted(typed: TypedProgram, backend: str) -> dict[str, str]:
    """The model and its script, as users get them."""
    report = Report()
    ((plugin, found),) = plugins.chosen([backend], report)
    files = plugins.emit(plugin, found, typed, report, train=True)
    assert files is not None, report.render()
    return {name: text for name, text in files.items() if isinstance(text, str)}


def errors(typed: TypedProgram, files: Mapping[str, str], runner: Any) -> dict[str, float]:
    """The largest error of each kind of state, against the interpreter."""
    model, samples = runner.create(typed, files, "float64"), samples_of(training_of(typed))
    model.load(start(typed))
    total, _ = model.rates(files, samples, [])
    assert total == training_of(typed).total
    steps = looked_at(total)
    found = zip(model.rates(files, samples, steps)[1], rates(typed, steps), strict=True)
    worst = {"rates": max(abs(own - right) / (right or 1.0) for own, right in found)}
    states = model.updates(files, Feed(training_of(typed)), samples, LOOKS)
    for state, right in zip(states, expected(typed), strict=True):
        own = kinds(state)
        for kind, arrays in kinds(right).items():
            worst[kind] = max(worst.get(kind, 0.0), apart(own[kind], arrays)[0])
    return worst


def step_errors(typed: TypedProgram, files: Mapping[str, str], backend: str) -> dict[str, float]:
    """The largest error of each kind in whole steps, against the interpreter."""
    ((_, found),) = plugins.chosen([backend], Report())
    model = importlib.import_module(found.runner).create(typed, files, "float64")
    reference = Reference(typed, found)
    steps = list(reference.steps())
    given = [(reference.before(step), step.batch) for step in steps]
    done = list(model.train_steps(files, samples_of(training_of(typed)), given))
    worst: dict[str, float] = {}
    for step, own in zip(steps, done, strict=True):
        for (kind, _), error in reference.errors(step, own).items():
            worst[kind] = max(worst.get(kind, 0.0), error)
    return worst


def digits(path: Path) -> Path:
    """Random images whose mean brightness tells the class."""
    rng = np.random.default_rng(0)
    y = np.arange(IMAGES + 8) % CLASSES
    x = rng.integers(0, 64, (len(y), 8, 8, 3)) + 48 * y[:, None, None, None]
    arrays = {"x_train": x[:IMAGES], "x_test": x[IMAGES:]}
    arrays = {name: array.astype(np.uint8) for name, array in arrays.items()}
    np.savez(path, y_train=y[:IMAGES], y_test=y[IMAGES:], **arrays)
    return path


def command(script: Path, *arguments: str, processes: int = 1) -> list[str]:
    """The command that runs a script, by torchrun if there are several processes."""
    own = [str(script), *arguments]
    if processes == 1:
        return [sys.executable, *own]
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*run, f"--nproc-per-node={processes}", *own]


def run(call: Sequence[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a script with one thread, so that equal work gives equal bits."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **more.pop("env", {})}
    return subprocess.run(
        call, env=environment, capture_output=True, text=True, check=False, timeout=300, **more
    )
