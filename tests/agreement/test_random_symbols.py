"""Networks whose values are expressions and whose names mean something else in generated code."""

from __future__ import annotations

import pytest

from inception_dsl.testing.random_specs import MAIN, RandomSpec
from inception_dsl.testing.symbol_trial import compiled, source
from inception_dsl.testing.trial import judged, loaded

BACKENDS = ("torch", "keras")
HEAD = "head: [{op: global_avg_pool}, {op: dense, units: $classes}]"


def spec_of(text: str) -> RandomSpec:
    own = f"network: n\nclasses: 2\n{text}"
    return RandomSpec(0, "kept", "float64", {MAIN: own})


SPECS = {
    "a function as a parameter of a network, and of nothing else": f"""
input: {{channels: 2, height: 3, width: 3}}
params: {{act: {{type: str, default: tanh}}}}
body: [{{op: conv, filters: 3, kernel_size: 1, activation: $act}}]
{HEAD}
""",
    "a function as a parameter of a plain sequence": f"""
input: {{channels: 2, height: 3, width: 3}}
blocks:
  b:
    params: {{act: str}}
    steps: [{{op: activation, function: $act}}, {{op: conv, filters: 3, kernel_size: 1}}]
body: [{{use: b, act: tanh}}]
{HEAD}
""",
    "branches called like what the check of the size calls": f"""
input: {{channels: 2, height: 5, width: 5}}
body:
  - {{op: conv, filters: 2, kernel_size: 3, padding: valid}}
  - branches:
      tuple: [{{op: conv, filters: 2, kernel_size: 1}}]
      min: [{{op: conv, filters: 2, kernel_size: 1}}]
      size: [{{op: conv, filters: 2, kernel_size: 1}}]
    merge: concat
{HEAD}
""",
    "a step called like its section, beside steps without a name": f"""
input: {{channels: 2, height: 3, width: 3}}
body:
  - {{op: conv, filters: 3, kernel_size: 1}}
  - {{op: zero_pad, padding: 1, name: body}}
  - {{op: conv, filters: 2, kernel_size: 1}}
{HEAD}
aux_heads: {{aux: {{after: body, loss_weight: 0.5, steps: [{HEAD[7:]}}}}}
""",
}


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("name", BACKENDS)
def test_once_went_wrong(text: str, name: str) -> None:
    """Small specs that once did not agree."""
    assert judged(spec_of(text), loaded([name]))[1] == ""


def test_a_derived_argument_says_what_it_holds() -> None:
    """PyTorch's momentum is not called ``decay``, also where no parameter says it alone."""
    (torch,) = loaded(["torch"])
    typed = compiled(
        spec_of(
            f"""
input: {{channels: 2, height: 3, width: 3}}
blocks:
  b:
    params: {{p: float}}
    steps: [{{op: batch_norm, decay: "${{min(p, 0.75)}}"}}]
body: [{{use: b, p: 0.5, name: one}}, {{use: b, p: 0.9, name: two}}]
{HEAD}
"""
        )
    )
    assert typed is not None
    text = source(torch, typed)
    assert "def __init__(self, in_channels: int, momentum: float)" in text
    assert "B(in_channels, momentum=0.25)" in text
