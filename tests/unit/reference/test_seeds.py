"""Seeded weights reveal bugs in every shipped network, also with the statistics of a batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from frameworks import SPECS, shipped

from inception_dsl.reference.forward import Tape, interpret
from inception_dsl.reference.seeds import batch, calibrated, seeded


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_seeded_weights_reveal_bugs(spec: Path) -> None:
    typed = shipped(spec)
    x = batch(typed, seed=2)
    assert not np.allclose(x[0], x[1])
    weights = seeded(typed, seed=1)
    kernels = [
        value for path, value in weights.items() if path.endswith("kernel") and value.ndim > 2
    ]
    for kernel in kernels:
        for axis in range(kernel.ndim):
            assert kernel.shape[axis] == 1 or not np.allclose(kernel, np.flip(kernel, axis))
        assert (
            kernel.shape[0] != kernel.shape[1]
            or kernel.shape[0] == 1
            or not np.allclose(kernel, kernel.swapaxes(0, 1))
        )
    variances = [value for path, value in weights.items() if path.endswith("moving_variance")]
    means = [value for path, value in weights.items() if path.endswith("moving_mean")]
    factors = [value for path, value in weights.items() if path.endswith(("gamma", "beta"))]
    if variances:
        assert (
            np.concatenate(variances).min() > 0
            and np.abs(np.log(np.concatenate(variances))).mean() > 0.5
        )
        assert np.abs(np.concatenate(means)).mean() > 0.5
        assert all(value.std() > 0.1 for value in factors)
    trained = calibrated(typed, weights, x)
    assert trained.keys() == weights.keys()
    tape = Tape()
    interpret(typed, trained, x, tape=tape)
    ops = [applied for layer in tape.layers.values() for applied in layer]
    rectified = [
        a.y for a in ops if a.op.op == "activation" and getattr(a.op, "function", "") == "relu"
    ]
    assert rectified
    assert sum(float(y.max()) > 6 for y in rectified) > len(rectified) / 3, (
        "relu6 in place of relu must change the output"
    )
    assert all((y == 0).any() and (y > 0).any() for y in rectified)


def test_seeds_differ_and_repeat() -> None:
    typed = shipped(SPECS[2])
    one, again, other = seeded(typed, seed=1), seeded(typed, seed=1), seeded(typed, seed=2)
    assert all(np.array_equal(one[path], again[path]) for path in one)
    assert not any(np.array_equal(one[path], other[path]) for path in one)
