"""Forks with incompatible branches: which is at fault, where its size is set, message and fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from inception_dsl.diagnostics.report import Diagnostic, Report

ErrorsIn = Callable[..., Report]

CASES = yaml.safe_load(Path(__file__).with_name("clashes.yaml").read_text(encoding="utf-8"))
HEAD = """\
network: n
input: {channels: 3, height: 8, width: 8}
blocks:
  tower: {params: {n: int}, steps: [{op: conv, filters: $n, kernel_size: 1}]}
  two: {params: {n: int}, steps: [{use: tower, n: '${n * 2}'}]}
  fixed: {steps: [{op: conv, filters: 4, kernel_size: 1}]}
  defaulted: {params: {n: {type: int, default: 7}}, \
steps: [{op: conv, filters: $n, kernel_size: 1}]}
  wide: {params: {n: int}, steps: [{op: depthwise_conv, kernel_size: 1, depth_multiplier: $n}]}
  double: {steps: [{op: conv, filters: '${in_channels * 2}', kernel_size: 1}]}
  same: {params: {n: int}, steps: [{op: conv, filters: 5, kernel_size: 1}, {op: identity}]}
  strided: {params: {s: int}, steps: [{op: max_pool, kernel_size: 3, stride: $s}]}
  pads: {params: {p: str}, steps: [{op: max_pool, kernel_size: 3, padding: valid}]}
  forked: {steps: [{merge: concat, branches: {x: [], y: []}}]}
body:
- """


def clash(errors: ErrorsIn, fork: str) -> Diagnostic:
    (found,) = errors(f"{HEAD}{fork}\n")
    assert found.code == "E402"
    return found


@pytest.mark.parametrize("case", CASES["locations"], ids=lambda case: case["fork"])
def test_the_locations_and_the_help(errors: ErrorsIn, case: dict[str, str]) -> None:
    """Where the size of the wrong branch is set, where that of the right branch is, and the fix."""
    found = clash(errors, case["fork"])
    assert f"{found.span.line}:{found.span.column}" == case["location"]
    assert found.help == case["help"]
    assert "".join(f"{s.line}:{s.column}" for s, _ in found.related) == case["other"]
    edits = [f"{s.line}:{s.column}-{s.end_column} {text}" for s, text in found.fix]
    assert "".join(edits) == case["edit"]


@pytest.mark.parametrize("case", CASES["messages"], ids=lambda case: case["fork"])
def test_the_messages(errors: ErrorsIn, case: dict[str, str]) -> None:
    found, label = clash(errors, case["fork"]), case["label"]
    assert (found.message, found.label) == (case["message"], label)
    assert found.notes == (f"branches: {case['shapes']}",)
    ((_, second),) = found.related
    assert second == label.split("; ")[1]
