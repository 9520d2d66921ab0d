"""A network whose convolutions differ in every option: generated code has the most frequent values
as defaults.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from frameworks import BACKENDS, running, typed_program

from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import FLOAT64, distance

VARIED = """
network: varied
input: {channels: 4, height: 12, width: 10}
classes: 3
body:
  - {op: conv_bn, name: first, filters: 4, kernel_size: 3}
  - {op: conv_bn, name: second, filters: 4, kernel_size: 3, activation: elu}
  - {op: conv_bn, name: third, filters: 4, kernel_size: 3, stride: 2, activation: silu,
      batch_norm: {scale: false}}
  - {op: conv_bn, name: fourth, filters: 4, kernel_size: [1, 4], use_bias: true, activation: none,
     batch_norm: {epsilon: 0.1, decay: 0.5}}
  - {op: conv_bn, name: fifth, filters: 6, kernel_size: 3, groups: 2, dilation: 2,
      activation: softmax,
     batch_norm: {center: false}}
  - {op: conv_bn, name: sixth, filters: 6, kernel_size: 3, padding: [[0, 1], [1, 0]],
      activation: hard_swish,
     batch_norm: {scale: false, center: false}}
  - {op: conv_bn, name: seventh, filters: 6, kernel_size: 2, padding: valid, activation: tanh}
  - {op: conv, name: eighth, filters: 6, kernel_size: 3, stride: 2, activation: elu}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes, activation: elu}]
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_option_matches_the_reference(backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "varied.yaml"
    spec.write_text(VARIED)
    compare(spec, backend)


def test_leaky_relu_and_gelu_of_pytorch(tmp_path: Path) -> None:
    """PyTorch only, as TensorFlow computes these with float32 constants (see known.py)."""
    spec = tmp_path / "varied.yaml"
    spec.write_text(VARIED.replace("silu", "leaky_relu").replace("hard_swish", "gelu"))
    compare(spec, "torch")


def compare(spec: Path, backend: str) -> None:
    typed = typed_program(spec)
    weights, x = seeded(typed), 2.0 * batch(typed)
    model = running(backend, typed)
    model.load(weights)
    name = typed.output_name
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs[name]
        assert distance(model.forward(x, training=training)[name], expected) <= FLOAT64
