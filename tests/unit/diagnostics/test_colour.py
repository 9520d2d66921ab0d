"""When output is coloured; a spec cannot control the terminal."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest
from reports import GOOD, Run

from inception_dsl.cli.shared import coloured
from inception_dsl.diagnostics.formats import FORMATS
from inception_dsl.diagnostics.report import COLOURED, Report, Span


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


def test_coloured_text_is_the_same(run: Run) -> None:
    plain = run("check", "twice.yaml", env={"FORCE_COLOR": None, "NO_COLOR": None}).stderr
    painted = run("check", "twice.yaml", env={"FORCE_COLOR": "1", "NO_COLOR": None}).stderr
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[E104]\x1b[0m" in painted
    assert click.unstyle(painted) == plain


def test_a_spec_cannot_print_escape_sequences(run: Run, tmp_path: Path) -> None:
    bad = (
        "network: n\n"
        'title: "\\x1b[31mred"\n'
        "input: {channels: 3, length: 9}\n"
        'body: [{op: "\\x1b[2J\\r\\u202e"}]\n'
    )
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


def test_text_of_a_spec_is_not_markup() -> None:
    report = Report(texts={"a": "[bold red]x[/]\n"})
    report.error("E201", "[bold]m", Span("a", 1, 2, 1, 5))
    assert "1 |\x1b[0m [bold red]x[/]\n" in report.render(COLOURED)
