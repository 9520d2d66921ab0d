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
outputs: {{early: {wanted}}}
"""


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("pooled", "`pooled` is a step of the head: outputs are those of stem and body"),
        ("other", "unknown step `other`: stem and body have no such step"),
    ],
)
def test_a_step_that_is_no_output(write: Callable[..., Path], wanted: str, message: str) -> None:
    report = Report()
    assert compile_spec(write(SPEC.format(wanted=wanted)), {}, report) is None
    (found,) = report
    assert (found.code, found.message) == ("E308", message)
    assert found.help == "steps in stem and body: c"
