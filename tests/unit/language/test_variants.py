"""Blocks that extend another block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

SPEC = """\
network: net
import: [tower.yaml]
input: {{channels: 3, height: 8, width: 8}}
defaults: {{conv: {{use_bias: false}}}}
blocks:
  plain:
    title: Plain
    paper: {{authors: A. Author, year: 2015}}
    params: {{filters: {{type: int, default: 2}}}}
    steps: [{{op: conv, filters: $filters, kernel_size: 1}}, {{op: identity, name: last}}]
{blocks}
body: [{body}]
"""
TOWER = """\
block: tower
defaults: {conv: {kernel_size: 3, use_bias: true}}
params: {filters: int}
steps: [{op: conv, filters: $filters}, {use: inner}]
blocks: {inner: {steps: [{op: max_pool, kernel_size: 3}]}}
"""
Write = Callable[..., Path]


def spec(write: Write, blocks: str, body: str) -> Path:
    write(TOWER, "tower.yaml")
    return write(SPEC.format(blocks=blocks, body=body), "net.yaml")


def compiled(path: Path, **settings: str) -> TypedProgram:
    report = Report()
    typed = compile_spec(path, settings, report)
    assert typed is not None, report.render()
    return typed


def ops(typed: TypedProgram) -> list[str]:
    return [f"{layer.op}:{layer.y.channels}" for layer in layers(typed)]


@pytest.mark.parametrize(
    ("blocks", "body", "expected"),
    [
        ("  wide: {extends: plain}", "{use: wide}", ["conv:2", "identity:2"]),
        (
            "  wide: {extends: plain, params: {filters: {default: 5}}}",
            "{use: wide}, {use: plain}",
            ["conv:5", "identity:5", "conv:2", "identity:2"],
        ),
        (
            "  wide: {extends: plain, steps: {0: {op: conv_bn, filters: 4, kernel_size: 1}}}",
            "{use: wide}",
            ["conv_bn:4", "identity:4"],
        ),
        (
            "  wide: {extends: plain, steps: [..., {op: max_pool, kernel_size: 2}]}",
            "{use: wide}",
            ["conv:2", "identity:2", "max_pool:2"],
        ),
        (
            "  a: {extends: b, steps: {last: null}}\n  b: {extends: plain, params: {filters: "
            "{default: 7}}}",
            "{use: a}, {use: b}",
            ["conv:7", "conv:7", "identity:7"],
        ),
        (
            "  high: {extends: tower, steps: {inner: null}}",
            "{use: high, filters: 6}",
            ["conv:6"],
        ),
        (
            "  high: {extends: tower, params: {filters: {default: 6}}}",
            "{use: high}, {use: tower, filters: 3}",
            ["conv:6", "max_pool:6", "conv:3", "max_pool:3"],
        ),
    ],
)
def test_variants(write: Write, blocks: str, body: str, expected: list[str]) -> None:
    assert ops(compiled(spec(write, blocks, body))) == expected


def test_a_variant_has_the_defaults_of_its_file(write: Write) -> None:
    path = spec(write, "  high: {extends: tower, params: {filters: {default: 6}}}", "{use: high}")
    conv, _ = layers(compiled(path))
    assert [weight.shape for weight in conv.weights] == [(3, 3, 3, 6), (6,)]


def test_a_variant_says_what_it_modifies(write: Write) -> None:
    path = spec(write, "  wide: {extends: plain, steps: {last: null}}", "{use: wide}")
    about = compiled(path).program.blocks["wide"].about
    assert about.modified_from is not None
    assert about.modified_from.plain == "Plain (A. Author, 2015)"
    assert about.title.plain == ""


def test_changes_of_the_block_reach_its_variants(write: Write) -> None:
    spec(write, "  wide: {extends: plain, steps: {last: null}}", "{use: wide}, {use: plain}")
    over = write(
        "extends: net.yaml\nblocks: {plain: {params: {filters: {default: 9}}}}\n", "o.yaml"
    )
    assert ops(compiled(over)) == ["conv:9", "conv:9", "identity:9"]
    over = write("extends: net.yaml\nblocks: {wide: {params: {filters: {default: 9}}}}\n", "o.yaml")
    assert ops(compiled(over)) == ["conv:9", "conv:2", "identity:2"]
    over = write(
        "extends: net.yaml\nblocks: {new: {extends: wide}}\nbody: [{use: new}]\n", "o.yaml"
    )
    assert ops(compiled(over)) == ["conv:2"]


def test_one_of_a_repeat_is_another_block(write: Write) -> None:
    path = spec(write, "", "{use: plain, name: all, repeat: 5}")
    text = """\
extends: net.yaml
blocks: {wide: {extends: plain, params: {filters: {default: 4}}}}
body: {all: [{use: plain, name: first, repeat: 2}, {use: wide}, {use: plain, repeat: 2}]}
"""
    assert len(ops(compiled(path))) == 10
    assert ops(compiled(write(text, "o.yaml")))[::2] == ["conv:2"] * 2 + ["conv:4"] + ["conv:2"] * 2


@pytest.mark.parametrize(
    ("block", "expected", "help"),
    [
        ("{extends: plian}", "E302 11:19-23", "did you mean `plain`?"),
        ("{extends: towr}", "E302 11:19-22", "did you mean `tower`?"),
        ("{extends: zzzzz}", "E302 11:19-23", "known blocks: "),
        ("{extends: wide}", "E306 11:19-22", ""),
        ("{extends: [a]}", "E203 11:19-21", ""),
        ("{extends: plain, steps: {lst: {repeat: 2}}}", "E310 11:34-36", "did you mean `last`?"),
        ("{extends: plain, stps: []}", "E201 11:26-29", "did you mean `steps`?"),
        ("{extends: plain, steps: {0: {filters: x}}}", "E203 11:47-47", ""),
    ],
)
def test_errors(write: Write, block: str, expected: str, help: str) -> None:
    report = Report()
    path = spec(write, f"  wide: {block}", "{use: wide}, {use: plain}")
    assert compile_spec(path, {}, report) is None
    (found,) = report
    span = found.span
    assert f"{found.code} {span.line}:{span.column}-{span.end_column - 1}" == expected
    assert help in found.help


def test_a_cycle(write: Write) -> None:
    report = Report()
    path = spec(write, "  a: {extends: b}\n  b: {extends: a}", "{use: plain}")
    assert compile_spec(path, {}, report) is None
    assert {d.code for d in report} == {"E306"}
