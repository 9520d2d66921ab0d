"""The output formats of `--format`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reports import Run, some_report

from inception_dsl.cli import shared
from inception_dsl.diagnostics.formats import FORMATS, as_json, concise, github
from inception_dsl.diagnostics.report import MAX_SHOWN, Report, Span


def test_a_related_location_has_its_own_line(run: Run) -> None:
    assert run("check", "twice.yaml").stderr == (
        "error[E104]: duplicate key `body`\n"
        "  --> twice.yaml:4:1\n"
        "  |\n"
        "4 | body: []\n"
        "  | ^^^^\n"
        "  ::: twice.yaml:3:1\n"
        "  |\n"
        "3 | body: [{op: identity}]\n"
        "  | ---- first defined here\n"
        "  = help: remove one of them\n"
        "\n1 error\n"
    )


def test_a_related_location_in_an_unknown_file() -> None:
    report = Report()
    report.error(
        "E303", "x", Span("a", 9, 1, 9, 2), related=[(Span("b", 10, 3, 10, 4), "here first")]
    )
    assert report.render() == "error[E303]: x\n  --> a:9:1\n  ::: b:10:3: here first"


def test_line_numbers_are_aligned() -> None:
    report = Report(texts={"a": "x\n" * 12})
    report.error("E303", "x", Span("a", 12, 1, 12, 2), related=[(Span("a", 2, 1, 2, 2), "first")])
    assert {line.index("|") for line in report.render().splitlines() if "|" in line} == {3}


def test_wide_characters_do_not_shift_the_mark() -> None:
    report = Report(texts={"a": "名前: e\u0301: bad"})
    report.error("E201", "x", Span("a", 1, 9, 1, 12))
    shown = report.render().splitlines()
    assert shown[-1] == "  |          ^^^"
    assert shown[-2].endswith("bad")


def test_at_most_fifty_are_shown() -> None:
    report = Report()
    for line in range(1, MAX_SHOWN + 1236):
        report.error("E201", "x", Span("a", line, 1, line, 2))
    assert report.render().count("error[") == MAX_SHOWN
    assert report.render().endswith("\n\nand 1,235 more")
    assert len(concise(report).splitlines()) == len(json.loads(as_json(report))) == MAX_SHOWN + 1235


def test_a_hundred_thousand_errors_are_fast() -> None:
    report = Report()
    for line in range(100_000):
        report.error("E201", "x", Span("a", line, 1, line, 2))
    assert len(report.diagnostics) == 100_000  # quadratic time would take minutes


def test_concise() -> None:
    assert concise(some_report()) == (
        "--backend x:1:1: error[E501]: no backend\na b.yaml:2:6: error[E203]: 100% wrong: x,y\\x1b"
    )


def test_json_has_every_field() -> None:
    assert json.loads(as_json(some_report()))[1] == {
        "severity": "error",
        "code": "E203",
        "message": "100% wrong: x,y\x1b",
        "file": "a b.yaml",
        "line": 2,
        "column": 6,
        "end_line": 2,
        "end_column": 11,
        "label": "",
        "help": "try ::",
        "notes": ["in: b"],
        "related": [
            {
                "file": "a b.yaml",
                "line": 2,
                "column": 6,
                "end_line": 2,
                "end_column": 11,
                "label": "here",
            },
        ],
        "fix": [
            {
                "file": "a b.yaml",
                "line": 2,
                "column": 6,
                "end_line": 2,
                "end_column": 11,
                "text": "3",
            }
        ],
    }
    assert "\x1b" not in as_json(some_report())


def test_github_commands_are_escaped() -> None:
    assert github(some_report()).splitlines() == [
        "::error title=E501::--backend x:1:1: no backend",
        "::error file=a b.yaml,line=2,col=6,endLine=2,endColumn=11,title=E203"
        "::100%25 wrong: x,y\\x1b%0Ain: b%0Ahelp: try ::",
    ]
    report = Report()
    report.error("E101", "x\n::error::y\r", Span("a,b:c%\n.yaml", 1, 1, 1, 2))
    assert github(report) == (
        "::error "
        "file=a%2Cb%3Ac%25\\n.yaml,line=1,col=1,endLine=1,endColumn=2,title=E101::x\\n::error::y\\r"
    )


def test_the_formats_are_those_of_the_option() -> None:
    assert tuple(FORMATS) == shared.FORMATS


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_check_prints_nothing_but_the_format(run: Run, name: str) -> None:
    good = run("check", "good.yaml", "--format", name)
    assert (good.exit_code, good.stderr) == (0, "")
    assert ": ok" not in good.stdout
    bad = run("check", "good.yaml", "twice.yaml", "--format", name)
    assert (bad.exit_code, bad.stderr) == (1, "")
    assert "E104" in bad.stdout
    if name in ("json", "sarif"):
        assert json.loads(good.stdout) is not None
        assert json.loads(bad.stdout)
    else:
        assert good.stdout == ""


COMMANDS = [
    *(
        ["build", "twice.yaml"],
        ["check", "twice.yaml"],
        ["summary", "twice.yaml"],
        ["verify", "twice.yaml"],
    ),
    *(["weights", "init", "twice.yaml"], ["weights", "inspect", "twice.yaml"]),
    *(
        ["weights", "convert", "twice.yaml", "a.safetensors", "b.safetensors"],
        ["weights", "check", "twice.yaml", "a"],
    ),
    ["weights", "import", "twice.yaml", "a.safetensors", "--from", "timm"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_reports_errors_has_the_option(run: Run, command: list[str]) -> None:
    result = run(*command, "--format", "json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout if command[0] == "check" else result.stderr)
    assert found[0]["code"] == ("E701" if "inspect" in command else "E104")


def test_new_has_the_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("new", "net", "--out", "file", "--format", "concise")
    assert result.exit_code == 1
    assert "error[E601]: " in result.stderr
