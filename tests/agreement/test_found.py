"""Regression tests: small specs for disagreements that random networks found."""

from __future__ import annotations

import pytest

from inception_dsl.testing.random_specs import MAIN, RandomSpec
from inception_dsl.testing.trial import compare_backends, loaded

INPUT = "block: found\ninput: {channels: 3, height: 5, width: 4}\n"
SOLID = "block: found\ninput: {channels: 2, depth: 5, height: 7, width: 4}\n"
SPECS = {
    "a single use without a name": INPUT
    + """
blocks:
  inner:
    steps:
      - {op: conv, filters: 4, kernel_size: 2, name: one}
      - {op: conv, filters: 4, kernel_size: 2}
  outer:
    steps: [{use: inner}]
  found_too:
    steps:
      - branches: {a: [{use: outer}], b: [{op: conv_bn, filters: 2, kernel_size: 1}]}
        merge: concat
      - {use: outer, name: again}
steps: [{use: found_too}]
""",
    "a sum without a name next to layers that Keras names": INPUT
    + """
steps:
  - branches: {a: [{op: local_response_norm}], b: [{op: max_pool, kernel_size: 3, padding: 1}]}
    merge: add
""",
    "a stride larger than a 3-D window": SOLID
    + """
steps:
  - {op: conv_bn, filters: 3, kernel_size: 2}
  - {op: conv_bn, filters: 3, kernel_size: 1, stride: 3}
""",
    "a stride larger than one axis of a 3-D window": SOLID
    + """
steps:
  - {op: conv, filters: 3, kernel_size: [1, 3, 3], stride: 3}
""",
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SPECS)
def test_frameworks_agree(name: str, training: bool) -> None:
    spec = RandomSpec(0, "found", "float64", {MAIN: SPECS[name]})
    assert compare_backends(spec, loaded(["torch", "keras"]), training=training)[1] == ""
