"""A small network that offers everything, and its models in this process."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from frameworks import typed_program

from inception_dsl.backend import Report, Request
from inception_dsl.backend.arguments import decided
from inception_dsl.testing.trial import loaded
from inception_dsl.verify.case import RATE, Case, expect, prepare
from inception_dsl.verify.compare import BOUNDS, compare
from inception_dsl.verify.errors import errors
from inception_dsl.verify.finding import Job
from inception_dsl.verify.observe import observe
from inception_dsl.verify.offered import of_file, of_model

SPEC = """
network: offered
input: {channels: 3, height: 23, width: 23}
classes: 13
preprocessing: {channel_order: bgr, scale: 0.5, mean: [104, 117, 123], std: [57, 58, 59]}
stem: [{op: conv_bn, name: conv_1, filters: 24, kernel_size: [5, 3], stride: 2, padding: valid}]
body:
  - {op: conv, name: conv_2, filters: 32, kernel_size: 3, padding: valid, activation: relu}
  - {op: conv_bn, name: conv_3, filters: 40, kernel_size: 3}
aux_heads:
  aux:
    after: conv_2
    loss_weight: 0.3
    steps:
      - {op: avg_pool, kernel_size: 5, stride: 3, padding: valid}
      - {op: flatten}
      - {op: dropout, rate: 0.7}
      - {op: dense, name: classifier, units: $classes}
head:
  - {op: global_avg_pool}
  - {op: dropout, rate: 0.4}
  - {op: dense, name: classifier, units: $classes}
training: {label_smoothing: 0.1, initializer: INITIALIZER}
"""
INITIALIZERS = {
    "truncated_normal": "{name: truncated_normal, stddev: 0.1}",
    "glorot_uniform": "{name: glorot_uniform, bias: 0.2}",
    "he_normal": "{name: he_normal}",
}


def written(folder: Path, initializer: str = "truncated_normal") -> Path:
    """The spec as a file."""
    path = folder / f"{initializer}.yaml"
    path.write_text(SPEC.replace("INITIALIZER", INITIALIZERS[initializer]), encoding="utf-8")
    return path


def case_of(spec: Path) -> Case:
    """The case of a spec without errors."""
    report = Report()
    case = prepare(spec, {}, report)
    assert case is not None, report.render()
    return case


def source(spec: Path, backend: str, **settings: str) -> str:
    """What a backend emits."""
    (found,) = loaded([backend])
    typed = typed_program(spec, **settings)
    typed = decided(typed, found, typed.program.id)
    files = found.emit(typed, Request(typed.program.id), Report())
    assert files is not None
    return str(next(iter(files.values())))


def problem(spec: Path, backend: str, text: str, case: Case, expected: Any = None) -> str:
    """What `verify --train` finds in a file of this text, or an empty text."""
    (chosen,) = loaded([backend])
    typed = decided(typed_program(spec, **case.source_settings), chosen, "")
    runner, files = importlib.import_module(chosen.runner), {f"{typed.program.id}.py": text}
    try:
        model = runner.create(case.typed, files, "float64")
        found = observe(model, case.weights, case.x, "float64", case.targets, RATE)
        model.load(case.weights)
        loss, trained = found.loss or 0.0, found.trained
        judged = of_model(model, case.typed, case.x, case.targets, loss, trained)
        judged += of_file(Job(runner, typed, files))
    except Exception as error:  # a worker reports it as a failure
        return f"{type(error).__name__}: {error}"
    found = found._replace(offered=judged)
    wanted = expected or expect(case, train=True)
    deviations = errors(case, wanted, found, unbiased_variance=chosen.unbiased_variance)
    return next((c.problem for c in compare(case, found, deviations, BOUNDS) if c.problem), "")
