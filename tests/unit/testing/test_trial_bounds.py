"""The bound for gradients of random networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inception_dsl.reference.training import Step, step
from inception_dsl.testing import trial
from inception_dsl.testing.random_specs import MAIN, RandomSpec
from inception_dsl.verify.bounds import gradient_errors
from inception_dsl.verify.case import RATE, Case
from inception_dsl.verify.compare import BOUNDS

PLAIN = """\
network: plain
input: {channels: 2, height: 4, width: 4}
classes: 3
body: [{op: conv, filters: 3, kernel_size: 3}]
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
# each batch norm makes the mean 0 and the variance 1, so the gradient of the one before cancels
NORMS = PLAIN.replace("body: [", "body: [{op: batch_norm, epsilon: 1.0e-5, repeat: 3}, ")


def trained(text: str, folder: Path) -> tuple[Case, Step]:
    """A case for the text of a spec, and its step."""
    spec = RandomSpec(0, "plain", "float64", {MAIN: text})
    case = trial.prepared(spec, folder, training=True)
    return case, step(case.typed, case.weights, case.x, case.targets, RATE)


def test_the_usual_bound_for_most_networks(tmp_path: Path) -> None:
    assert trial._gradient_bound(*trained(PLAIN, tmp_path)) == BOUNDS["gradients"]


def test_networks_that_multiply_rounding_errors_have_a_larger_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also no larger one than the largest effect that is accepted."""
    case, found = trained(NORMS, tmp_path)
    rough = found.gradients | {p: g * (1 + 1e-7) for p, g in found.gradients.items()}
    real = trial.train

    def noisy(*given: object) -> Step:
        made: Step = real(*given)  # type: ignore[arg-type]
        return Step(**{**{k: getattr(made, k) for k in Step.__slots__}, "gradients": rough})

    monkeypatch.setattr(trial, "train", noisy)
    assert trial._gradient_bound(case, found) == pytest.approx(4e-7, rel=0.2)
    rough |= {p: g + np.abs(g).max() for p, g in found.gradients.items()}
    assert trial._gradient_bound(case, found) == BOUNDS["gradients"]


@pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps,
    reason="NumPy has no wider type here",
)
def test_the_reference_computes_in_a_wider_type_of_its_inputs(tmp_path: Path) -> None:
    """So the effect of rounding on it is known, which it has even if no weight changes."""
    case, found = trained(NORMS, tmp_path)
    exact = {path: np.asarray(value, np.longdouble) for path, value in case.weights.items()}
    other = step(case.typed, exact, np.asarray(case.x, np.longdouble), case.targets, RATE)
    errors = gradient_errors(other.gradients, found.gradients)
    assert other.gradients["body/1/kernel"].dtype == np.longdouble
    assert max(errors.values()) > 0
    assert trial._gradient_bound(case, found) >= 4 * max(errors.values())
