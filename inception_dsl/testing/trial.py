"""Tests one random network: shape inference, the NumPy reference and all frameworks must agree.

The policy of the network sets the dtype of the comparison. In float64 every framework must be
within the bounds of float64. Networks with an op that a framework does not have in float64 (pools
of three axes) are compared in float32. The bound is then that of float32, or the rounding error of
the first framework that can also run the network in float64, where it must be within the bounds of
float64.
"""

from __future__ import annotations

import importlib
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from .. import plugins
from ..backend.protocol import Backend, Request
from ..compiler import compile_spec
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram, TypedUse
from ..ir.walk import walk_program
from ..reference.arrays import each
from ..reference.seeds import batch, calibrated, seeded
from ..reference.training import Step
from ..reference.training import step as train
from ..verify.bounds import allowed, gradient_errors
from ..verify.case import RATE, Case, Expected, expect, targets
from ..verify.compare import BOUNDS, compare
from ..verify.errors import errors, rounding
from ..verify.observe import Observed, observe
from .random_specs import RandomSpec, random_spec

SAMPLES: Final = 2
ROUNDINGS: Final = 3
ULP: Final = 2.0**-23  # of float32
MAX_ROUNDING: Final = 1e-5  # a larger effect of rounding is a network that tests nothing
MAX_SINGLE: Final = 1e-2  # the same, in float32
SAMPLES_IN_TRAINING: Final = 5  # batch norm of a batch of two values always gives -1 and 1


class Trial(NamedTuple):
    """The result for one network.

    ``problem`` is the first difference, empty if all agree. ``worst`` is the largest error relative
    to the reference's largest value, in ``dtype``; NaN if rounding changes the outputs of the
    network so much that they say nothing. ``trained`` says whether a training step was compared.
    """

    seed: int
    policy: str
    dtype: str
    worst: float = 0.0
    trained: bool = False
    problem: str = ""


def attempt(seed: int, backends: Sequence[Backend], *, training: bool = False) -> Trial:
    """Test a seed; any exception counts as a disagreement.

    Training is compared in float64 only.
    """
    try:
        spec = random_spec(seed)
    except Exception as error:
        return Trial(seed, "", "", problem=f"the generator raises {_named(error)}")
    trial = Trial(seed, spec.policy, spec.dtype, trained=training and spec.dtype == "float64")
    try:
        worst, problem = compare_backends(spec, backends, training=trial.trained)
    except Exception as error:
        return trial._replace(problem=_named(error))
    return trial._replace(worst=worst, problem=problem)


def prepared(spec: RandomSpec, folder: Path, *, training: bool = False) -> Case:
    """The test case of a random spec.

    Moving statistics are the mean of random ones and those of the batch. So they differ from the
    batch, but activations do not grow from layer to layer.
    """
    file = spec.write(folder)
    report = Report()
    typed = compile_spec(file, {}, report)
    if typed is None:
        raise ValueError(f"the compiler rejects the spec: {report.render().splitlines()[0]}")
    size = SAMPLES_IN_TRAINING if training else SAMPLES
    x = batch(typed, spec.seed, size)
    given = seeded(typed, spec.seed)
    fitted = calibrated(typed, given, x)
    weights = {path: (value + fitted[path]) / 2 for path, value in given.items()}
    if spec.dtype == "float32":  # float32 and float64 start from the same values
        x, weights = each(_rounded, x), {path: _rounded(value) for path, value in weights.items()}
    return Case(str(file), typed, {}, {}, weights, x, targets(typed, size, spec.seed))


def compare_backends(
    spec: RandomSpec, backends: Sequence[Backend], *, training: bool = False
) -> tuple[float, str]:
    """The largest error, and the first difference (empty if all agree)."""
    with tempfile.TemporaryDirectory(prefix="inception-dsl-") as name:
        case = prepared(spec, Path(name), training=training)
        expected = expect(case, train=training)
        problem = reference_problem(case.typed, expected)
        if problem:
            return 0.0, f"the NumPy reference: {problem}"
        if spec.dtype == "float64":
            return _exact(case, expected, backends)
        return _single(case, expected, backends)


def _exact(case: Case, expected: Expected, backends: Sequence[Backend]) -> tuple[float, str]:
    worst = 0.0
    for backend in backends:
        found = run(case, backend, "float64", training=expected.trained is not None)
        error, problem = _difference(case, expected, found, backend, "float64", BOUNDS)
        worst = max(worst, error)
        if problem and expected.trained is not None:
            bounds = {**BOUNDS, "gradients": _gradient_bound(case, expected.trained)}
            _, problem = _difference(case, expected, found, backend, "float64", bounds)
        if problem:
            return worst, problem
    return worst, ""


def _gradient_bound(case: Case, step: Step) -> float:
    """The bound for gradients in float64: 4 times the effect of rounding on the reference itself.

    Gradients through several batch norms in a row cancel, and then no order of computation is
    within the usual bound. The effect is that of changing every weight by one ulp, or of computing
    in a wider type, where NumPy has one. Where it is larger than ``MAX_ROUNDING``, the usual bound
    stays.
    """
    rng = np.random.default_rng(0)
    exact = {path: np.asarray(value, np.longdouble) for path, value in case.weights.items()}
    x = each(lambda x: np.asarray(x, np.longdouble), case.x)
    other = train(case.typed, exact, x, case.targets, RATE)
    worst = max(gradient_errors(other.gradients, step.gradients).values(), default=0.0)
    for _ in range(ROUNDINGS):
        moved = {
            path: value * (1 + np.finfo(np.float64).eps * rng.choice([-1, 0, 1], value.shape))
            for path, value in case.weights.items()
        }
        other = train(case.typed, moved, case.x, case.targets, RATE)
        found = gradient_errors(other.gradients, step.gradients)
        worst = max(worst, *found.values())
    usual = BOUNDS["gradients"]
    return max(usual, 4 * worst) if worst < MAX_ROUNDING else usual


