"""The relative errors of everything that has a bound, and what rounding in float32 adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from ..reference.arrays import Noise
from ..reference.training import Step, unbiased
from .bounds import distance, gradient_errors
from .case import Case, Expected, expect
from .observe import Observed
from .zeros import without_zeros

Errors: TypeAlias = dict[str, dict[str, float]]  # by kind, then by name


def errors(
    case: Case,
    expected: Expected,
    found: Observed,
    dtype: str = "float64",
    *,
    unbiased_variance: bool = False,
) -> Errors:
    """The relative errors of everything that has a bound.

    ``dtype`` is that of the framework. ``unbiased_variance``: it divides by n - 1 for the moving
    variance, so the expected values do too.
    """
    relative = _relative(case, expected, found, unbiased_variance=unbiased_variance)
    return _without_zeros(case, expected, relative, dtype)


def rounding(
    case: Case, expected: Expected, single: Observed, double: Observed
) -> dict[str, float]:
    """The rounding errors of float32 by kind: a framework in float32 against itself in float64."""
    step = None
    if expected.trained is not None and double.loss is not None:
        step = Step(double.loss, double.trained, double.gradients, double.updated, {}, {}, {})
    exact = Expected(double.boundaries, double.outputs, step)
    relative = _relative(case, exact, single, unit=expected)
    for kind, by_name in single.spread.items() if step else ():
        unit = _unit(case, expected.trained) if expected.trained and kind == "loss" else 1.0
        known = relative[kind]
        known |= {name: max(known.get(name, 0.0), e / unit) for name, e in by_name.items()}
    found = _without_zeros(case, expected, relative, "float32")
    return {kind: max(by_name.values(), default=0.0) for kind, by_name in found.items()}


def observed(expected: Expected) -> Observed:
    """The results of the reference as those of a framework."""
    found, step = Observed({}, (), (0, 0), expected.outputs, expected.boundaries), expected.trained
    if step is None:
        return found
    return found._replace(
        loss=step.loss, trained=step.outputs, gradients=step.gradients, updated=step.weights
    )


def _relative(
    case: Case,
    expected: Expected,
    found: Observed,
    *,
    unbiased_variance: bool = False,
    unit: Expected | None = None,
) -> Errors:
    """The relative errors, also of results that are zero except for rounding.

    Outputs, the loss and statistics are relative to those of ``unit``: what is exactly zero in the
    reference may be a rounding error in a framework.
    """
    unit = unit or expected
    blocks = _distances(found.boundaries, expected.boundaries, unit.boundaries)
    outputs = _distances(found.outputs, expected.outputs, unit.outputs)
    result = {"outputs": {**blocks, **outputs}}
    step, own = expected.trained, unit.trained
    if step is None or own is None or found.loss is None:
        return result
    trained = _distances(found.trained, step.outputs, own.outputs)
    result["outputs"] |= {f"{name} (training)": error for name, error in trained.items()}
    result["loss"] = {"loss": abs(found.loss - step.loss) / _unit(case, own)}
    result["gradients"] = gradient_errors(found.gradients, step.gradients)
    after = unbiased(step) if unbiased_variance else step.weights
    moved = {
        path: distance(found.updated.get(path), value, None if own is step else own.weights[path])
        for path, value in after.items()
    }
    result["weights after"] = {
        path: error for path, error in moved.items() if path in step.gradients
    }
    result["statistics"] = {
        path: error for path, error in moved.items() if path not in step.gradients
    }
    return result


def _without_zeros(case: Case, expected: Expected, found: Errors, dtype: str) -> Errors:
    """The errors, but 0 for outputs, losses and statistics that are zero except for rounding.

    The unit for gradients and weights takes account of those.
    """

    def flat(by_kind: Errors) -> dict[tuple[str, str], float]:
        kinds = by_kind.keys() & {"outputs", "loss", "statistics"}
        return {(kind, name): e for kind in kinds for name, e in by_kind[kind].items()}

    def draw(noise: Noise) -> dict[tuple[str, str], float]:
        other = expect(case, train=expected.trained is not None, noise=noise)
        return flat(_relative(case, expected, observed(other)))

    result = {kind: dict(by_name) for kind, by_name in found.items()}
    for (kind, name), error in without_zeros(flat(found), draw, dtype).items():
        result[kind][name] = error
    return result


def _unit(case: Case, step: Step) -> float:
    """The unit for errors of the loss.

    Its absolute value; or the sum of the absolute values of its terms, if the terms can cancel.
    """
    if case.typed.has_loss:
        return abs(step.loss) or 1.0
    return (
        float(sum(np.abs(step.outputs[name] * value).sum() for name, value in case.targets.items()))
        or 1.0
    )


def _distances(
    found: Mapping[str, Any], reference: Mapping[str, Any], unit: Mapping[str, Any]
) -> dict[str, float]:
    return {
        name: distance(value, reference[name], unit[name])
        for name, value in found.items()
        if name in reference and name in unit
    }
