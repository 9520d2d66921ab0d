"""Overlays: lists that add, ``...`` for what was there, and branches that keep their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from overlays import Change, changing

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.program import ForkNode
from inception_dsl.ir.typed import TypedProgram

BASE = """\
network: base
input: {channels: 3, height: 32, width: 32}
classes: 10
deviation: one note
allow: [W403]
blocks:
  tower: {params: {filters: int, size: {type: int, default: 1}},
    steps: [{op: conv, filters: $filters, kernel_size: $size}], allow: [W401]}
  other: {params: {filters: int, size: {type: int, default: 1}},
    steps: [{op: conv_bn, filters: $filters, kernel_size: $size}]}
body:
  - {use: tower, name: first, filters: 4, size: 3, repeat: 2, allow: [W404], deviation: [a]}
  - name: fork
    merge: concat
    branches:
      left: [{op: conv, filters: 1, kernel_size: 1}]
      middle: [{op: conv, filters: 2, kernel_size: 1}, {op: conv, filters: 2, kernel_size: 3}]
      right: [{op: conv, filters: 3, kernel_size: 1}]
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
checkpoints: {timm: {names: {first: a, fork: b, classifier: c}, optional: [first]}}
"""


@pytest.fixture
def changed(write: Callable[..., Path]) -> Change:
    return changing(write, BASE)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", {"W403"}),
        ("allow: [W405]\n", {"W403", "W405"}),
        ("allow: [null, W405]\n", {"W405"}),
        ("allow: null\n", set()),
        ("allow: [null]\n", set()),
    ],
)
def test_codes_add(changed: Change, text: str, codes: set[str]) -> None:
    data = changed(text).program.origin.document.data
    assert set(data.get("allow", ())) == codes


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("body: {first: {allow: [W405]}}", "allow", ["W404", "W405"]),
        ("body: {first: {allow: [null, W405]}}", "allow", ["W405"]),
        ("body: {first: {deviation: b}}", "deviation", ["a", "b"]),
        ("body: {first: {deviation: [b, c]}}", "deviation", ["a", "b", "c"]),
        ("body: {first: {deviation: [null, b]}}", "deviation", ["b"]),
        ("body: {first: {deviation: [b, ...]}}", "deviation", ["b", "a"]),
        ("body: {first: {allow: [...]}}", "allow", ["W404"]),
    ],
)
def test_lists_of_a_step_add(changed: Change, text: str, field: str, expected: list[str]) -> None:
    data = changed(text).program.origin.document.data
    assert data["body"][0][field] == expected


def test_two_keys_for_one_step(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    spec = write("extends: base.yaml\nbody: {0: {filters: 6}, first: {size: 1}}\n", "over.yaml")
    report = Report()
    assert compile_spec(spec, {}, report) is None
    (found,) = report
    assert (found.code, found.message) == ("E310", "`first` and `0` are the same step")


def test_other_lists_add(changed: Change) -> None:
    text = """\
blocks: {tower: {allow: [W404]}}
checkpoints: {timm: {optional: [classifier]}}
"""
    data = changed(text).program.origin.document.data
    assert data["blocks"]["tower"]["allow"] == ["W401", "W404"]
    assert data["checkpoints"]["timm"]["optional"] == ["first", "classifier"]


def test_names_of_a_user_are_no_lists_that_add(changed: Change) -> None:
    text = """\
params: {allow: {type: int, default: 3}}
blocks: {tower: {params: {deviation: {type: str, default: same}}}}
outputs: {optional: fork}
"""
    typed = changed(text, allow="5")
    assert typed.program.values["allow"] == 5
    assert typed.program.outputs == {"optional": "fork"}


def test_an_added_entry_has_its_location(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    spec = write("extends: base.yaml\nbody: {first: {allow: [W405, W999]}}\n", "over.yaml")
    report = Report()
    assert compile_spec(spec, {}, report) is None
    (found,) = report
    assert (Path(found.span.file).name, found.span.line, found.span.column) == ("over.yaml", 2, 30)


def branches(typed: TypedProgram) -> dict[str, int]:
    fork = typed.program.sections["body"][1]
    assert isinstance(fork, ForkNode)
    return {name: len(chain) for name, chain in fork.branches}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{middle: null, centre: [...]}", {"left": 1, "centre": 2, "right": 1}),
        ("{left: null, start: [{op: identity}, ...]}", {"start": 2, "middle": 2, "right": 1}),
        ("{left: null, a: [], b: []}", {"a": 0, "b": 0, "middle": 2, "right": 1}),
        ("{new: [], left: null}", {"middle": 2, "right": 1, "new": 0}),
        ("{middle: null, right: [..., ...], more: []}", {"left": 1, "right": 2, "more": 0}),
        ("{middle: [{op: identity}, ..., {op: identity}]}", {"left": 1, "middle": 4, "right": 1}),
        ("{middle: {1: [...]}}", {"left": 1, "middle": 2, "right": 1}),
        ("{no_such: null}", {"left": 1, "middle": 2, "right": 1}),
    ],
)
def test_branches_keep_their_place(changed: Change, text: str, expected: dict[str, int]) -> None:
    """The order of branches is that of the channels."""
    typed = changed(f"checkpoints: null\nbody: {{fork: {{branches: {text}}}}}\n")
    assert list(branches(typed).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{use: other, filters: 7}", ["conv_bn:7"]),
        ("{..., use: other}", ["conv_bn:4"] * 2),
        ("{..., use: other, repeat: 3}", ["conv_bn:4"] * 3),
        ("{use: tower, filters: 7}", ["conv:7"] * 2),
        ("{op: max_pool, kernel_size: 2}", ["max_pool:3"]),
        ("{branches: {a: [], b: []}, merge: add}", ["add:3"]),
    ],
)
def test_another_block_keeps_no_argument_in_silence(
    changed: Change, text: str, expected: list[str]
) -> None:
    typed = changed(f"checkpoints: null\nbody: {{first: {text}}}\n")
    found = [f"{layer.op}:{layer.y.channels}" for layer in layers(typed)]
    assert found[:-7] == expected
    assert typed.program.sections["body"][0].segments == ("first",)
