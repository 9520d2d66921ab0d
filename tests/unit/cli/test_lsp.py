"""The command of the language server, which needs a package of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from inception_dsl.cli import main


def test_without_the_extra_there_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygls", None)
    done = CliRunner().invoke(main, ["lsp"])
    assert done.exit_code == 1
    assert "cannot import the package `pygls`" in done.stderr
    assert "pip install 'inception-dsl[lsp]'" in done.stderr
    assert "Traceback" not in done.output


def test_it_ends_with_its_input() -> None:
    """An editor that is killed closes the pipe."""
    call = [sys.executable, "-m", "inception_dsl", "lsp"]
    done = subprocess.run(call, input=b"", capture_output=True, timeout=120, check=False)
    assert done.returncode == 0
    assert done.stdout == b""


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_ctrl_c_ends_it() -> None:
    call = [sys.executable, "-m", "inception_dsl", "lsp"]
    process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}'
    process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"Content-Length")  # it runs
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT


def test_other_commands_do_not_import_it() -> None:
    code = """
import sys
from inception_dsl.cli import main
main(["check", "v0"], standalone_mode=False)
assert "pygls" not in sys.modules
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
