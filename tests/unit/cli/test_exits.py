"""Exit codes and messages if something other than the spec fails."""

from __future__ import annotations

import os
import signal
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
def test_an_internal_error_is_one_line_with_status_3(
    command: list[str], error: Exception, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "load", raising(error))
    result = CliRunner().invoke(main, [*command, spec])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"internal error: {type(error).__name__}: ")
    assert "please report this with the command and the spec" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr
    assert "Traceback" not in result.output


def test_debug_shows_the_traceback(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "load", raising(KeyError("x")))
    result = CliRunner().invoke(main, ["--debug", "check", spec])
    assert result.exit_code == 3
    assert result.stderr.startswith("Traceback (most recent call last):")
    assert "\ninternal error: KeyError: 'x' (fail, line " in result.stderr


def test_debug_does_not_change_spec_errors(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_interrupt_that_a_library_turns_into_its_own_error(
    command: list[str], spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pydantic raises `SchemaError` for a `KeyboardInterrupt` while it builds a model."""

    def fail(*_: object) -> NoReturn:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise RuntimeError from error
        raise AssertionError

    monkeypatch.setattr(compiler, "load", fail)
    result = CliRunner().invoke(main, [*command, spec])
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_terminal_that_cannot_show_a_title(tmp_path: Path) -> None:
    """A character that the terminal lacks is printed as an escape; it is not an internal error."""
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
