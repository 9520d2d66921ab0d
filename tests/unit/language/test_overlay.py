"""Changes by `extends` and `--set`, and the locations of errors in the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from overlays import BASE, Change, changing, ops

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report, Span
from inception_dsl.language.load import load


@pytest.fixture
def changed(write: Callable[..., Path]) -> Change:
    return changing(write, BASE)


ALL = ["conv:8", "max_pool:8", "conv:4", "global_avg_pool:4", "dense:10"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ALL),
        ("classes: 3\n", [*ALL[:-1], "dense:3"]),
        ("body: {first: {filters: 5}}\n", ["conv:5", "max_pool:5", *ALL[2:]]),
        ("body: {0: {filters: 5}}\n", ["conv:5", "max_pool:5", *ALL[2:]]),
        ("body: {first: null}\n", ["max_pool:3", *ALL[2:]]),
        ("body: {tower: {filters: 6}}\n", [*ALL[:2], "conv:6", "global_avg_pool:6", "dense:10"]),
        (
            "body: {1: [{op: identity}, {op: identity}]}\n",
            ["conv:8", "identity:8", "identity:8", *ALL[2:]],
        ),
        ("body: {1: []}\n", ["conv:8", *ALL[2:]]),
        ("body: [{op: identity}]\n", ["identity:3", "global_avg_pool:3", "dense:10"]),
        ("body: null\n", ["global_avg_pool:3", "dense:10"]),
        ("params: {width: {default: 9}}\n", ["conv:9", "max_pool:9", *ALL[2:]]),
        (
            "blocks: {tower: {steps: {0: {filters: 7}}}}\n",
            [*ALL[:2], "conv:7", "global_avg_pool:7", "dense:10"],
        ),
        ("stem: [{op: identity}]\n", ["identity:3", *ALL]),
        ("body: [..., {op: identity}]\n", [*ALL[:3], "identity:4", *ALL[3:]]),
        ("body: [{op: identity}, ...]\n", ["identity:3", *ALL]),
        ("body:\n- ...\n- {op: identity}\n", [*ALL[:3], "identity:4", *ALL[3:]]),
        ("body: {1: [..., {op: identity}]}\n", [*ALL[:2], "identity:8", *ALL[2:]]),
        ("body: {first: [{op: identity}, ...]}\n", ["identity:3", *ALL]),
        ("blocks: {tower: {steps: [..., {op: identity}]}}\n", [*ALL[:3], "identity:4", *ALL[3:]]),
        (
            "body: {first: {op: conv_bn, filters: 5, kernel_size: 1}}\n",
            ["conv_bn:5", "max_pool:5", *ALL[2:]],
        ),
        ("body: {first: {..., op: conv_bn}}\n", ["conv_bn:8", *ALL[1:]]),
        ("body: {nothing: null, 1: null}\n", ["conv:8", *ALL[2:]]),
        ("aux_heads: null\noutputs: null\npreprocessing: null\n", ALL),
        ("training: {initializer: null, label_smoothing: null}\n", ALL),
        ("body: {first: {use_bias: null, activation: null}}\n", ALL),
    ],
)
def test_changes(changed: Change, text: str, expected: list[str]) -> None:
    assert ops(changed(text)) == expected


def test_the_name_can_be_changed_or_kept(changed: Change) -> None:
    assert changed("").program.id == "base"
    assert changed("network: other\n").program.id == "other"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"classes": "3"}, "dense:3"),
        ({"width": "3", "classes": "4"}, "dense:4"),
        ({"head.1.units": "7"}, "dense:7"),
        ({"head": "[{op: dense, units: 2}]"}, "dense:2"),
    ],
)
def test_settings(changed: Change, settings: dict[str, str], expected: str) -> None:
    assert ops(changed("", **settings))[-1] == expected


def test_an_input_of_another_rank_replaces_the_old_one(changed: Change) -> None:
    assert changed("", input="64x3").program.input.shape == (64, 3)
    assert changed("", input="8x16x16x1").program.input.shape == (8, 16, 16, 1)
    assert changed("", input="{height: 48}").program.input.shape == (48, 32, 3)


def test_an_error_is_located_where_it_was_written(write: Callable[..., Path]) -> None:
    write(BASE.replace("kernel_size: 2", "kernel_siz: 2"), "base.yaml")
    over = write("extends: base.yaml\nbody: {first: {filters: x}}\n", "over.yaml")
    report = Report()
    assert load(over, {"classes": "many"}, report) is not None
    places = [(d.span.file.rsplit("/", 1)[-1], d.span.line, d.code) for d in report]
    assert places == [
        ("--set classes", 1, "E203"),
        ("base.yaml", 8, "E201"),
        ("over.yaml", 2, "E203"),
    ]


@pytest.mark.parametrize(
    ("text", "settings", "code"),
    [
        ("body: {frist: null}\n", {}, "E310"),
        ("body: {9: null}\n", {}, "E310"),
        ("body: {3: null}\n", {}, "E310"),
        ("body: {-1: null}\n", {}, "E310"),
        ("body: {true: {repeat: 2}}\n", {}, "E310"),
        ("body: {other: [...]}\n", {}, "E310"),
        ("body: {first: {op: max_pool}}\n", {}, "E202"),
        ("body: {first: {..., op: max_pool}}\n", {}, "E201"),
        ("stem: [..., {op: identity}]\n", {}, "E205"),
        ("titel: null\n", {}, "E201"),
        ("", {"nothing": "1"}, "E209"),
        ("", {"classes": "[1"}, "E103"),
        ("", {"classes": ""}, "E103"),
        ("", {"width": "wide"}, "E203"),
        ("", {"input": "32x"}, "E203"),
        ("", {"²": "1"}, "E209"),
        ("", {"body.99999999999999999999": "1"}, "E310"),
        ("block: b\n", {}, "E201"),
    ],
)
def test_invalid_changes(
    write: Callable[..., Path], text: str, settings: dict[str, Any], code: str
) -> None:
    write(BASE, "base.yaml")
    report = Report()
    assert compile_spec(write(f"extends: base.yaml\n{text}", "over.yaml"), settings, report) is None
    assert code in [d.code for d in report], report.render()


def test_a_step_of_another_op_says_how_to_keep_its_fields(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    report = Report()
    compile_spec(write("extends: base.yaml\nbody: {first: {op: conv_bn}}\n", "o.yaml"), {}, report)
    assert len(list(report)) == 2
    assert all("`...` to keep the fields of the old step: `{..., op: conv_bn}`" in d.help
               and not d.fix for d in report)  # fmt: skip


def test_suggestions_for_unknown_steps(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    report = Report()
    compile_spec(
        write("extends: base.yaml\nbody: {zzzzzz: {repeat: 2}, frist: null}\n", "over.yaml"),
        {},
        report,
    )
    assert [d.help for d in report] == ["known steps: 1, first, tower", "did you mean `first`?"]


def test_cycles_and_long_chains_of_extends(write: Callable[..., Path]) -> None:
    write("extends: b.yaml\n", "a.yaml")
    report = Report()
    assert load(write("extends: a.yaml\n", "b.yaml"), {}, report) is None
    assert [d.code for d in report] == ["E301"]
    for i in range(40):
        write(f"extends: {i + 1}.yaml\n", f"{i}.yaml")
    write(BASE, "40.yaml")
    report = Report()
    assert load(write("extends: 0.yaml\n", "c.yaml"), {}, report) is None
    assert [d.code for d in report] == ["E301"]


OVER = """\
extends: base.yaml
classes: 7
paper: {year: 2015}
body:
  first: {filters: 5, kernel_size: [3,
    5]}
  1:
    - {op: identity, name: new}
    - {op: identity}
