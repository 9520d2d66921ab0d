"""Exit codes and messages if something other than the spec fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

from inception_dsl import compiler
from inception_dsl.cli import main
from inception_dsl.passes import budget

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
    "error", [KeyError("\x1b[31m\nx"), RecursionError("deep"), TypeError(), SystemError()]
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


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_too_little_memory_is_an_error(
    command: list[str], spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "load", raising(MemoryError()))
    result = CliRunner().invoke(main, [*command, spec])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: out of memory: ")


NET = "network: net\ninput: {channels: 3, height: 8, width: 8}\n"
NET += "body: [{op: conv, filters: 2, kernel_size: 1}]\n"


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["verify", "--seed", "-1"], 2, "invalid value for `--seed`: expected an integer >= 0"),
        (["weights", "init", "--seed", "-1"], 2, "invalid value for `--seed`"),
        (["verify", "--batch", "1"], 2, "invalid value for `--batch`"),
        (["verify", "--batch", "100000000000"], 1, "a batch of 100,000,000,000 samples of `net`"),
        (["verify", "--input", "65536x65535x4"], 1, "a batch of 2 samples of `net` would need"),
        (
            ["weights", "init", "--input", "8x8x65536", "--set", "body.0.filters=1000000"],
            1,
            "the weights of `net` would need at least 488.3 GiB; this machine has ",
        ),
    ],
)
def test_numbers_out_of_range_are_errors(
    options: list[str],
    status: int,
    message: str,
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything of that size is computed."""
    monkeypatch.setattr(budget.os, "sysconf", lambda _: 1 << 17)  # 16 GiB
    spec = write(NET)
    monkeypatch.chdir(spec.parent)
    result = CliRunner().invoke(main, [*options, spec.name])
    assert (result.exit_code, message in result.stderr) == (status, True), result.stderr


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["check", "--help"],
        ["check", "net.yaml"],
        ["check", "missing.yaml", "--format", "json"],
        ["summary", "net.yaml"],
        ["summary", "net.yaml", "--json"],
        ["build", "net.yaml"],
        ["ops"],
        ["schema"],
        ["explain", "E201"],
        ["backends"],
        ["weights", "init", "net.yaml"],
    ],
    ids=" ".join,
)
def test_a_full_disk_is_an_error(words: list[str], write: Callable[..., Path]) -> None:
    folder = write(NET, "net.yaml").parent
    with FULL.open("w") as full:
        done = run_in(folder, words, stdout=full, stderr=subprocess.PIPE)
    line = "error: cannot write the output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, line)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_a_full_disk_for_both_streams(write: Callable[..., Path]) -> None:
    folder = write(NET, "net.yaml").parent
    with FULL.open("w") as full:
        for words in (["check", "net.yaml"], ["check", "missing.yaml"]):
            assert run_in(folder, words, stdout=full, stderr=full).returncode == 1


def run_in(folder: Path, words: list[str], **streams: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inception_dsl", *words]
    return subprocess.run(command, cwd=folder, text=True, check=False, **streams)


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
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        result = CliRunner().invoke(main, [*command, spec])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


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


ENDING = """
import atexit, gc, sys, tempfile
folder = tempfile.TemporaryDirectory()
atexit.register(lambda: print("frozen", gc.get_freeze_count() > 0, gc.isenabled()))
print(folder.name)
sys.argv = ["inception-dsl", *sys.argv[1:]]
from inception_dsl.__main__ import run
run()
"""


@pytest.mark.parametrize(
    ("arguments", "status", "printed"),
    [(["--version"], 0, "inception-dsl 0"), (["nothing"], 2, ""), (["check", "no.yaml"], 1, "")],
)
def test_the_fast_end_of_the_process_loses_nothing(
    arguments: list[str], status: int, printed: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING, *arguments], capture_output=True, text=True, check=False
    )
    folder, *lines = done.stdout.splitlines()
    assert done.returncode == status
    assert lines[-1] == "frozen True False"  # exit handlers run, and what they print arrives
    assert "".join(lines[:-1]).startswith(printed)
    assert bool(done.stderr) == bool(status)
    assert not Path(folder).exists()
