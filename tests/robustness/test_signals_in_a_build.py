"""SIGTERM and SIGHUP between the renames of a build: all old files are there, and no others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WRITE = """
import os, signal, sys
from pathlib import Path
from inception_dsl.build.write import write_all
from inception_dsl.diagnostics.report import Report

number, after, again = map(int, sys.argv[1:])
real, calls = os.replace, iter(range(1, 100))
def replace(a, b):
    call = next(calls)
    if call == after or (again and call > after):
        os.kill(os.getpid(), number)
    real(a, b)
    if call == -after:
        os.kill(os.getpid(), number)
os.replace = replace
write_all({Path("new/z.py"): "z", **{Path(f"{n}.py"): "new" for n in "abc"}}, Report())
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


def written(folder: Path, number: int, after: int, again: int = 0) -> int:
    """The exit status of a process that gets a signal before (or after) a rename."""
    for name in "abc":
        (folder / f"{name}.py").write_text("old")
    call = [sys.executable, "-c", WRITE, str(int(number)), str(after), str(again)]
    return subprocess.run(call, cwd=folder, check=False).returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("after", [1, 3, -1, -4])
@pytest.mark.parametrize("again", [0, 1])
def test_nothing_is_written(number: int, after: int, again: int, tmp_path: Path) -> None:
    """``again``: a signal also comes while the old files are put back."""
    assert written(tmp_path, number, after, again) == 128 + number
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == dict.fromkeys(("a.py", "b.py", "c.py"), "old")


def test_an_ignored_signal_does_not_end_a_build(tmp_path: Path) -> None:
    """As under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert written(tmp_path, signal.SIGHUP, 2) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert {path.read_text() for path in tmp_path.glob("*.py")} == {"new"}
