"""Errors of outputs: which steps they can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

SPEC = """\
network: n
input: {{channels: 3, height: 32, width: 32}}
body: [{{op: conv, name: c, filters: 3, kernel_size: 3}}]
head: [{{op: global_avg_pool, name: pooled}}, {{op: dense, units: $classes}}]
{more}
"""
HEAD = "aux_heads: {{aux: {{after: {}, loss_weight: 1, steps: [{{op: flatten}}]}}}}"
WRONG = [
    (
        "outputs: {early: other}",
        "unknown step `other`: the network has no such step",
        "the network",
    ),
    (
        HEAD.format("other"),
        "unknown step `other`: stem and body have no such step",
        "stem and body",
    ),
    (
        HEAD.format("pooled"),
        "`pooled` is a step of the head: auxiliary heads begin in stem or body",
        "stem and body",
    ),
]


@pytest.mark.parametrize(("more", "message", "where"), WRONG)
def test_a_step_that_is_no_output(
    write: Callable[..., Path], more: str, message: str, where: str
) -> None:
    report = Report()
    assert compile_spec(write(SPEC.format(more=more)), {}, report) is None
    (found,) = report
    assert (found.code, found.message) == ("E308", message)
    steps = "c, pooled" if where == "the network" else "c"
    assert found.help == f"steps in {where}: {steps}"


def test_outputs_of_all_sections(write: Callable[..., Path]) -> None:
    typed = compile_spec(write(SPEC.format(more="outputs: {a: c, b: pooled}")), {}, Report())
    assert typed is not None
    shapes = {name: y.shape for name, y in typed.outputs.items()}
    assert shapes == {"logits": (1000,), "a": (32, 32, 3), "b": (3,)}
