"""Processes that run the frameworks: one for each target, kept for the next job of this target.

A process answers with a file, and this process looks for it, with a limit on time. There are no
threads and no pipes to wait for, so a signal can interrupt everything here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

SERVE: Final = """\
import sys
runner, *sys.path[:] = sys.argv[1:]  # imports find what they find here, not in the current folder
from inception_dsl.verify.worker import serve
serve(runner)
"""
AT_ONCE: Final = 2  # jobs at a time: each may need the memory of one training step
PAUSE: Final = 0.01  # seconds between two looks
TAIL: Final = 8192  # bytes of the log that are read for its last line


class Ended(NamedTuple):
    """How a job ended, and after how many seconds.

    ``found`` is its result; if there is none, ``status`` (failed, missing, hung) and ``reason``
    say why.
    """

    found: dict[str, Any] | None
    status: str = ""
    reason: str = ""
    seconds: float = 0.0


class _Worker:
    """One process. It imports ``runner``, and with it a framework, at its start.

    ``environment`` is added to the environment.
    """

    def __init__(self, environment: Mapping[str, str], runner: str) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVE, runner, *sys.path],
            env={**threads(), **os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # a group of its own: `end` ends what it started, too
        )

    def send(self, given: Path, folder: Path) -> None:
        """Let it run the job in ``folder`` on the case in ``given``."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, as `poll` says
            self.process.stdin.write(json.dumps([str(given), str(folder)]).encode() + b"\n")
            self.process.stdin.flush()

    def ending(self) -> str:
        """How the process ended, with its last line."""
        status = self.process.wait()
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - TAIL))
        text = self.log.read().decode("utf-8", errors="replace")
        line = (text.strip().splitlines() or ["no output"])[-1]
        if status >= 0:
            return f"exited with status {status}: {line}"
        known = -status in set(signal.Signals)  # real-time signals have no names
        name = signal.Signals(-status).name if known else str(-status)
        return f"terminated by signal {name}: {line}"

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        self.process.wait()
        self.log.close()


def threads() -> dict[str, str]:
    """Limits on threads, so that jobs at the same time do not wait for each other.

    They are variables that frameworks and NumPy read when they are imported.
    """
    each = str(max(1, (os.cpu_count() or 1) // AT_ONCE))
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return dict.fromkeys((*names, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), each)


@dataclass(eq=False)
class Job:
    """A job of ``target``: the case in ``given``, with ``job.json`` and the results in ``folder``.

    ``runner`` is the module of the target that runs models. The job waits, runs in ``worker``, or
    has ``ended``.
    """

    target: str
    environment: Mapping[str, str]
    given: Path
    folder: Path
    timeout: float
    runner: str = ""
    worker: _Worker | None = None
    started: float = 0.0
    ended: Ended | None = None

    def look(self) -> Ended | None:
        """How the job ended, or ``None`` while it runs."""
        assert self.worker is not None
        over = self.worker.process.poll() is not None  # before the result, which may come now
        result = self.folder / "result.json"
        if result.exists():
            found = json.loads(result.read_text(encoding="utf-8"))
            seconds = max(0.0, result.stat().st_mtime - self.started)
            if found["status"] == "ok":
                return Ended(found, seconds=seconds)
            return Ended(None, found["status"], found["reason"], seconds)
        seconds = time.time() - self.started
        if over:
            return Ended(None, "failed", self.worker.ending(), seconds)
        if seconds > self.timeout:
            return Ended(None, "hung", f"no result after {self.timeout:g} seconds", seconds)
        return None


class Workers:
    """Runs jobs, `AT_ONCE` at a time; :meth:`close` ends all processes.

    A process is used for one job at a time. If a job fails, its process ends, so that nothing of
    it reaches the next job.
    """

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._idle: dict[str, list[_Worker]] = {}
        self._all: list[_Worker] = []

    def ready(self, target: str, environment: Mapping[str, str], runner: str) -> None:
        """Start a process for ``target`` if it has none, so that it imports its framework now."""
        idle = self._idle.setdefault(target, [])
        if not idle and not self._runs(target):
            idle.append(self._started(environment, runner))

    def submit(self, job: Job) -> Job:
        """Run a job as soon as there is room."""
        self._waiting.append(job)
        self._step()
        return job

    def result(self, job: Job) -> Ended:
        """Wait for a job, and start others that have room meanwhile."""
        while job.ended is None:
            self._step()
            if job.ended is None:
                time.sleep(PAUSE)
        return job.ended

    def _step(self) -> None:
        """Collect the jobs that ended, and start others in their place."""
        for job in list(self._running):
            job.ended = job.look()
            if job.ended is not None:
                self._running.remove(job)
                self._free(job)
        while self._waiting and len(self._running) < AT_ONCE:
            free = (job for job in self._waiting if not self._runs(job.target))
            job = next(free, self._waiting[0])  # rather one whose framework is imported already
            self._waiting.remove(job)
            job.worker = self._take(job)
            job.started = time.time()
            self._running.append(job)
            job.worker.send(job.given, job.folder)

    def _runs(self, target: str) -> bool:
        return any(job.target == target for job in self._running)

    def _take(self, job: Job) -> _Worker:
        idle = self._idle.setdefault(job.target, [])
        while idle:
            worker = idle.pop()
            if worker.process.poll() is None:
                return worker
            self._all.remove(worker)  # it died after its last job
            worker.end()
        return self._started(job.environment, job.runner)

    def _started(self, environment: Mapping[str, str], runner: str) -> _Worker:
        worker = _Worker(environment, runner)
        self._all.append(worker)
        return worker

    def _free(self, job: Job) -> None:
        """Keep the process of a job for the next, or end it if the job failed."""
        assert job.worker is not None
        assert job.ended is not None
        if job.ended.found is not None:
            self._idle[job.target].append(job.worker)
        else:
            self._all.remove(job.worker)
            job.worker.end()

    def close(self) -> None:
        """End all processes now, and drop all jobs."""
        self._waiting, self._running, self._idle = [], [], {}
        while self._all:
            self._all[-1].end()
            self._all.pop()

    @contextlib.contextmanager
    def closed_on_errors(self) -> Iterator[None]:
        """On an error or an interrupt, end all processes before what they use is removed."""
        try:
            yield
        except BaseException:
            self.close()
            raise
