"""Window geometry without a Keras option, against the NumPy reference in float64 on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from checks import farthest
from inception_dsl_keras import BACKEND
from keras_specs import AREAS, EVERYTHING, FLAT, LINES, POOLS, SOLIDS, block

from inception_dsl.backend import Report, Request, TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.verify.bounds import FLOAT32, FLOAT64

Make = Callable[[str], TypedProgram]


@pytest.mark.parametrize("axes", AREAS)
@pytest.mark.parametrize("step", FLAT)
def test_2d_steps_match_the_reference(step: str, axes: str, typed_of: Make) -> None:
    assert farthest(typed_of(block(step, axes))) <= FLOAT64


@pytest.mark.parametrize("length", [9, 10, 12])
@pytest.mark.parametrize("step", LINES)
def test_1d_steps_match_the_reference(step: str, length: int, typed_of: Make) -> None:
    assert farthest(typed_of(block(step, f"length: {length}"))) <= FLOAT64


@pytest.mark.parametrize("step", SOLIDS)
def test_3d_steps_match_the_reference(step: str, typed_of: Make) -> None:
    assert farthest(typed_of(block(step, "depth: 5, height: 4, width: 7"))) <= FLOAT64


@pytest.mark.parametrize("step", POOLS)
def test_3d_pools_match_the_reference(step: str, typed_of: Make) -> None:
    """TensorFlow's own have float32 only; the runner computes them in float64 too."""
    typed = typed_of(block(step, "depth: 5, height: 4, width: 7"))
    assert farthest(typed, "float32") <= FLOAT32
    assert farthest(typed) <= FLOAT64


def test_spec_with_every_feature_matches_the_reference(typed_of: Make) -> None:
    assert farthest(typed_of(EVERYTHING)) <= FLOAT64


def test_runner_names_the_weights_that_do_not_fit(typed_of: Make) -> None:
    from inception_dsl_keras.runner import create

    typed = typed_of(block("{op: conv, name: conv, filters: 2, kernel_size: 1}", "length: 5"))
    files = BACKEND.emit(typed, Request("test"), Report())
    assert files is not None
    model, weights = create(typed, files, "float32"), seeded(typed)
    with pytest.raises(KeyError, match="missing weights: conv/bias"):
        model.load({"conv/kernel": weights["conv/kernel"]})
    with pytest.raises(KeyError, match="unknown weights: more"):
        model.load({**weights, "more": np.zeros(1)})
    with pytest.raises(ValueError, match=r"conv/bias has shape \(3,\), expected \(2,\)"):
        model.load({**weights, "conv/bias": np.zeros(3)})
