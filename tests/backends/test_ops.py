"""Every op in every framework against the NumPy reference, in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import Case, all_cases
from frameworks import BACKENDS, running, typed_program

from inception_dsl.ops import OPS
from inception_dsl.testing.bounds import FLOAT64, distance
from inception_dsl.testing.reference import interpret
from inception_dsl.testing.weights import batch, seeded

CASES = all_cases()


def test_the_cases_exercise_every_op() -> None:
    text = " ".join(case.steps for case in CASES)
    assert not [op for op in OPS if f"op: {op}," not in text and f"op: {op}}}" not in text]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_op_equals_the_reference(case: Case, backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "case.yaml"
    spec.write_text(f"block: case\ninput: {case.input}\nsteps: [{case.steps}]\n")
    typed = typed_program(spec)
    weights, x = seeded(typed, seed=1), 3.0 * batch(typed, seed=2)
    model = running(backend, typed)
    model.load(weights)
    held = model.weights()
    assert held.keys() == weights.keys()
    assert all(np.array_equal(held[path], value) for path, value in weights.items())
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs
        found = model.forward(x, training=training)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert distance(found[name], value) <= FLOAT64, name
        assert model.parameters() == (
            sum(w.size for p, w in weights.items() if "moving_" not in p),
            sum(w.size for p, w in weights.items() if "moving_" in p),
        )
