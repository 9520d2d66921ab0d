"""Every op in every framework against the NumPy reference, in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inception_dsl.testing.cases import Case, all_cases
from frameworks import BACKENDS, running, typed_program
from known import defect

from inception_dsl.ops import OPS
from inception_dsl.testing.bounds import FLOAT32, FLOAT64, distance
from inception_dsl.testing.reference import interpret
from inception_dsl.testing.weights import batch, seeded

CASES = all_cases()


def test_the_cases_exercise_every_op() -> None:
    text = " ".join(case.steps for case in CASES)
    assert not [op for op in OPS if f"op: {op}," not in text and f"op: {op}}}" not in text]


def both() -> list[Any]:
    """Every case with every backend; the frameworks' own defects are expected to fail, and to be mended one day."""
    found = []
    for case in CASES:
        for backend in BACKENDS:
            reason = defect(backend, case.name)
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            found.append(pytest.param(case, backend, marks=marks, id=f"{case.name}-{backend}"))
    return found


def compare(case: Case, backend: str, folder: Path, dtype: str, bound: float) -> None:
    spec = folder / "case.yaml"
    spec.write_text(f"block: case\ninput: {case.input}\nsteps: [{case.steps}]\n")
    typed = typed_program(spec)
    weights, x = seeded(typed, seed=1), 3.0 * batch(typed, seed=2)
    model = running(backend, typed, dtype)
    model.load(weights)
    held = model.weights()
    assert held.keys() == weights.keys()
    assert all(np.array_equal(held[path], value.astype(dtype)) for path, value in weights.items())
    assert model.parameters() == (
        sum(w.size for p, w in weights.items() if "moving_" not in p),
        sum(w.size for p, w in weights.items() if "moving_" in p),
    )
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs
        found = model.forward(x, training=training)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert distance(found[name], value) <= bound, name


@pytest.mark.parametrize(("case", "backend"), both())
def test_op_equals_the_reference(case: Case, backend: str, tmp_path: Path) -> None:
    compare(case, backend, tmp_path, "float64", FLOAT64)


@pytest.mark.parametrize(
    ("case", "backend"), [p.values for p in both() if p.marks], ids=[p.id for p in both() if p.marks]
)
def test_what_fails_in_float64_holds_in_float32(case: Case, backend: str, tmp_path: Path) -> None:
    compare(case, backend, tmp_path, "float32", FLOAT32)
