"""SIGTERM and SIGHUP end `verify` with its workers, and leave no temporary folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPEC = Path(__file__).parent.parent.parent / "specs" / "v4.yaml"
"""It takes a minute, so the signal comes long before the end, however busy the machine is."""


def restored() -> None:
    """What the caller of a test may have set: `nohup` ignores SIGHUP, and processes inherit it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def workers(folder: Path) -> list[int]:
    """The worker processes whose temporary folder is this one."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"inception_dsl.verify.worker" in command and f"TMPDIR={folder}".encode() in environment:
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_workers_and_removes_the_folder(number: int, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    call = [sys.executable, "-m", "inception_dsl", "verify", str(SPEC), "-b", "torch", "--train"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(call, env=environment, preexec_fn=restored) as process:
        deadline = time.monotonic() + 60
        while not workers(temporary) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert workers(temporary)
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert not workers(temporary)
    assert not list(temporary.iterdir())
