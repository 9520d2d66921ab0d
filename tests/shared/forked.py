"""Scripts in processes that are forked from one that has imported PyTorch.

Importing it takes longer than training a small network. The processes are real: they have signals,
limits, an exit status and output of their own.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

IMPORTED = ["torch", "torch._dynamo", "torch.distributed", "torch.nn.parallel", "torch.utils.data"]
"""By scripts, or by their first step."""


@cache
def server() -> multiprocessing.context.ForkServerContext:
    """The server, which computes with one thread, so that equal work gives equal bits."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    with mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1"}):
        forkserver.ensure_running()
    return context


def _main(call: list[str], environment: dict[str, str], folder: str, limit: int | None) -> None:
    """Run a script in this process; ``limit`` is the largest size of a file in bytes."""
    os.setsid()
    for descriptor, name in ((1, "output"), (2, "errors")):
        file = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    multiprocessing.set_start_method(
        None, force=True
    )  # that of interpreters, for its own processes
    os.environ.update(environment)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = call
    sys.path.insert(0, str(Path(call[0]).parent))
    runpy.run_path(call[0], run_name="__main__")


class Forked:
    """A running script, with the methods of ``subprocess.Popen`` that tests need."""

    def __init__(
        self, call: Sequence[str], env: Mapping[str, str] | None = None, limit: int | None = None
    ) -> None:
        """Start ``call``: the interpreter, a script and its arguments."""
        assert call[0] == sys.executable and call[1].endswith(".py")
        self._folder = TemporaryDirectory()
        given = ([*call[1:]], dict(env or {}), self._folder.name, limit)
        self._process = server().Process(target=_main, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float = 300) -> int:
        """The exit status; a process that takes longer is killed."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self._process.kill()
            raise TimeoutError(f"the script runs for more than {timeout} seconds")
        return self._process.exitcode

    @property
    def returncode(self) -> int:
        return self.wait()

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """What the script has printed, when it has ended."""
        self.wait(timeout)
        folder = Path(self._folder.name)
        output, errors = ((folder / name).read_text("utf-8") for name in ("output", "errors"))
        return output, errors


def forked(
    call: Sequence[str], env: Mapping[str, str] | None = None, limit: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end; ``limit`` is the size of its largest file."""
    process = Forked(call, env, limit)
    output, errors = process.communicate()
    return subprocess.CompletedProcess([*call], process.returncode, output, errors)