def _single(case: Case, expected: Expected, backends: Sequence[Backend]) -> tuple[float, str]:
    exact_backend, exact, problem = _in_float64(case, expected, backends)
    if exact_backend is None or exact is None:
        return 0.0, problem
    found = {backend.name: run(case, backend, "float32") for backend in backends}
    effect = _rounding(case, expected, exact_backend, found[exact_backend.name], exact)
    if not effect <= MAX_SINGLE:
        return math.nan, ""
    bounds = dict.fromkeys(BOUNDS, allowed(effect))
    worst = 0.0
    for backend in backends:
        error, problem = _difference(
            case, expected, found[backend.name], backend, "float32", bounds
        )
        worst = max(worst, error)
        if problem:
            return worst, problem
    return worst, ""


def _rounding(
    case: Case, expected: Expected, exact_backend: Backend, single: Observed, exact: Observed
) -> float:
    """The largest rounding error of one framework in float32.

    Measured on the weights and on weights changed by one ulp: a small network has few outputs, and
    sometimes all of them are exact by chance.
    """
    found = [rounding(case, expected, single, exact)["outputs"]]
    rng = np.random.default_rng(0)
    for _ in range(ROUNDINGS):
        moved = {
            p: _rounded(w * (1 + ULP * rng.choice([-1, 1], w.shape)))
            for p, w in case.weights.items()
        }
        other = case._replace(weights=moved)
        found.append(
            rounding(
                other,
                expected,
                *(run(other, exact_backend, dtype) for dtype in ("float32", "float64")),
            )["outputs"]
        )
    return max(found)


def _in_float64(
    case: Case, expected: Expected, backends: Sequence[Backend]
) -> tuple[Backend | None, Observed | None, str]:
    """The first backend that is within the bounds in float64, and its results.

    If there is none, the problem of each.
    """
    problems = []
    for backend in backends:
        try:
            found = run(case, backend, "float64")
        except Exception as error:
            problems.append(f"{backend.name}: {_named(error)}")
            continue
        _, problem = _difference(case, expected, found, backend, "float64", BOUNDS)
        if not problem:
            return backend, found, ""
        problems.append(problem)
    return None, None, "; ".join(problems)


def _difference(
    case: Case, expected: Expected, found: Observed, backend: Backend, dtype: str, bounds: Any
) -> tuple[float, str]:
    unbiased = backend.unbiased_variance
    deviations = errors(case, expected, found, dtype, unbiased_variance=unbiased)
    checks = compare(case, found, deviations, bounds)
    worst = max((check.error for check in checks), default=0.0)
    first = next((check for check in checks if check.problem), None)
    if first is None:
        return worst, ""
    where = (
        f" ({first.place.what}, {os.path.basename(str(first.place.span))})" if first.place else ""
    )
    return worst, f"{backend.name} in {dtype}: {first.problem}{where}"


def run(case: Case, backend: Backend, dtype: str, *, training: bool = False) -> Observed:
    """Run a case in a framework, in this process."""
    report = Report()
    files = backend.emit(case.typed, Request(case.typed.program.id), report)
    if files is None:
        raise ValueError(f"{backend.name} rejects the spec: {report.render().splitlines()[0]}")
    model = importlib.import_module(backend.runner).create(case.typed, files, dtype)
    return observe(model, case.weights, case.x, dtype, case.targets if training else None, RATE)


def reference_problem(typed: TypedProgram, expected: Expected) -> str:
    """How the reference's shapes differ from shape inference, or an empty text."""
    wanted = {
        "/".join(p): n.y.shape
        for p, n in walk_program(typed, heads=False)
        if isinstance(n, TypedUse)
    }
    wanted |= {name: y.shape for name, y in typed.outputs.items() if name not in typed.auxiliary}
    found = {**expected.boundaries, **expected.outputs}
    for name, shape in wanted.items():
        if name not in found or found[name].shape[1:] != tuple(shape):
            return (
                f"{name} has the shape {found[name].shape[1:] if name in found else None}, "
                f"expected {shape}"
            )
    return ""


def loaded(names: Sequence[str]) -> list[Backend]:
    """The backends with these names; sets the environment variables of their engines.

    Raises ``ValueError`` if a backend is missing or has no runner.
    """
    report = Report()
    found = [backend for _, backend in plugins.chosen(names, report)]
    if len(found) < len(set(names)):
        raise ValueError(report.render())
    for backend in found:
        if not backend.runner:
            raise ValueError(f"the backend `{backend.name}` has no runner")
        for key, value in dict(backend.engines[0].environment if backend.engines else ()).items():
            os.environ[key] = value
    return found


def _named(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"


def _rounded(value: Any) -> Any:
    return value.astype("float32").astype("float64")
