"""Overlays of imported blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from overlays import Change, ops

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.language.load import load

TOWER = """\
block: tower
import: [lower.yaml]
params: {filters: {type: int, default: 4}}
defaults: {conv: {use_bias: false}}
steps:
  - {op: conv, name: reduce, filters: $filters, kernel_size: 1}
  - {use: lower}
"""
IMPORTING = """\
network: base
import: [parts/tower.yaml]
input: {channels: 3, height: 32, width: 32}
body: [{use: tower}]
"""


@pytest.fixture
def importing(write: Callable[..., Path]) -> Change:
    def importing(text: str, **settings: str) -> TypedProgram:
        write("", ".inception-dsl-root")
        write(TOWER, "parts/tower.yaml")
        write(
            "block: lower\nsteps: [{op: max_pool, kernel_size: 2, stride: 2, padding: valid}]\n",
            "parts/lower.yaml",
        )
        write(IMPORTING, "base.yaml")
        report = Report()
        typed = compile_spec(
            write(f"extends: ../base.yaml\n{text}", "sub/over.yaml"), settings, report
        )
        assert typed is not None, report.render()
        return typed

    return importing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["conv 32x32x4", "max_pool 16x16x4"]),
        (
            "blocks: {tower: {steps: {reduce: {filters: 7}}}}\n",
            ["conv 32x32x7", "max_pool 16x16x7"],
        ),
        ("blocks: {tower: {steps: {lower: null}}}\n", ["conv 32x32x4"]),
        (
            "blocks: {tower: {params: {filters: {default: 6}}}}\n",
            ["conv 32x32x6", "max_pool 16x16x6"],
        ),
        ("blocks: {tower: {steps: [{op: identity}]}}\n", ["identity 32x32x3"]),
        (
            "import: [../parts/lower.yaml, ../parts/tower.yaml]\n"
            "blocks: {lower: {steps: {0: {stride: 1}}}}\n",
            ["conv 32x32x4", "max_pool 31x31x4"],
        ),
        (
            "import: [../parts/tower.yaml]\nblocks: {tower: {steps: {reduce: {filters: 5}}}}\n",
            ["conv 32x32x5", "max_pool 16x16x5"],
        ),
    ],
)
def test_changes_of_an_imported_block(importing: Change, text: str, expected: list[str]) -> None:
    assert [f"{layer.op} {layer.y}" for layer in layers(importing(text))] == expected


def test_a_changed_block_keeps_the_defaults_of_its_file(importing: Change) -> None:
    typed = importing("blocks: {tower: {steps: {reduce: {filters: 7}}}}\n")
    assert [w.name for w in next(layers(typed)).weights] == ["kernel"]


def test_changes_of_changes_of_an_imported_block(
    importing: Change, write: Callable[..., Path]
) -> None:
    importing("blocks: {tower: {steps: {reduce: {filters: 7}}}}\n")
    report = Report()
    over = write(
        "extends: over.yaml\nblocks: {tower: {steps: {reduce: {kernel_size: 3}}}}\n",
        "sub/third.yaml",
    )
    typed = compile_spec(over, {"blocks.tower.steps.lower": "null"}, report)
    assert typed is not None, report.render()
    assert ops(typed) == ["conv:7"]
    assert next(layers(typed)).weights[0].shape == (3, 3, 3, 7)


def test_the_command_line_reaches_an_imported_block(importing: Change) -> None:
    assert ops(importing("", **{"blocks.tower.steps.reduce.filters": "9"})) == [
        "conv:9",
        "max_pool:9",
    ]


def test_the_location_of_an_error_in_a_changed_imported_block(
    importing: Change, write: Callable[..., Path]
) -> None:
    importing("")
    write(TOWER.replace("kernel_size: 1", "kernel_siz: 1"), "parts/tower.yaml")
    over = "extends: ../base.yaml\nblocks: {tower: {steps: {reduce: {filters: x}}}}\n"
    report = Report()
    assert compile_spec(write(over, "sub/over.yaml"), {}, report) is None
    places = {(d.span.file.rsplit("/", 1)[-1], d.span.line, d.code) for d in report}
    assert places == {("tower.yaml", 6, "E201"), ("over.yaml", 2, "E203")}
    report = Report()
    write(TOWER, "parts/tower.yaml")
    assert compile_spec(write(over.replace("reduce", "reduc"), "sub/over.yaml"), {}, report) is None
    assert [(d.span.file.rsplit("/", 1)[-1], d.span.line, d.code) for d in report] == [
        ("over.yaml", 2, "E310")
    ]


def test_a_cycle_of_extends_and_import_is_an_error(
    importing: Change, write: Callable[..., Path]
) -> None:
    importing("")
    write("extends: ../sub/over.yaml\nblocks: {tower: {steps: []}}\n", "parts/tower.yaml")
    report = Report()
    over = write("extends: ../base.yaml\nblocks: {tower: {steps: []}}\n", "sub/over.yaml")
    assert compile_spec(over, {}, report) is None
    assert {d.code for d in report} == {"E301"}


def test_an_own_block_next_to_a_changed_imported_block(
    importing: Change, write: Callable[..., Path]
) -> None:
    importing("")
    own = "blocks: {own: {steps: [{op: conv, name: own, filters: 9, kernel_size: 1}]}}\n"
    write(IMPORTING.replace("[{use: tower}]", "[{use: tower}, {use: own}]") + own, "base.yaml")
    report = Report()
    over = "extends: ../base.yaml\nblocks: {tower: {steps: {reduce: {filters: 7}}}}\n"
    spec = load(write(over, "sub/over.yaml"), {}, report)
    assert spec is not None, report.render()
    assert list(spec.document.data["blocks"]) == ["own", "tower"]
    typed = compile_spec(write(over, "sub/over.yaml"), {}, report)
    assert typed is not None, report.render()
    assert ops(typed) == ["conv:7", "max_pool:7", "conv:9"]
    place = spec.document.span(("blocks", "tower", "steps", 0, "kernel_size"))
    assert (place.file.rsplit("/", 1)[-1], place.line) == ("tower.yaml", 6)
    place = spec.document.key_span(("blocks", "tower", "params", "filters"))
    assert (place.file.rsplit("/", 1)[-1], place.line, place.column) == ("tower.yaml", 3, 10)
    place = spec.document.span(("blocks", "own", "steps", 0, "filters"))
    assert (place.file.rsplit("/", 1)[-1], place.line) == ("base.yaml", 5)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("import: [nothing.yaml]\n", ["E301"]),
        (
            "import: [7, ../parts/tower.yaml]\n"
            "blocks: {tower: {steps: {reduce: {filters: 5}, lower: null}}}\n",
            ["E203"],
        ),
        (
            "import: [../parts/tower.yaml, 7]\n"
            "blocks: {tower: {steps: {reduce: {filters: 5}, lower: null}}}\n",
            ["E203"],
        ),
        (
            "import: [list.yaml, ../parts/tower.yaml]\n"
            "blocks: {tower: {steps: {reduce: {filters: 5}}}}\n",
            ["E301"],
        ),
        ("import: 7\nblocks: {tower: {steps: []}}\nbody: [{use: tower}]\n", ["E203"]),
    ],
)
def test_invalid_imports_in_a_spec_that_changes_a_block(
    importing: Change, write: Callable[..., Path], text: str, codes: list[str]
) -> None:
    importing("")
    write("[block, tower]\n", "sub/list.yaml")
    report = Report()
    assert (
        compile_spec(write(f"extends: ../base.yaml\n{text}", "sub/over.yaml"), {}, report) is None
    )
    assert [d.code for d in report] == codes, report.render()


PARTS = {
    "a.yaml": "block: a\nsteps: [{op: conv, filters: 8, kernel_size: 3}]\n",
    "b.yaml": "block: b\nsteps: [{op: conv, filters: 8, kernel_size: 1}]\n",
    "base.yaml": (
        "network: base\n"
        "params: {w: {type: int, default: 4}}\n"
        "import: [a.yaml]\n"
        "input: {channels: 3, height: 32, width: 32}\n"
        "blocks:\n"
        "  own: {params: {k: {type: int, default: 3}}, steps: [{op: dense, units: $k}]}\n"
        "body: [{use: a}, {use: own, name: mid}, {op: dense, units: $w}]\n"
        "aux_heads: {aux: {after: mid, loss_weight: 0.3, steps: [{op: dense, units: $classes}]}}\n"
    ),
}


def over(text: str, write: Callable[..., Path]) -> tuple[TypedProgram | None, Report]:
    for name, part in PARTS.items():
        write(part, name)
    report = Report()
    return compile_spec(write(f"extends: base.yaml\n{text}\n", "over.yaml"), {}, report), report


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("import: [b.yaml]\nbody: {mid: [{use: b, name: mid}]}", ["conv 3", "conv 1", "dense 4"]),
        ("import: [b.yaml, a.yaml]\nbody: {a: {use: b}}", ["conv 1", "dense 3", "dense 4"]),
        ("import: []", ["conv 3", "dense 3", "dense 4"]),
        ("import: null\nbody: {a: null}", ["dense 3", "dense 4"]),
        (
            "import: [b.yaml]\nblocks: {a: {steps: {0: {kernel_size: 5}}}}",
            ["conv 5", "dense 3", "dense 4"],
        ),
    ],
)
def test_the_imports_of_both_files(text: str, sizes: list[str], write: Callable[..., Path]) -> None:
    typed, report = over(text, write)
    assert typed is not None, report.render()
    found = [layer for layer in layers(typed) if not layer.path.startswith("aux")]
    first = {"conv": 0, "dense": -1}
    assert [f"{x.op} {x.weights[0].shape[first[x.op]]}" for x in found] == sizes


@pytest.mark.parametrize(
    ("text", "code", "location", "used"),
    [
        ("import: null", "E302", "over.yaml:2:1", "base.yaml:7:14"),
        ("blocks: {own: null}", "E302", "over.yaml:2:10", "base.yaml:7:24"),
        ("blocks: null", "E302", "over.yaml:2:1", "base.yaml:7:24"),
        ("params: {w: null}", "E304", "over.yaml:2:10", "base.yaml:7:61"),
        ("params: null", "E304", "over.yaml:2:1", "base.yaml:7:61"),
        ("blocks: {own: {params: {k: null}}}", "E304", "over.yaml:2:25", "base.yaml:6:75"),
        ("body: {mid: null}", "E308", "over.yaml:2:8", "base.yaml:8:26"),
        ("body: {mid: [{op: identity}]}", "E308", "over.yaml:2:8", "base.yaml:8:26"),
        ("body: [{op: identity}]", "E308", "over.yaml:2:1", "base.yaml:8:26"),
        ("import: [c.yaml]", "E301", "over.yaml:2:10", None),
    ],
)
def test_an_error_is_at_the_line_of_the_overlay_that_causes_it(
    text: str, code: str, location: str, used: str | None, write: Callable[..., Path]
) -> None:
    typed, report = over(text, write)
    assert typed is None
    (found,) = report.diagnostics
    assert (found.code, str(found.span).rpartition("/")[2]) == (code, location)
    assert [str(span).rpartition("/")[2] for span, _ in found.related] == ([used] if used else [])
