"""Changes by `--set`, parameters in short form, and the locations of errors in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from loading import HEAD, Loaded, place

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report, Span
from inception_dsl.language.load import load


@pytest.mark.parametrize(
    ("name", "value", "code", "label", "help"),
    [
        ("clases", "3", "E209", "1:1-1", "did you mean `classes`?"),
        ("widht", "33", "E209", "1:1-2", "did you mean `width`?"),
        ("zzzz", "", "E103", "1:1-1", ""),
        ("zzzz", "1", "E209", "1:1-1", "known names: width, allow, aux_heads"),
        ("network", "x", "E209", "1:1-1", ""),
        ("block", "x", "E209", "1:1-1", ""),
        ("extends", "x", "E209", "1:1-1", ""),
        ("import", "[x]", "E209", "1:1-3", ""),
        ("classes", "many", "E203", "1:1-4", ""),
        ("classes", "[1, x]", "E203", "1:1-6", ""),
        ("width", "wide", "E203", "1:1-4", ""),
        ("input", "3x", "E203", "1:1-2", "224x224x3"),
        ("input", "3.5", "E203", "1:1-3", ""),
        ("input", "1x2x3x4x5", "E203", "1:1-9", ""),
        ("input", "0000000001x3", "E203", "1:1-12", ""),
        ("body.9.units", "3", "E310", "1:1-1", "0"),
        ("body.0.untis", "3", "E201", "1:1-1", "did you mean `units`?"),
    ],
)
def test_invalid_settings(
    refused: Loaded, name: str, value: str, code: str, label: str, help: str
) -> None:
    text = (
        f"{HEAD}params: {{width: {{type: int, default: 3}}}}\n"
        f"body: [{{op: dense, units: $width}}]\n"
    )
    (found,) = refused(text, **{name: value})
    assert (found.code, found.span.file, place(found.span)) == (code, f"--set {name}", label)
    assert help in found.help


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ({"input": "9x7"}, "input", {"length": 9, "channels": 7}),
        ({"input": "5x6x7"}, "input", {"height": 5, "width": 6, "channels": 7}),
        ({"input": "4x5x6x7"}, "input", {"depth": 4, "height": 5, "width": 6, "channels": 7}),
        ({"input": "999999999x7"}, "input", {"length": 999999999, "channels": 7}),
        ({"input": "9"}, "input", {"channels": 3, "height": 9, "width": 9}),
        ({"input": "{height: 9}"}, "input", {"channels": 3, "height": 9, "width": 8}),
        ({"input.height": "9"}, "input", {"channels": 3, "height": 9, "width": 8}),
        ({"classes": "7", "title": "x"}, "title", "x"),
        ({"width": "4"}, "params", {"width": {"type": "int", "default": 4}}),
        ({"body.0.units": "9"}, "body", [{"op": "dense", "name": "last", "units": 9}]),
        ({"body.last.units": "9"}, "body", [{"op": "dense", "name": "last", "units": 9}]),
        ({"paper.year": "2015"}, "paper", {"year": 2015}),
    ],
)
def test_valid_settings(
    write: Callable[..., Path], settings: dict[str, str], field: str, value: object
) -> None:
    text = f"{HEAD}params: {{width: int}}\nbody: [{{op: dense, name: last, units: $width}}]\n"
    report = Report()
    report_all = load(write(text), settings, report)
    assert not report.diagnostics or {d.code for d in report} == {"E203"}, (
        report.render()
    )  # the size is too large
    if report_all is not None:
        assert report_all.document.data[field] == value


def test_the_location_of_a_setting(write: Callable[..., Path], tmp_path: Path) -> None:
    text = (
        f"{HEAD}params: {{width: {{type: int, default: 3}}}}\n"
        f"body: [{{op: dense, units: $width}}]\n"
    )
    spec = load(write(text), {"width": "44", "body.0.use_bias": "false"}, Report())
    assert spec is not None
    assert place(spec.document.span(("params", "width", "default"))) == "1:1-2"
    assert spec.document.span(("params", "width", "default")).file == "--set width"
    assert spec.document.span(("body", 0, "use_bias")) == Span("--set body.0.use_bias", 1, 1, 1, 6)
    assert spec.document.key_span(("body", 0, "use_bias")).file == "--set body.0.use_bias"
    assert (
        spec.document.span(("body", 0, "units")).file
        == spec.document.file
        == str(tmp_path / "spec.yaml")
    )


def test_after_an_unknown_setting_no_parameter_is_missing(
    write: Callable[..., Path],
) -> None:
    """The setting may be for one of the parameters."""
    spec = write(f"{HEAD}params: {{width: int}}\nbody: [{{op: dense, units: $width}}]\n")
    for settings, lost in (
        ({}, False),
        ({"width": "3"}, False),
        ({"widht": "3"}, True),
        ({"widht": "3", "classes": "3"}, True),
    ):
        loaded = load(spec, settings, Report())
        assert loaded is not None
        assert loaded.document.lost("params") == lost
    report = Report()
    assert load(write("title: x\n"), {"widht": "3"}, report) is None
    assert {d.code for d in report} == {"E208", "E209"}


def test_a_required_field_that_is_removed_is_missing(write: Callable[..., Path]) -> None:
    spec = write(
        "network: n\ninput: {channels: 3, height: 4, width: 4}\nbody: [{op: identity}]\n",
        "spec.yaml",
    )
    for path, settings in (
        (spec, {"input": "null"}),
        (write("extends: spec.yaml\ninput: null\n", "over.yaml"), {}),
    ):
        report = Report()
        assert compile_spec(path, settings, report) is None
        assert [d.code for d in report] == ["E202"]
