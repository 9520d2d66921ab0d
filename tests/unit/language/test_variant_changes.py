"""Blocks that extend another block, changed by overlays and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from overlays import compiled, ops

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

Write = Callable[..., Path]


BASE = """\
network: base
input: {channels: 3, height: 32, width: 32}
classes: 10
blocks:
  cell:
    params: {n: {type: int, default: 8}}
    steps:
      - {op: conv_bn, name: c1, filters: $n, kernel_size: 3}
      - name: f
        merge: concat
        branches:
          a: [{op: conv_bn, filters: $n, kernel_size: 1}]
          b: [{op: max_pool, kernel_size: 3}]
  w: {extends: cell, steps: CHANGE}
body: [{use: w, name: x}]
"""
OWN = "{c1: {filters: 32}}"
APPENDED = "[..., {op: identity, name: i}]"
WITHIN = "{c1: [..., {op: identity, name: i}]}"
CHANGES = [  # of the variant in the base, in an overlay; the layers that are left
    (OWN, "steps: {f: null}", ["conv_bn:32"]),
    (OWN, "steps: {1: null}", ["conv_bn:32"]),
    (OWN, "steps: {f: {branches: {b: null}}}", ["conv_bn:32", "conv_bn:8", "concat:8"]),
    (OWN, "steps: {c1: null}", ["conv_bn:8", "max_pool:3", "concat:11"]),
    (OWN, "steps: [..., {op: identity, name: i}]",
     ["conv_bn:32", "conv_bn:8", "max_pool:32", "concat:40", "identity:40"]),
    (OWN, "steps: {c1: [{op: identity, name: i}, ...]}",
     ["identity:3", "conv_bn:32", "conv_bn:8", "max_pool:32", "concat:40"]),
    (OWN, "steps: {0: {kernel_size: 1}}",
     ["conv_bn:32", "conv_bn:8", "max_pool:32", "concat:40"]),
    (OWN, "steps: {c1: {op: max_pool, kernel_size: 3}}",
     ["max_pool:3", "conv_bn:8", "max_pool:3", "concat:11"]),
    (OWN, "params: {n: {default: 4}}",
     ["conv_bn:32", "conv_bn:4", "max_pool:32", "concat:36"]),
    (APPENDED, "steps: {c1: {filters: 5}}",
     ["conv_bn:5", "conv_bn:8", "max_pool:5", "concat:13", "identity:13"]),
    (APPENDED, "steps: {i: null}", ["conv_bn:8", "conv_bn:8", "max_pool:8", "concat:16"]),
    (WITHIN, "steps: {c1: {filters: 5}}",
     ["conv_bn:5", "identity:5", "conv_bn:8", "max_pool:5", "concat:13"]),
    (WITHIN, "steps: {i: null}", ["conv_bn:8", "conv_bn:8", "max_pool:8", "concat:16"]),
    (OWN, "extends: cell", ["conv_bn:8", "conv_bn:8", "max_pool:8", "concat:16"]),
]  # fmt: skip


@pytest.mark.parametrize(("own", "change", "expected"), CHANGES)
def test_a_variant_is_changed_by_an_overlay(
    write: Write, own: str, change: str, expected: list[str]
) -> None:
    """The changes of the base come first, also over several specs and on the command line."""
    write(BASE.replace("CHANGE", own), "base.yaml")
    over = write(f"extends: base.yaml\nblocks: {{w: {{{change}}}}}\n", "o.yaml")
    assert ops(compiled(over)) == expected
    write("extends: base.yaml\nclasses: 3\n", "middle.yaml")
    over = write(f"extends: middle.yaml\nblocks: {{w: {{{change}}}}}\n", "o.yaml")
    assert ops(compiled(over)) == expected
    field, _, value = change.partition(": ")
    if field != "extends":
        base = write(BASE.replace("CHANGE", own), "base.yaml")
        assert ops(compiled(base, **{f"blocks.w.{field}": value})) == expected


def test_a_new_variant_in_an_overlay_removes(write: Write) -> None:
    write(BASE.replace("CHANGE", OWN), "base.yaml")
    text = "blocks: {v: {extends: w, steps: {f: {branches: {b: null}}}}}\nbody: [{use: v}]\n"
    over = write(f"extends: base.yaml\n{text}", "o.yaml")
    assert ops(compiled(over)) == ["conv_bn:32", "conv_bn:8", "concat:8"]


def test_what_a_middle_overlay_causes_stands_there(write: Write) -> None:
    write(BASE.replace("CHANGE", OWN), "base.yaml")
    write("extends: base.yaml\nblocks: {cell: {steps: {c1: {kernel_size: 99, padding: valid}}}}\n",
          "middle.yaml")  # fmt: skip
    report = Report()
    assert compile_spec(write("extends: middle.yaml\nclasses: 3\n", "o.yaml"), {}, report) is None
    assert {Path(d.span.file).name for d in report} == {"middle.yaml"}
