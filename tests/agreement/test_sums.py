"""Sums whose branches are broadcast, with the numbers of samples that Keras takes for a bias."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameworks import running, typed_program

from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import FLOAT64, distance

SUMS = {  # the input, the branches, and the samples with which Keras sees a bias
    "samples are channels": ("height: 5, width: 5", 2, "x: [], g: [POOL, ONE]", 2),
    "samples are rows": ("height: 5, width: 7", 1, "x: [], g: [POOL, ONE]", 5),
    "rows are channels": ("height: 3, width: 1", 3, "x: [ONE], g: [POOL]", 1),
    "channels are rows": ("height: 3, width: 1", 3, "g: [POOL], x: [ONE]", 1),
    "a vector": ("height: 5, width: 7", 1, "x: [], g: [{op: global_avg_pool}]", 5),
    "one axis": ("length: 4", 4, "g: [POOL], x: [ONE]", 1),
    "vectors": (None, 3, "x: [], g: [{op: dense, units: 1}]", 3),
    "vectors, the other way": (None, 3, "g: [{op: dense, units: 1}], x: []", 3),
    "three": ("height: 5, width: 7", 1, "x: [], g: [POOL], h: [POOL, ONE]", 5),
}


@pytest.mark.parametrize(("sizes", "channels", "branches", "samples"), SUMS.values(), ids=SUMS)
def test_keras_sums_that_broadcast(
    sizes: str | None, channels: int, branches: str, samples: int, tmp_path: Path
) -> None:
    """Keras 3.15 on TensorFlow takes a second operand that looks like a bias for one."""
    spec = f"""\
network: added
input: {{channels: {channels}, {sizes or "height: 1, width: 1"}}}
body:
  - {"{op: flatten}" if sizes is None else "{op: identity}"}
  - {{branches: {{{branches}}}, merge: add}}
"""
    spec = spec.replace("POOL", "{op: global_avg_pool, keepdims: true}")
    spec = spec.replace("ONE", "{op: conv, filters: 1, kernel_size: 1}")
    (tmp_path / "added.yaml").write_text(spec, encoding="utf-8")
    typed = typed_program(tmp_path / "added.yaml")
    weights, x = seeded(typed), batch(typed, size=samples)
    model = running("keras", typed)
    model.load(weights)
    ((name, expected),) = interpret(typed, weights, x).outputs.items()
    assert distance(model.forward(x)[name], expected) < FLOAT64
