"""Results that are zero except for rounding: right programs agree, and bugs in them are found."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import prepared_folder
from frameworks import BACKENDS
from offered_network import case_of, problem, source

from inception_dsl.testing.trial import loaded, run
from inception_dsl.verify.bounds import FLOAT32, FLOAT64, allowed
from inception_dsl.verify.case import Case, Expected, expect
from inception_dsl.verify.compare import BOUNDS
from inception_dsl.verify.errors import errors, observed, rounding
from inception_dsl.verify.zeros import apart

START = "network: zeros\ninput: {channels: 3, height: 9, width: 8}\n"
SPECS = {
    "a mean after layer norm": START
    + """
body:
  - {op: conv, filters: 7, kernel_size: 3, name: first}
  - {op: layer_norm, scale: false, center: false}
  - {op: global_avg_pool, over: channels, name: middle}
  - {op: conv, filters: 4, kernel_size: 3, use_bias: false, name: last}
outputs: {zero: middle, map: first}
""",
    "a mean that is exactly zero in the reference": """\
network: zeros
input: {channels: 2, height: 6, width: 6}
body: [{op: layer_norm, scale: false, center: false}, {op: global_avg_pool, over: channels}]
""",
    "a moving mean without decay": START
    + """
body:
  - {op: conv_bn, filters: 5, kernel_size: 3, activation: none, batch_norm: {center: false}}
  - {op: batch_norm, decay: 0.0, name: zero}
  - {op: conv, filters: 4, kernel_size: 3}
""",
    "a moving variance without decay": START
    + """
body:
  - {op: conv, filters: 5, kernel_size: 1}
  - {op: layer_norm, scale: false, center: false}
  - {op: global_avg_pool, over: channels}
  - {op: conv, filters: 5, kernel_size: 1}
  - {op: batch_norm, decay: 0.0, name: zero}
""",
}
ZERO = {
    "a mean after layer norm": ("outputs", "zero"),
    "a moving mean without decay": ("statistics", "zero/moving_mean"),
    "a moving variance without decay": ("statistics", "zero/moving_variance"),
}


@cache
def prepared(name: str) -> tuple[Path, Case, Expected]:
    """The network, its case, the results of the reference."""
    spec = prepared_folder() / "zeros.yaml"
    spec.write_text(SPECS[name], encoding="utf-8")
    case = case_of(spec)
    return spec, case, expect(case, train=True)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SPECS)
def test_frameworks_agree(name: str, backend: str) -> None:
    spec, case, expected = prepared(name)
    assert problem(spec, backend, source(spec, backend), case, expected) == ""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SPECS)
def test_float32_has_the_bounds_of_the_other_results(name: str, backend: str) -> None:
    """A zero does not count as rounding of float32: else a bound of 1e8 would allow everything."""
    _, case, expected = prepared(name)
    (chosen,) = loaded([backend])
    single, double = (run(case, chosen, d, training=True) for d in ("float32", "float64"))
    own = rounding(case, expected, single, double)
    unbiased = chosen.unbiased_variance
    found = errors(case, expected, single, "float32", unbiased_variance=unbiased)
    for kind in ("outputs", "loss", "statistics"):
        assert allowed(own[kind]) <= 10 * FLOAT32
        assert max(found[kind].values(), default=0.0) <= allowed(own[kind])


@pytest.mark.parametrize("name", ZERO)
def test_what_is_not_zero_keeps_its_error(name: str) -> None:
    """One part in 1e9 of a result is found, and so is what rounding cannot leave in a zero."""
    _, case, expected = prepared(name)
    exact, (kind, zero) = observed(expected), ZERO[name]
    field = {"outputs": "outputs", "statistics": "updated"}[kind]
    results = dict(getattr(exact, field))
    scale = float(np.abs(results[zero]).max())
    assert scale < 1e-14

    def error(path: str, value: Any) -> float:
        changed = exact._replace(**{field: {**results, path: value}})
        return errors(case, expected, changed)[kind][path]

    assert error(zero, -results[zero]) == 0
    assert error(zero, results[zero] + 1e-12) > BOUNDS[kind]
    others = [path for path in errors(case, expected, exact)[kind] if path in results]
    assert len(others) > 1
    for path in others:
        if path != zero and np.abs(results[path]).max() > 1e-14:
            assert error(path, results[path] * (1 + 1e-9)) > BOUNDS[kind]


def test_small_values_are_not_zeros() -> None:
    """Values are compared relative to themselves, however small, unless all their digits change."""

    def reference(noise: Any) -> dict[str, Any]:
        one, small = (noise or (lambda value: value))(np.array([1.0, 1e-20]))
        return {"small": np.array([small]), "difference": np.array([one - 1.0 + small])}

    small = {"small": np.array([1e-20 * (1 + 1e-9)]), "difference": np.array([1e-20])}
    assert apart(small, reference)["small"] > FLOAT64
    assert apart({**small, "difference": np.array([1e-16])}, reference)["difference"] == 0
    assert apart({**small, "difference": np.array([1e-13])}, reference)["difference"] > FLOAT64
