"""Errors of a size in ``--input`` name sizes that fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.analysis.sizes import compiling_sizes
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

FLATTENED = """
network: net
input: {channels: 3, height: 21, width: 25}
classes: 5
body:
  - {op: conv, filters: 2, kernel_size: 5, padding: valid}
  - {merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2, padding: valid}],
     b: [{op: max_pool, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}]}}
head: [{op: flatten}, {op: dense, units: $classes}]
"""


def report_of(spec: str | Path, size: str, **settings: str) -> Report:
    report = Report()
    compile_spec(spec, {"input": size, **settings}, report)
    return report


@pytest.mark.parametrize(
    ("name", "size", "help"),
    [
        ("v2", "80x80x3", "write `--input 70x70x3` or `--input 95x95x3`, the nearest that fit"),
        ("v2", "20x96x1", "write `--input 31x96x1`, the nearest that fits"),
        ("v4", "20x80x4", "write `--input 75x80x4`, the nearest that fits"),
        ("v1", "40x40x3", "write `--input 47x47x3`, the nearest that fits"),
    ],
)
def test_the_nearest_sizes(name: str, size: str, help: str) -> None:
    report = report_of(name, size)
    assert {d.help for d in report.diagnostics} == {help}
    assert not any(d.fix for d in report.diagnostics)
    for written in re.findall(r"--input ([0-9x]+)", help):
        assert report_of(name, written).ok


@pytest.mark.parametrize(
    ("name", "size", "write"),
    [
        ("v4", "299x299", "299x299x3"),
        ("v1", "3x224x224", "224x224x3"),
        ("v1", "224x224", "224x224x3"),
        ("v4", "3x299x299", "299x299x3"),
        ("v2", "3x224x224", "224x224x3"),
    ],
)
def test_sizes_in_another_order(name: str, size: str, write: str) -> None:
    report = report_of(name, size)
    help = f"sizes are channels last: write `--input {write}`"
    assert {d.help for d in report.diagnostics} == {help}
    assert report_of(name, write).ok


def test_an_input_in_the_file(write: Callable[..., Path]) -> None:
    report = Report()
    spec = write("extends: inception-dsl:v2\ninput: {height: 80, width: 96}\n")
    assert compile_spec(spec, {}, report) is None
    (found,) = report
    assert found.span.line == 2
    assert found.help.startswith("write `input: {channels: 3, height: 70, width: 96}` or ")


def test_every_size(write: Callable[..., Path]) -> None:
    """Other than with weights, a flattened map may have any size."""
    for spec in (write(FLATTENED), "v1"):
        typed = compile_spec(spec, {}, Report())
        assert typed is not None
        height, width = compiling_sizes(typed)
        for size in range(1, 120, 1 if isinstance(spec, Path) else 9):
            fits = height.fits(size) and width.fits(size)
            assert fits == report_of(spec, f"{size}x{size}x3").ok, size


def test_other_errors_keep_their_help(write: Callable[..., Path]) -> None:
    """No other size helps against an error in the spec, or an input of another rank."""
    spec = write(FLATTENED.replace("kernel_size: 5", "kernel_size: 55"))
    assert "--input" not in report_of(spec, "19x19x3").render()
    spec = write(FLATTENED)
    for wrong in ("21x3", "0x21x3", "21"):
        assert "nearest" not in report_of(spec, wrong).render()
    assert "nearest" not in report_of(spec, "9x9x3", classes="x").render()
    assert "or `--input" in report_of(spec, "21x24x3").render()
