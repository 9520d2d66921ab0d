"""Tests ``rewrite`` to a new file: what it takes over from the files of the spec."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.design.rewrites import rule_named
from inception_dsl.design.rewrites.attempt import Spec
from inception_dsl.design.rewrites.rewriting import rewritten
from inception_dsl.diagnostics.report import Report

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]
BLOCK = """\
block: cell
DEFAULTS
steps:
  - branches:
      a: [{op: conv, filters: 16, kernel_size: 3, use_bias: true, activation: relu}]
      b: []
    merge: concat
"""
BASE = """\
network: base
input: {channels: 16, height: 12, width: 12}
classes: 3
import: [cell.yaml]
body: [{use: cell, name: one}]
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
DERIVED = "network: derived\nextends: base.yaml\n"


def copied(path: Path, rule: str, name: str = "new.yaml") -> tuple[str, list[str]]:
    """The text of the new file, and the errors."""
    report, found = Report(), rule_named(rule)
    target = str(path.with_name(name))
    result = rewritten(
        Spec(str(path), {}, report, target=target), found, (), found.read({}), report
    )
    text = "" if result is None else result.text
    return text, [f"{d.code}: {d.message}" for d in report.diagnostics if d.code[0] == "E"]


@pytest.mark.parametrize("rule", ["batch-normalise", "residualise", "separable", "asymmetric"])
def test_a_block_with_defaults_of_its_own_is_not_taken_over(rule: str, write: Write) -> None:
    """In another file its steps would mean something else: `relu` here, `elu` there."""
    defaults = "defaults: {conv_bn: {activation: elu}, conv: {use_bias: false}}"
    write(BLOCK.replace("DEFAULTS", defaults), "cell.yaml")
    base, derived = write(BASE, "base.yaml"), write(DERIVED, "derived.yaml")
    for path in (base, derived):
        text, errors = copied(path, rule)
        assert not text
        assert errors
        assert all("its file has defaults of its own" in one for one in errors)


@pytest.mark.parametrize("defaults", ["", "defaults: null", "defaults: {}"])
def test_a_block_without_them_is(defaults: str, write: Write) -> None:
    write(BLOCK.replace("DEFAULTS\n", f"{defaults}\n" if defaults else ""), "cell.yaml")
    derived = write(DERIVED, "derived.yaml") if write(BASE, "base.yaml") else None
    assert derived is not None
    text, errors = copied(derived, "asymmetric")
    assert errors == []
    new = derived.with_name("new.yaml")
    new.write_text(text, encoding="utf-8")
    old = inception_dsl.load(derived)
    assert inception_dsl.load(new).outputs == old.outputs
    assert inception_dsl.load(new).macs < old.macs


def test_defaults_that_an_overlay_removes(write: Write) -> None:
    write(BLOCK.replace("DEFAULTS\n", ""), "cell.yaml")
    write(BASE + "defaults: {conv: {activation: elu}}\n", "base.yaml")
    text = (
        DERIVED + 'defaults: {conv: null}\nbody: ["...", {op: conv, filters: 8, kernel_size: 3}]\n'
    )
    path = write(text, "derived.yaml")
    network = inception_dsl.load(path)
    assert "asymmetric" in str(network.rewrites())
    result = network.rewrite("asymmetric", at="body/1")
    assert result.totals["parameters"].new < network.parameters


def test_empty_blocks_of_an_overlay(write: Write) -> None:
    write(BLOCK.replace("DEFAULTS\n", ""), "cell.yaml")
    write(BASE, "base.yaml")
    _, errors = copied(write(DERIVED + "blocks: null\n", "derived.yaml"), "asymmetric")
    assert errors
    assert all("its `blocks` are empty; remove the field" in one for one in errors)


def test_line_ends_are_those_of_the_spec(write: Write) -> None:
    write(BLOCK.replace("DEFAULTS\n", ""), "cell.yaml")
    base = write(BASE, "base.yaml")
    derived = write(DERIVED, "derived.yaml")
    for path in (base, derived):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        text, errors = copied(path, "asymmetric")
        assert errors == []
        assert text.count("\n") == text.count("\r\n") > 5
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
        assert "\r" not in copied(path, "asymmetric")[0]
