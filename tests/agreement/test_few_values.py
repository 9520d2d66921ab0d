"""Batch norm of maps of one pixel: rounding is no difference, and small bugs are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_dsl.diagnostics.report import Report
from inception_dsl.testing.trial import loaded, run
from inception_dsl.verify.bounds import FLOAT64
from inception_dsl.verify.case import Case, Expected, expect, prepare
from inception_dsl.verify.compare import BOUNDS, Check, compare, reason
from inception_dsl.verify.errors import errors

SPEC = """\
network: narrow
input: {channels: 3, height: 32, width: 32}
classes: 10
defaults: {conv_bn: {kernel_size: 3, activation: relu6}}
blocks:
  bottleneck:
    params: {filters: int, stride: {type: int, default: 1}}
    steps:
      - {op: conv_bn, filters: "${6 * in_channels}", kernel_size: 1}
      - {op: depthwise_conv, kernel_size: 3, stride: $stride, use_bias: false}
      - {op: batch_norm}
      - {op: activation, function: relu6}
      - {op: conv_bn, filters: $filters, kernel_size: 1, activation: none}
stem: [{op: conv_bn, filters: 8, stride: 2}]
body:
  - {use: bottleneck, name: reduction, repeat: 4, filters: 8, stride: 2}
  - {use: bottleneck, name: small, repeat: 6, filters: 16}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
training: {}
"""


def case_of(folder: Path, size: int | None = None) -> Case:
    (folder / "narrow.yaml").write_text(SPEC, encoding="utf-8")
    case = prepare(folder / "narrow.yaml", {}, Report(), size=size)
    assert case is not None
    return case


def checked(case: Case, expected: Expected, given: Case) -> tuple[Check, ...]:
    """The checks of PyTorch's model, with the weights of ``given``."""
    (torch,) = loaded(["torch"])
    found = run(given, torch, "float64", training=True)
    deviations = errors(case, expected, found, unbiased_variance=torch.unbiased_variance)
    return compare(case, found, deviations, BOUNDS)


def test_samples_are_as_many_as_batch_norm_needs(tmp_path: Path) -> None:
    """Bounds hold with room to spare, so that a change of one weight by 1e-9 of it is found."""
    case = case_of(tmp_path)
    expected = expect(case, train=True)
    right = checked(case, expected, case)
    assert reason(case, expected, right, "float64") == ""
    outputs = next(check for check in right if check.kind == "outputs")
    assert outputs.error < FLOAT64 / 10
    path = "small/0/0/conv/kernel"
    changed = case.weights | {path: case.weights[path] * (1 + 1e-9)}
    found = reason(
        case, expected, checked(case, expected, case._replace(weights=changed)), "float64"
    )
    assert "outputs differ at small" in found and "rounding" not in found


def test_two_samples_differ_with_the_cause(tmp_path: Path) -> None:
    case = case_of(tmp_path, size=2)
    expected = expect(case, train=True)
    found = checked(case, expected, case)
    assert max(check.error for check in found) > FLOAT64
    said = reason(case, expected, found, "float64")
    assert "rounding alone moves the reference" in said and "larger --batch or --input" in said


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_large_difference_is_no_rounding(tmp_path: Path, dtype: str) -> None:
    case = case_of(tmp_path, size=2)
    expected = expect(case)
    check = Check("outputs", 1, error=0.1, bound=FLOAT64, problem="outputs differ")
    assert reason(case, expected, [check], dtype) == "outputs differ"
