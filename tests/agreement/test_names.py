"""Names that also have a meaning in generated code, and parameters in any order."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameworks import BACKENDS, running, typed_program

from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import FLOAT64, distance

ODD = """
network: odd
input: {channels: 3, height: 16, width: 16}
classes: 4
blocks:
  conv_bn:
    params: {size: {type: int, default: 3}, x: int, layers: int, keras: {type: float, default: 0.5},
        ops: {type: int, default: 2}}
    steps:
      - branches:
          layers: [{op: conv_bn, filters: $x, kernel_size: 1}]
          ops: [{op: conv, filters: $layers, kernel_size: $size}]
          name: [{op: max_pool, kernel_size: 3}]
          inputs: [{op: scale, value: $keras}]
          torch: [{op: conv, filters: $ops, kernel_size: 1}]
          nn: [{op: conv, filters: 3, kernel_size: 1}]
        merge: concat
  odd:
    steps: [{op: conv, filters: 4, kernel_size: 3}, {op: activation, function: relu}]
stem: [{use: conv_bn, name: stem_block, x: 3, layers: 2},
    {use: conv_bn, name: self, x: 1, layers: 5, ops: 4, size: 5}]
body:
  - {use: odd, name: loss}
  - {op: max_pool, name: preprocess, kernel_size: 3, stride: 2}
  - {use: odd, name: forward}
  - {use: odd, name: range}
  - {op: conv, name: train, filters: 3, kernel_size: 1}
aux_heads:
  logits_2: {after: preprocess, loss_weight: 0.3,
      steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}
head: [{op: global_avg_pool}, {op: dense, name: num_classes, units: $classes}]
training: {label_smoothing: 0.1}
preprocessing: {scale: 0.5}
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_network_with_unusual_names_matches_the_reference(backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "odd.yaml"
    spec.write_text(ODD)
    typed = typed_program(spec)
    weights, x = seeded(typed), batch(typed)
    model = running(backend, typed)
    model.load(weights)
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs
        found = model.forward(x, training=training)
        assert found.keys() == expected.keys()
        assert max(distance(found[name], value) for name, value in expected.items()) <= FLOAT64


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["nn", "self", "torch", "range", "x", "keras", "layers", "ops"])
def test_parameter_can_have_a_name_that_the_code_uses(
    name: str, backend: str, tmp_path: Path
) -> None:
    spec = tmp_path / "taken.yaml"
    spec.write_text(
        "network: taken\ninput: {channels: 3, length: 9}\n"
        "blocks:\n"
        "  unit:\n"
        f"    params: {{{name}: int}}\n"
        f"    steps: [{{op: conv, filters: ${name}, kernel_size: 1, repeat: 2}}]\n"
        f"body: [{{use: unit, {name}: 4}}]\n"
    )
    typed = typed_program(spec)
    weights, x = seeded(typed), batch(typed)
    model = running(backend, typed)
    model.load(weights)
    ((output, expected),) = interpret(typed, weights, x).outputs.items()
    assert distance(model.forward(x)[output], expected) <= FLOAT64