blocks: {tower: {params: {filters: {type: int, default: 3}}}}
"""
WRITTEN = {
    (): ("--set title:1:1", "--set title:1:1"),
    ("title",): ("--set title:1:1", "--set title:1:1"),
    ("classes",): ("over.yaml:2:10", "over.yaml:2:1"),
    ("paper", "year"): ("over.yaml:3:15", "over.yaml:3:9"),
    ("input",): ("base.yaml:2:8", "base.yaml:2:1"),
    ("input", "height"): ("base.yaml:2:30", "base.yaml:2:22"),
    ("defaults", "conv", "use_bias"): ("base.yaml:5:29", "base.yaml:5:19"),
    ("body",): ("base.yaml:7:3", "over.yaml:4:1"),
    ("body", 0): ("base.yaml:7:5", "base.yaml:7:5"),
    ("body", 0, "name"): ("base.yaml:7:22", "base.yaml:7:16"),
    ("body", 0, "filters"): ("over.yaml:5:20", "over.yaml:5:11"),
    ("body", 0, "kernel_size", 1): ("over.yaml:6:5", "over.yaml:6:5"),
    ("body", 1, "name"): ("over.yaml:8:28", "over.yaml:8:22"),
    ("body", 2, "op"): ("over.yaml:9:12", "over.yaml:9:8"),
    ("body", 3): ("base.yaml:9:5", "base.yaml:9:5"),
    ("body", 3, "filters"): ("base.yaml:9:27", "base.yaml:9:18"),
    ("blocks", "tower"): ("base.yaml:11:10", "over.yaml:10:10"),
    ("blocks", "tower", "params", "filters"): ("over.yaml:10:36", "over.yaml:10:27"),
    ("blocks", "tower", "steps", 0, "op"): ("base.yaml:11:48", "base.yaml:11:44"),
    ("head", 1, "units"): ("base.yaml:12:50", "base.yaml:12:43"),
}
"""The locations of the value and of the key of each part."""


def test_every_part_has_the_location_where_it_was_written(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    report = Report()
    spec = load(write(OVER, "over.yaml"), {"title": "x"}, report)
    assert spec is not None, report.render()
    document = spec.document
    assert "extends" not in document.data

    def place(span: Span) -> str:
        return f"{span.file.rsplit('/', 1)[-1]}:{span.line}:{span.column}"

    found = {path: (place(document.span(path)), place(document.key_span(path))) for path in WRITTEN}
    assert found == WRITTEN


def test_extending_a_list_is_an_error(write: Callable[..., Path]) -> None:
    write("[1]", "base.yaml")
    report = Report()
    assert load(write("extends: base.yaml\n", "over.yaml"), {}, report) is None
    assert [d.code for d in report] == ["E208"]


def test_an_unknown_step_has_help(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    report = Report()
    load(write("extends: base.yaml\nbody: {qqq: {repeat: 2}}\n", "over.yaml"), {}, report)
    (found,) = report
    assert (found.code, found.span.line, found.span.column, found.span.end_column) == (
        "E310",
        2,
        8,
        11,
    )
    assert found.fix == ()
    assert all(name in found.help for name in ("first", "1", "tower"))
    report = Report()
    load(write("extends: base.yaml\nbody: {towr: null}\n", "over.yaml"), {}, report)
    assert [(d.help, [text for _, text in d.fix]) for d in report] == [
        ("did you mean `tower`?", ["tower"])
    ]


def test_steps_of_a_replacing_list_keep_their_locations(
    changed: Change, write: Callable[..., Path]
) -> None:
    text = "body:\n  first: [{op: identity}, {op: dense, units: x}]\n"
    write(BASE, "base.yaml")
    report = Report()
    load(write(f"extends: base.yaml\n{text}", "over.yaml"), {}, report)
    assert [(d.code, d.span.line, d.span.column) for d in report] == [("E203", 3, 46)]
    assert ops(changed(text.replace("x}", "4}")))[:3] == ["identity:3", "dense:4", "max_pool:4"]
