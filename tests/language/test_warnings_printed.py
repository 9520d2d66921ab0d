"""Output of warnings: with errors, in every format, by every command, in Python."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from warned import BIASED

import inception_dsl
from inception_dsl.cli import main
from inception_dsl.diagnostics.codes import CODES
from inception_dsl.diagnostics.formats import as_json, concise, github, sarif
from inception_dsl.diagnostics.report import COLOURED, MAX_SHOWN, Report, Span

# printing


def both() -> Report:
    report = Report(texts={"a.yaml": "one: 1\ntwo: 2\n"})
    report.warning("W401", "rows", Span("a.yaml", 1, 6, 1, 7), help="pad", notes=["in: b"])
    report.error("E203", "wrong", Span("a.yaml", 2, 6, 2, 7))
    report.error("E201", "unknown", Span("a.yaml", 1, 1, 1, 4))
    return report


def test_text_has_errors_and_warnings_by_location() -> None:
    report = both()
    assert report.render() == (
        "error[E201]: unknown\n  --> a.yaml:1:1\n  |\n1 | one: 1\n  | ^^^\n\n"
        "warning[W401]: rows\n"
        "  --> a.yaml:1:6\n"
        "  |\n"
        "1 | one: 1\n"
        "  |      ^\n"
        "  = in: b\n"
        "  = help: pad\n"
        "\n"
        "error[E203]: wrong\n  --> a.yaml:2:6\n  |\n2 | two: 2\n  |      ^"
    )
    assert report.counted() == "2 errors, 1 warning"
    assert not report.ok


def test_warnings_have_a_colour_of_their_own() -> None:
    painted = both().render(COLOURED)
    assert click.unstyle(painted) == both().render()
    assert "\x1b[1;33mwarning[W401]\x1b[0m\x1b[1m: rows" in painted
    assert "\x1b[1;33m^\x1b[0m" in painted
    assert "\x1b[1;31merror[E201]\x1b[0m" in painted
    assert "\x1b[1;31m^^^\x1b[0m" in painted


def test_beyond_the_limit_errors_are_shown_before_warnings() -> None:
    report = Report()
    for line in range(1, MAX_SHOWN + 1):
        report.warning("W401", "x", Span("a", line, 1, line, 2))
    report.error("E201", "y", Span("z", 1, 1, 1, 2))
    shown = report.render()
    assert shown.count("warning[") == MAX_SHOWN - 1
    assert shown.endswith("error[E201]: y\n  --> z:1:1\n\nand 1 more")
    assert report.counted() == f"1 error, {MAX_SHOWN} warnings"


def test_the_same_warning_is_kept_once() -> None:
    report = both()
    report.warning("W401", "rows", Span("a.yaml", 1, 6, 1, 7))
    assert len(report.warnings) == 1


def test_formats_for_programs() -> None:
    report = both()
    assert concise(report).splitlines()[1] == "a.yaml:1:6: warning[W401]: rows"
    assert [(d["severity"], d["code"]) for d in json.loads(as_json(report))] == [
        ("error", "E201"),
        ("warning", "W401"),
        ("error", "E203"),
    ]
    assert (
        github(report)
        .splitlines()[1]
        .startswith("::warning file=a.yaml,line=1,col=6,endLine=1,endColumn=7,title=W401::rows%0A")
    )
    (one,) = json.loads(sarif(report, "1.2.3"))["runs"]
    assert [(r["ruleId"], r["level"]) for r in one["results"]] == [
        ("E201", "error"),
        ("W401", "warning"),
        ("E203", "error"),
    ]
    rules = {rule["id"]: rule for rule in one["tool"]["driver"]["rules"]}
    assert rules["W401"]["shortDescription"] == {"text": CODES["W401"]}


Run = Callable[..., Result]


@pytest.fixture
def run(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    write(BIASED, "biased.yaml")
    write(BIASED.replace("batch_norm", "identity"), "good.yaml")
    write(BIASED.replace("filters", "filtres"), "bad.yaml")
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def test_check_prints_warnings_and_succeeds(run: Run) -> None:
    result = run("check", "biased.yaml")
    assert result.exit_code == 0
    assert result.stdout == "biased.yaml: ok\n"
    assert result.stderr.startswith("warning[W404]: the bias of this `conv` has no effect")
    assert result.stderr.endswith("\n\n1 warning\n")


def test_check_strict(run: Run) -> None:
    assert run("check", "--strict", "good.yaml").exit_code == 0
    result = run("check", "--strict", "biased.yaml", "good.yaml")
    assert result.exit_code == 1
    assert result.stdout == "biased.yaml: failed (--strict)\ngood.yaml: ok\n"
    assert "warning[W404]" in result.stderr
    assert run("check", "--strict", "biased.yaml", "--set", "allow=[W404]").exit_code == 0


def test_errors_and_warnings_of_several_specs(run: Run) -> None:
    result = run("check", "biased.yaml", "bad.yaml")
    assert result.exit_code == 1
    assert result.stderr.endswith("\n\n1 error, 1 warning\n")
    found = json.loads(run("check", "biased.yaml", "bad.yaml", "--format", "json").stdout)
    assert [(d["code"], d["file"]) for d in found] == [
        ("E201", "bad.yaml"),
        ("W404", "biased.yaml"),
    ]
    assert "error[E201]" in run("build", "biased.yaml", "bad.yaml", "--backend", "torch").stderr


@pytest.mark.parametrize("name", ["concise", "json", "github", "sarif"])
def test_check_prints_every_format_to_standard_output(name: str, run: Run) -> None:
    result = run("check", "biased.yaml", "--format", name)
    assert result.exit_code == 0
    assert "W404" in result.stdout
    assert result.stderr == ""


def test_build_succeeds_with_warnings(run: Run) -> None:
    result = run("build", "biased.yaml", "--backend", "torch", "--out", "out")
    assert result.exit_code == 0
    assert result.stdout == "out/torch/biased.py\n"
    assert result.stderr.endswith("\n\n1 warning\n")
    again = run(
        "build", "biased.yaml", "--backend", "torch", "--out", "out", "--check", "--format", "json"
    )
    assert again.exit_code == 0
    assert again.stdout == ""
    assert [d["code"] for d in json.loads(again.stderr)] == ["W404"]


def test_summary_prints_warnings_except_with_json(run: Run) -> None:
    shown = run("summary", "biased.yaml")
    assert shown.exit_code == 0
    assert shown.stdout == run("summary", "biased.yaml", "--set", "allow=[W404]").stdout
    assert "warning[W404]" in shown.stderr
    quiet = run("summary", "biased.yaml", "--json")
    assert json.loads(quiet.stdout)["name"] == "n"
    assert quiet.stderr == ""
    assert run("summary", "good.yaml", "--format", "json").stderr == ""


def test_weights_commands_print_no_warnings_of_the_design(run: Run) -> None:
    result = run("weights", "init", "biased.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("biased.safetensors: ")
    assert result.stderr == ""


def test_from_python(write: Callable[..., Path]) -> None:
    path = write(BIASED)
    with pytest.warns(
        inception_dsl.SpecWarning,
        match=r"spec\.yaml:3:13: W404: the bias of .*; write `use_bias: false`",
    ) as seen:
        network = inception_dsl.load(path)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    (found,) = network.warnings
    assert (found.code, found.severity, found.span.line) == ("W404", "warning", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inception_dsl.load(path, allow=["W404"]).warnings == ()
        with pytest.raises(inception_dsl.SpecWarning):
            inception_dsl.load(path)
