"""What `--format` prints, and when it is coloured."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import inception_dsl
from inception_dsl.cli import main, shared
from inception_dsl.cli.shared import coloured
from inception_dsl.diagnostics.codes import CODES
from inception_dsl.diagnostics.formats import FORMATS, as_json, concise, github, sarif
from inception_dsl.diagnostics.report import COLOURED, MAX_SHOWN, Edit, Report, Span

TWICE = "network: n\ninput: {channels: 3, length: 9}\nbody: [{op: identity}]\nbody: []\n"
GOOD = "network: n\ninput: {channels: 3, length: 9}\nbody: [{op: identity}]\n"
Run = Callable[..., Result]


@pytest.fixture
def run(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    write(TWICE, "twice.yaml")
    write(GOOD, "good.yaml")
    return lambda *arguments, **more: CliRunner().invoke(main, list(arguments), **more)


def some_report() -> Report:
    report = Report(texts={"a b.yaml": "one\ntwo: three\n"})
    where = Span("a b.yaml", 2, 6, 2, 11)
    report.error(
        "E203",
        "100% wrong: x,y\x1b",
        where,
        help="try ::",
        notes=["in: b"],
        related=[(where, "here")],
        fix=[Edit(where, "3")],
    )
    report.error("E501", "no backend", Span("--backend x", 1, 1, 1, 2))
    return report


def test_a_second_place_has_its_own_line(run: Run) -> None:
    assert run("check", "twice.yaml").stderr == (
        "error[E104]: the key `body` stands twice\n"
        "  --> twice.yaml:4:1\n"
        "  |\n"
        "4 | body: []\n"
        "  | ^^^^\n"
        "  ::: twice.yaml:3:1\n"
        "  |\n"
        "3 | body: [{op: identity}]\n"
        "  | ---- it stands here first\n"
        "  = help: remove one of the two\n"
        "\n1 error\n"
    )


def test_a_second_place_in_a_file_that_is_not_known() -> None:
    report = Report()
    report.error(
        "E303", "x", Span("a", 9, 1, 9, 2), related=[(Span("b", 10, 3, 10, 4), "here first")]
    )
    assert report.render() == "error[E303]: x\n  --> a:9:1\n  ::: b:10:3: here first"


def test_numbers_of_lines_share_one_gutter() -> None:
    report = Report(texts={"a": "x\n" * 12})
    report.error("E303", "x", Span("a", 12, 1, 12, 2), related=[(Span("a", 2, 1, 2, 2), "first")])
    assert {line.index("|") for line in report.render().splitlines() if "|" in line} == {3}


def test_wide_characters_do_not_shift_the_mark() -> None:
    report = Report(texts={"a": "名前: e\u0301: bad"})
    report.error("E201", "x", Span("a", 1, 9, 1, 12))
    shown = report.render().splitlines()
    assert shown[-1] == "  |          ^^^"
    assert shown[-2].endswith("bad")


def test_no_more_than_fifty_are_shown() -> None:
    report = Report()
    for line in range(1, MAX_SHOWN + 1236):
        report.error("E201", "x", Span("a", line, 1, line, 2))
    assert report.render().count("error[") == MAX_SHOWN
    assert report.render().endswith("\n\nand 1,235 more")
    assert len(concise(report).splitlines()) == len(json.loads(as_json(report))) == MAX_SHOWN + 1235


def test_a_hundred_thousand_mistakes_take_no_time() -> None:
    report = Report()
    for line in range(100_000):
        report.error("E201", "x", Span("a", line, 1, line, 2))
    assert len(report.diagnostics) == 100_000  # a search through all for each would take minutes


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


def test_commands_of_github_are_escaped() -> None:
    assert github(some_report()).splitlines() == [
        "::error title=E501::--backend x:1:1: no backend",
        "::error file=a b.yaml,line=2,col=6,endLine=2,endColumn=11,title=E203"
        "::100%25 wrong: x,y\\x1b%0Ain: b%0Ahelp: try ::",
    ]
    report = Report()
    report.error("E101", "x\n::error::y\r", Span("a,b:c%\n.yaml", 1, 1, 1, 2))
    assert github(report) == (
        "::error file=a%2Cb%3Ac%25\\n.yaml,line=1,col=1,endLine=1,endColumn=2,title=E101::x\\n::error::y\\r"
    )


FIX: dict[str, Any] = {
    "required": ["artifactChanges"],
    "properties": {
        "description": {"required": ["text"]},
        "artifactChanges": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["artifactLocation", "replacements"],
                "properties": {
                    "replacements": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"required": ["deletedRegion"]},
                    },
                },
            },
        },
    },
}
SARIF: dict[str, Any] = {  # what the standard requires of the parts that are used
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {"required": ["id"]},
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "items": {"$ref": "#/definitions/location"},
                                },
                                "relatedLocations": {
                                    "type": "array",
                                    "items": {"$ref": "#/definitions/location"},
                                },
                                "fixes": {"type": "array", "uniqueItems": True, "items": FIX},
                            },
                        },
                    },
                },
            },
        },
    },
    "definitions": {
        "location": {
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation", "region"],
                    "properties": {
                        "artifactLocation": {
                            "required": ["uri"],
                            "properties": {"uri": {"pattern": "^[!-~]+$"}},
                        },
                        "region": {
                            "required": ["startLine", "startColumn", "endLine", "endColumn"],
                            "additionalProperties": {"type": "integer", "minimum": 1},
                        },
                    },
                }
            },
        }
    },
}


def test_sarif() -> None:
    import jsonschema

    log = json.loads(sarif(some_report(), inception_dsl.__version__))
    jsonschema.Draft7Validator(SARIF).validate(log)
    run = log["runs"][0]
    assert run["tool"]["driver"]["semanticVersion"] == inception_dsl.__version__
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["shortDescription"]["text"] == CODES[result["ruleId"]]
    outside, inside = run["results"]
    assert outside["locations"] == []
    place = {
        "artifactLocation": {"uri": "a%20b.yaml"},
        "region": {"startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 11},
    }
    assert inside["locations"] == [{"physicalLocation": place}]
    assert inside["relatedLocations"] == [{"physicalLocation": place, "message": {"text": "here"}}]
    change = {"deletedRegion": place["region"], "insertedContent": {"text": "3"}}
    assert inside["fixes"] == [
        {
            "description": {"text": "try ::"},
            "artifactChanges": [
                {"artifactLocation": place["artifactLocation"], "replacements": [change]}
            ],
        }
    ]
    report = Report()
    report.error("E101", "x", Span("/a b.yaml", 1, 1, 1, 2))
    uri = json.loads(sarif(report, "1.2.3"))["runs"][0]["results"][0]["locations"][0][
        "physicalLocation"
    ]["artifactLocation"]
    assert uri == {"uri": "file:///a%20b.yaml"}


def test_a_spec_makes_no_links_in_sarif() -> None:
    report = Report()
    report.error(
        "E201",
        "unknown field `[a](http://b)\x1b`",
        Span("a", 1, 1, 1, 2),
        related=[(Span("a", 2, 1, 2, 2), "[b](1)")],
    )
    (result,) = json.loads(sarif(report, "1.2.3"))["runs"][0]["results"]
    assert result["message"]["text"] == r"unknown field `\[a\](http://b)\\x1b`"
    assert result["relatedLocations"][0]["message"]["text"] == r"\[b\](1)"


def test_the_formats_are_those_that_the_option_knows() -> None:
    assert tuple(FORMATS) == shared.FORMATS


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_check_prints_formats_for_machines_alone(run: Run, name: str) -> None:
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
def test_every_command_that_reports_mistakes_has_the_option(run: Run, command: list[str]) -> None:
    result = run(*command, "--format", "json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout if command[0] == "check" else result.stderr)
    assert found[0]["code"] == ("E701" if "inspect" in command else "E104")


def test_new_has_the_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("new", "net", "--out", "file", "--format", "concise")
    assert result.exit_code == 1
    assert "error[E601]: " in result.stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_colour(
    environment: dict[str, str], on_terminal: bool, in_pipe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert coloured(Terminal()) is on_terminal
    assert coloured(io.StringIO()) is in_pipe


def test_colour_changes_nothing_but_colour(run: Run) -> None:
    plain = run("check", "twice.yaml", env={"FORCE_COLOR": None, "NO_COLOR": None}).stderr
    painted = run("check", "twice.yaml", env={"FORCE_COLOR": "1", "NO_COLOR": None}).stderr
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[E104]\x1b[0m" in painted
    assert click.unstyle(painted) == plain


def test_what_a_spec_says_is_never_an_escape_sequence(run: Run, tmp_path: Path) -> None:
    bad = 'network: n\ntitle: "\\x1b[31mred"\ninput: {channels: 3, length: 9}\nbody: [{op: "\\x1b[2J\\r\\u202e"}]\n'
    (tmp_path / "bad.yaml").write_text(bad, encoding="utf-8")
    (tmp_path / "\x1b]0;x\x07.yaml").write_text(GOOD, encoding="utf-8")
    for name in FORMATS:
        result = run("check", "bad.yaml", "\x1b]0;x\x07.yaml", "\x1b.yaml", "--format", name)
        assert result.exit_code == 1
        assert "E102" in result.output
        assert not set(result.output) & {"\x1b", "\x07", "\r", "\u202e"}, name
    (tmp_path / "bad.yaml").write_text(
        bad.replace("\\x1b[31m", "line\\n").replace("\\x1b[2J\\r\\u202e", "identity"),
        encoding="utf-8",
    )
    assert "line\\nred" in run("summary", "bad.yaml").stdout


def test_only_the_frame_is_painted() -> None:
    report = Report(texts={"a": "[bold red]x[/]\n"})
    report.error("E201", "[bold]m", Span("a", 1, 2, 1, 5))
    assert "1 |\x1b[0m [bold red]x[/]\n" in report.render(COLOURED)
