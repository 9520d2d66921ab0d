"""How commands end where something else than the spec is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from inception_dsl import compiler
from inception_dsl.cli import main

COMMANDS = [["check"], ["summary"], ["build"], ["weights", "init"], ["verify"]]


@pytest.fixture
def spec(write: Callable[..., Path]) -> str:
    return str(write("network: n\ninput: {channels: 3, length: 9}\nbody: [{op: identity}]\n"))


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "error", [KeyError("\x1b[31m\nx"), RecursionError("deep"), MemoryError(), SystemError()]
)
def test_a_defect_is_one_line_and_three(
    command: list[str], error: Exception, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "load", raising(error))
    result = CliRunner().invoke(main, [*command, spec])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"defect of inception-dsl: {type(error).__name__}: ")
    assert "please report this with the command and the spec" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr
    assert "Traceback" not in result.output


def test_debug_shows_the_traceback(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "load", raising(KeyError("x")))
    result = CliRunner().invoke(main, ["--debug", "check", spec])
    assert result.exit_code == 3
    assert result.stderr.startswith("Traceback (most recent call last):")
    assert "\ndefect of inception-dsl: KeyError: 'x' (fail, line " in result.stderr


def test_debug_changes_nothing_about_mistakes(tmp_path: Path) -> None:
    for options in ([], ["--debug"]):
        result = CliRunner().invoke(main, [*options, "check", str(tmp_path / "none.yaml")])
        assert result.exit_code == 1
        assert "Traceback" not in result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_interrupt_is_one_line(
    command: list[str], spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "load", raising(KeyboardInterrupt()))
    result = CliRunner().invoke(main, [*command, spec])
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "help"),
    [
        (["biuld"], "there is no command `biuld`; did you mean `build`?"),
        (["sumary", "x"], "there is no command `sumary`; did you mean `summary`?"),
        (["weights", "imprt"], "there is no command `imprt`; did you mean `import`?"),
        (["zzz\x1b"], "there is no command `zzz\\x1b`; commands: "),
        (["check", "--ste", "a=1"], "--set"),
        (["check", "--formt", "json"], "--format"),
        (["check", "x", "--format", "jsn"], "'json'"),
    ],
)
def test_wrong_usage_is_two_with_the_nearest(arguments: list[str], help: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert help in result.stderr
    assert "\x1b" not in result.output


def test_a_terminal_that_cannot_show_a_title(tmp_path: Path) -> None:
    """What it has no character for is an escape, not a defect."""
    path = tmp_path / "net.yaml"
    path.write_text(
        "network: net\ntitle: \u201ex\ninput: {channels: 1, length: 9}\nbody: [{op: identity}]\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "inception_dsl", "summary", str(path)],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(rb"\u201ex  (network net")
