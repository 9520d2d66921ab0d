"""What figures write in boxes whose uses differ, and in those that share weights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from inception_dsl.cli import main

STRIDES = """\
network: strides
input: {channels: 8, height: 16, width: 16}
blocks:
  part:
    params: {stride: int, border: int}
    steps:
      - {op: conv, filters: 8, kernel_size: 3, stride: $stride, padding: PAD}
      - {op: max_pool, kernel_size: 3, stride: $stride, padding: PAD}
body: [{use: part, name: a, stride: 1, border: 1}, {use: part, name: b, stride: 2, border: 1}]
"""
SHARED = """\
network: twins
input: {left: {channels: 2, height: 8, width: 8}, right: {channels: 2, height: 8, width: 8}}
blocks: {tower: {steps: [{op: conv, filters: 4, kernel_size: 3}, {op: global_avg_pool}]}}
body:
  - branches:
      left: [{use: tower, name: one}, {op: dense, name: fc, units: 3}]
      right: [{use: tower, weights: left/one}, {op: dense, weights: left/fc, units: 3}]
    merge: add
"""


def texts(folder: Path, spec: str, name: str) -> list[str]:
    """The texts of a figure."""
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    call = ["build", str(folder / "spec.yaml"), "--backend", "svg", "--out", str(folder)]
    result = CliRunner().invoke(main, call)
    assert result.exit_code == 0, result.output
    found = (folder / "svg" / f"{name}.svg").read_text(encoding="utf-8")
    return re.findall(r"<text[^>]*>([^<]+)</text>", found)


@pytest.mark.parametrize(
    ("padding", "text"),
    [("1", "pad 1"), ("$border", "pad border"), ("same", ""), ("valid", "valid")],
)
def test_padding_where_strides_differ(padding: str, text: str, tmp_path: Path) -> None:
    found = texts(tmp_path, STRIDES.replace("PAD", padding), "spec-part")
    assert ", ".join(filter(None, ("8, /stride", text))) in found
    assert ", ".join(filter(None, ("/stride", text))) in found


def test_shared_weights(tmp_path: Path) -> None:
    found = texts(tmp_path, SHARED, "spec")
    assert "tower, weights of left/one" in found
    assert "dense, weights of left/fc" in found
    assert "one: tower" not in found
    full = texts(tmp_path, SHARED, "spec-full")
    assert "tower, weights of left/one" in [re.sub(": ", ", ", text) for text in full]
