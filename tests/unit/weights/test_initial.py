"""Initial values of dropped layers: the distributions of the spec, for every kind of kernel."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.weights.initial import initial

SPEC = """\
network: small
input: {channels: 24, height: 9, width: 9}
classes: 40
body:
  - {op: conv_bn, name: grouped, filters: 48, kernel_size: [3, 5], groups: 2}
  - {op: depthwise_conv, name: depthwise, kernel_size: 7, depth_multiplier: 4}
  - {op: separable_conv, name: separable, filters: 30, kernel_size: 5, initializer: {bias: 2}}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
"""
FANS = {  # inputs of one output; filters times the window
    "grouped/conv/kernel": (12 * 15, 48 * 15),
    "depthwise/kernel": (49, 48 * 4 * 49),
    "separable/depthwise/kernel": (25, 192 * 25),
    "separable/pointwise/kernel": (192, 30),
    "classifier/kernel": (30, 40),
}
REST = 0.8796256610342398


def compiled(folder: Path, training: str) -> TypedProgram:
    (folder / "small.yaml").write_text(SPEC + training)
    report = Report()
    typed = compile_spec(folder / "small.yaml", {}, report)
    assert typed is not None, report.render()
    return typed


@pytest.mark.parametrize(
    "name", ["", "glorot_uniform", "lecun_uniform", "he_normal", "truncated_normal"]
)
def test_kernels(tmp_path: Path, name: str) -> None:
    stddev = ", stddev: 0.2" if name == "truncated_normal" else ""
    training = f"training: {{initializer: {{name: {name}{stddev}}}}}\n" if name else ""
    typed = compiled(tmp_path, training)
    found = initial(typed, weight_shapes(typed), 0)
    for path, (fan_in, fan_out) in FANS.items():
        uniform = {"lecun_uniform": 3 / fan_in}.get(name, 6 / (fan_in + fan_out))
        bound, deviation = math.sqrt(uniform), math.sqrt(uniform / 3)
        if name in ("he_normal", "truncated_normal"):
            deviation = math.sqrt(2 / fan_in) if name == "he_normal" else 0.2 * REST
            bound = 2 * deviation / REST
        values = found[path]
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.9 * bound
        assert abs(values.std() / deviation - 1) < 0.06, path
        assert abs(values.mean()) < 6 * deviation / math.sqrt(values.size)


def test_other_weights(tmp_path: Path) -> None:
    typed = compiled(tmp_path, "training: {initializer: {name: he_normal, bias: 0.5}}\n")
    found = initial(typed, weight_shapes(typed), 0)
    assert list(found) == list(weight_shapes(typed))
    values = {path: set(found[path].flat) for path in found if not path.endswith("kernel")}
    assert values == {
        "grouped/bn/gamma": {1.0},
        "grouped/bn/beta": {0.0},
        "grouped/bn/moving_mean": {0.0},
        "grouped/bn/moving_variance": {1.0},
        "depthwise/bias": {0.5},
        "separable/pointwise/bias": {2.0},
        "classifier/bias": {0.5},
    }


def test_seeds_and_paths(tmp_path: Path) -> None:
    typed = compiled(tmp_path, "")
    one, same, other = (initial(typed, ["classifier/kernel"], seed) for seed in (1, 1, 2))
    assert list(one) == ["classifier/kernel"]
    assert one["classifier/kernel"].tobytes() == same["classifier/kernel"].tobytes()
    assert one["classifier/kernel"].tobytes() != other["classifier/kernel"].tobytes()
