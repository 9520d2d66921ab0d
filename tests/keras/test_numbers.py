"""Geometry that Keras has no word for, against the NumPy reference; on TensorFlow here, on PyTorch in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from inception_dsl_keras import emit
from keras_specs import EVERYTHING

from inception_dsl.backend import Report, TypedProgram
from inception_dsl.testing.bounds import FLOAT32, FLOAT64, distance
from inception_dsl.testing.reference import interpret
from inception_dsl.testing.weights import batch, seeded

AREAS = ["height: 9, width: 6", "height: 8, width: 11", "height: 12, width: 7"]
FLAT = [
    "{op: conv, filters: 3, kernel_size: 3, stride: 2, dilation: 2}",
    "{op: conv, filters: 3, kernel_size: [3, 2], stride: [1, 3], dilation: [2, 1], padding: [[1, 0], [2, 1]]}",
    "{op: conv_bn, filters: 4, kernel_size: 3, stride: 2, dilation: 2, groups: 2, activation: leaky_relu}",
    "{op: conv, filters: 4, kernel_size: 4, stride: 3, groups: 4}",
    "{op: depthwise_conv, kernel_size: 3, stride: [1, 2], depth_multiplier: 2, activation: relu}",
    "{op: depthwise_conv, kernel_size: [2, 3], stride: 2, dilation: 2}",
    "{op: separable_conv, filters: 5, kernel_size: 3, stride: [2, 1], depth_multiplier: 2}",
    "{op: separable_conv, filters: 5, kernel_size: 3, stride: 2, dilation: [1, 2], padding: [2, 0]}",
    "{op: max_pool, kernel_size: [3, 2], stride: [2, 3], padding: [1, 0], ceil_mode: true}",
    "{op: max_pool, kernel_size: 2, stride: 3, padding: 1, ceil_mode: true}",
    "{op: max_pool, kernel_size: 3, stride: 1, padding: [[1, 0], [0, 1]]}",
    "{op: avg_pool, kernel_size: 3, stride: 2, padding: [[1, 0], [0, 1]]}",
    "{op: max_pool, kernel_size: 1, stride: 2, padding: 0, ceil_mode: true}",
    "{op: avg_pool, kernel_size: [5, 2], stride: [2, 3], padding: [2, 1], ceil_mode: true}",
    "{op: avg_pool, kernel_size: 2, stride: 3, padding: 1, ceil_mode: true, count_include_pad: true}",
    "{op: avg_pool, kernel_size: 4, stride: 2}",
    "{op: avg_pool, kernel_size: 3, stride: 2, count_include_pad: true}",
    "{op: avg_pool, kernel_size: [2, 5], padding: [1, 2], count_include_pad: true}",
]
LINES = [
    "{op: conv, filters: 3, kernel_size: 4, stride: 2, dilation: 3, padding: [[4, 5]]}",
    "{op: depthwise_conv, kernel_size: 3, stride: 2, dilation: 2, depth_multiplier: 3}",
    "{op: separable_conv, filters: 5, kernel_size: 4, stride: 3, depth_multiplier: 2}",
    "{op: max_pool, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
    "{op: avg_pool, kernel_size: 4, stride: 3, padding: [[1, 2]]}",
    "{op: avg_pool, kernel_size: 3, stride: 2, count_include_pad: true}",
]
SOLIDS = [
    "{op: conv, filters: 4, kernel_size: [3, 1, 2], stride: [2, 1, 3], groups: 2}",
    "{op: conv, filters: 4, kernel_size: [1, 3, 3], stride: 3}",
    "{op: depthwise_conv, kernel_size: 2, stride: 2, depth_multiplier: 2}",
    "{op: separable_conv, filters: 3, kernel_size: 3, padding: [1, 0, 1], activation: relu}",
    "{op: zero_pad, padding: [[0, 1], [2, 0], [1, 1]]}",
    "{op: branches}",
]
POOLS = [
    "{op: conv, filters: 4, kernel_size: [3, 1, 2], stride: 2, dilation: [1, 2, 1], groups: 2}",
    "{op: max_pool, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
    "{op: avg_pool, kernel_size: [2, 3, 2], stride: 2}",
    "{op: avg_pool, kernel_size: 3, stride: 2, padding: 1, count_include_pad: true}",
]
EXCITE = "{branches: {x: [], gate: [{op: global_avg_pool}, {op: dense, units: 4}]}, merge: multiply}"
Make = Callable[[str], TypedProgram]


def farthest(typed: TypedProgram, dtype: str = "float64") -> float:
    """The largest distance of any output from the reference, in inference and in training."""
    from inception_dsl_keras.runner import create

    report = Report()
    source = emit(typed, report)
    assert source is not None, report.render()
    model, weights, x = create(typed, source, dtype), seeded(typed), batch(typed)
    model.load(weights)
    held = model.weights()
    assert held.keys() == weights.keys()
    found = []
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs
        outputs = model.forward(x, training=training)
        assert outputs.keys() == expected.keys()
        found += [distance(outputs[name], value) for name, value in expected.items()]
    return max(found)


def block(step: str, axes: str) -> str:
    step = EXCITE if step == "{op: branches}" else step
    return f"block: case\ninput: {{channels: 4, {axes}}}\nsteps: [{step}]\n"


@pytest.mark.parametrize("axes", AREAS)
@pytest.mark.parametrize("step", FLAT)
def test_maps(step: str, axes: str, typed_of: Make) -> None:
    bound = FLOAT32 if "leaky_relu" in step else FLOAT64  # TensorFlow holds the slope in float32
    assert farthest(typed_of(block(step, axes))) <= bound


@pytest.mark.parametrize("length", [9, 10, 12])
@pytest.mark.parametrize("step", LINES)
def test_lines(step: str, length: int, typed_of: Make) -> None:
    assert farthest(typed_of(block(step, f"length: {length}"))) <= FLOAT64


@pytest.mark.parametrize("step", SOLIDS)
def test_solids(step: str, typed_of: Make) -> None:
    assert farthest(typed_of(block(step, "depth: 5, height: 4, width: 7"))) <= FLOAT64


@pytest.mark.parametrize("step", POOLS)
def test_solid_pools_in_single_precision(step: str, typed_of: Make) -> None:
    """TensorFlow has no pools over three axes in float64."""
    assert farthest(typed_of(block(step, "depth: 5, height: 4, width: 7")), "float32") <= FLOAT32


def test_a_file_of_everything_equals_the_reference(typed_of: Make) -> None:
    exact = EVERYTHING.replace("function: gelu, approximate: true", "function: tanh")  # gelu's constants are float32
    assert farthest(typed_of(exact)) <= FLOAT64


def test_the_runner_says_which_weights_do_not_fit(typed_of: Make) -> None:
    from inception_dsl_keras.runner import create

    typed = typed_of(block("{op: conv, name: conv, filters: 2, kernel_size: 1}", "length: 5"))
    model, weights = create(typed, emit(typed, Report()) or "", "float32"), seeded(typed)
    with pytest.raises(KeyError, match="missing weights: conv/bias"):
        model.load({"conv/kernel": weights["conv/kernel"]})
    with pytest.raises(KeyError, match="unknown weights: more"):
        model.load({**weights, "more": np.zeros(1)})
    with pytest.raises(ValueError, match=r"conv/bias has \(3,\), expected \(2,\)"):
        model.load({**weights, "conv/bias": np.zeros(3)})


@pytest.mark.parametrize("framework", ["torch"])
def test_other_frameworks_under_keras(framework: str, typed_of: Make, tmp_path: Path) -> None:
    """Pools above all: Keras' own ``same`` average pool is wrong on PyTorch where padding is not symmetric."""
    pytest.importorskip(framework)
    texts = [block(step, AREAS[1]) for step in FLAT] + [block(step, "depth: 5, height: 4, width: 7") for step in POOLS]
    folder = Path(__file__).parent
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from test_numbers import farthest\n"
        "from inception_dsl.backend import Report\n"
        "from inception_dsl.compiler import compile_spec\n"
        "for path in sorted(Path(sys.argv[2]).glob('*.yaml')):\n"
        "    report = Report()\n"
        "    typed = compile_spec(path, {}, report)\n"
        "    assert typed is not None, report.render()\n"
        "    print(path.stem, farthest(typed))\n"
    )
    for index, text in enumerate(texts):
        (tmp_path / f"{index:02}.yaml").write_text(text)
    environment = {**os.environ, "KERAS_BACKEND": framework}
    call = [sys.executable, "-c", code, str(folder), str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}
    assert len(found) == len(texts)
    assert max(found.values()) <= FLOAT32
