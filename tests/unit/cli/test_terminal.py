"""Colour and progress bars: on a terminal only, and never in JSON."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inception_dsl.cli import main
from inception_dsl.cli.progress import ERASE, Progress

COLOUR = {"FORCE_COLOR": "1", "NO_COLOR": None}
PLAIN = {"FORCE_COLOR": None, "NO_COLOR": None}
TEXT = (
    "network: n\n"
    "input: {channels: 3, height: 8, width: 8}\n"
    "body:\n"
    "  - {op: conv, filters: 4, kernel_size: 3}\n"
    "  - {branches: {a: [], b: [{op: conv, filters: 4, kernel_size: 1}]}, merge: add, name: f}\n"
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def spec(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TERM", raising=False)
    write(TEXT, "n.yaml")
    assert CliRunner().invoke(main, ["weights", "init", "n.yaml"]).exit_code == 0
    return "n.yaml"


@pytest.mark.parametrize(
    "arguments",
    [
        ["summary", "n.yaml"],
        ["weights", "inspect", "n.safetensors"],
        ["backends"],
        ["ops"],
        ["explain"],
    ],
    ids=" ".join,
)
def test_tables_differ_by_nothing_but_colour(arguments: list[str], spec: str) -> None:
    plain = CliRunner().invoke(main, arguments, env=PLAIN).stdout
    painted = CliRunner().invoke(main, arguments, env=COLOUR).stdout
    off = CliRunner().invoke(main, arguments, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "\x1b" not in plain
    assert "\x1b[1m" in painted
    assert click.unstyle(painted) == plain == off


def test_the_table_of_verify_shows_the_status_in_colour() -> None:
    from inception_dsl.diagnostics.report import COLOURED
    from inception_dsl.verify.table import _painted

    assert _painted("  torch  float64  agrees", COLOURED).endswith("\x1b[32magrees\x1b[0m")
    assert _painted("  torch  float64  hung", COLOURED).endswith("\x1b[1;31mhung\x1b[0m")
    assert _painted("  torch  float64  missing", COLOURED).endswith("\x1b[1;33mmissing\x1b[0m")
    assert _painted("  allowed  float64  1e-10", COLOURED) == "  allowed  float64  1e-10"


@pytest.mark.parametrize(
    "arguments",
    [
        ["summary", "n.yaml", "--json"],
        ["weights", "inspect", "n.safetensors", "--json"],
        ["backends", "--json"],
        ["check", "n.yaml", "-f", "json"],
        ["schema"],
    ],
    ids=" ".join,
)
def test_json_is_never_coloured(arguments: list[str], spec: str) -> None:
    found = CliRunner().invoke(main, arguments, env=COLOUR).stdout
    assert "\x1b" not in found
    json.loads(found)


def test_summary_shows_macs_and_flops(spec: str) -> None:
    shown = CliRunner().invoke(main, ["summary", spec]).stdout.splitlines()
    macs = json.loads(CliRunner().invoke(main, ["summary", spec, "--json"]).stdout)["macs"]
    assert f"MACs (multiply-adds)  {macs:,}".split() in [line.split() for line in shown]
    assert f"FLOPs (2 x MACs)  {2 * macs:,}".split() in [line.split() for line in shown]


def test_a_bar_is_drawn_on_a_terminal_and_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(4) as bar:
        for name in ("a.yaml", "b.yaml", "\x1b[31m" + "long" * 30):
            bar.step(name)
    drawn = terminal.getvalue().split(ERASE)
    assert drawn[0] == drawn[-1] == ""
    assert drawn[1] == f"[{'-' * 20}] 1/4  a.yaml"
    assert drawn[2] == f"[{'#' * 5}{'-' * 15}] 2/4  b.yaml"
    assert max(map(len, drawn)) == 59
    assert "\x1b" not in "".join(drawn)


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_bar_is_not_drawn_elsewhere(term: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal() if term else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", term or "xterm")
    with Progress(2) as bar:
        bar.step("a")
    assert stream.getvalue() == ""


def test_an_error_erases_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    def fail() -> None:
        with Progress(2) as bar:
            bar.step("a")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert terminal.getvalue().endswith(ERASE)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "n.yaml", "-o", "out"],
        ["check", "n.yaml"],
        ["weights", "convert", "n.yaml", "n.safetensors", "m.safetensors"],
        ["weights", "check", "n.yaml", "n.safetensors"],
        ["weights", "inspect", "n.safetensors"],
        ["weights", "init", "n.yaml", "-o", "i.safetensors"],
        ["verify", "n.yaml", "-b", "none"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_commands_show_progress_on_a_terminal(arguments: list[str], spec: str) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    call = [sys.executable, "-m", "inception_dsl", *arguments]
    done = subprocess.run(
        call, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode() if done.returncode or arguments[0] != "verify" else ""
    os.close(ours)
    assert "\x1b" not in done.stdout
    if arguments[0] == "verify":  # stops before the first step
        assert done.returncode == 1
        assert "[---" not in shown
    else:
        assert done.returncode == 0, shown
        assert "] 1/" in shown
        assert shown.endswith(ERASE)
    piped = subprocess.run(call, capture_output=True, env=environment, text=True, check=False)
    assert "\x1b" not in piped.stderr
    assert "[---" not in piped.stderr
