"""Processes that run the frameworks: one for each target, kept for the next job of this target."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

SERVE: Final = """\
import sys
sys.path[:] = sys.argv[1:]  # imports find what they find here, not what is in the current folder
from inception_dsl.verify.worker import serve
serve()
"""
AT_ONCE: Final = 2  # jobs at a time: each may need the memory of one training step


class Ended(NamedTuple):
    """How a job ended, and after how many seconds.

    ``found`` is its result; if there is none, ``status`` (failed, missing, hung) and ``reason``
    say why.
    """

    found: dict[str, Any] | None
    status: str = ""
    reason: str = ""
    seconds: float = 0.0


def _threads() -> dict[str, str]:
    """Limits on threads, so that jobs at the same time do not wait for each other."""
    each = str(max(1, (os.cpu_count() or 1) // AT_ONCE))
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return dict.fromkeys(names, each)


class _Worker:
    """One process; frameworks are imported once. ``environment`` is added to the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVE, *sys.path],
            env={**_threads(), **os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def run(self, given: Path, folder: Path, timeout: float) -> Ended:
        """Run the job in ``folder``; without an answer within ``timeout`` seconds, it hangs."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        start = self.log.seek(0, os.SEEK_END)
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.process.kill()

        timer = threading.Timer(timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            print(json.dumps([str(given), str(folder)]), file=stdin, flush=True)
            answer = stdout.readline()
        except OSError:  # it ended before it read the job
            answer = ""
        finally:
            timer.cancel()
        result = folder / "result.json"
        if answer and result.exists():
            found = json.loads(result.read_text(encoding="utf-8"))
            if found["status"] == "ok":
                return Ended(found)
            return Ended(None, found["status"], found["reason"])
        if late.is_set():
            return Ended(None, "hung", f"no result after {timeout:g} seconds")
        return Ended(None, "failed", self._ending(start))

    def _ending(self, start: int) -> str:
        """How the process ended, with its last line since ``start``."""
        status = self.process.wait()
        self.log.seek(start)
        text = self.log.read().decode("utf-8", errors="replace")
        line = (text.strip().splitlines() or ["no output"])[-1]
        if status < 0:
            return f"terminated by signal {signal.Signals(-status).name}: {line}"
        return f"exited with status {status}: {line}"

    def end(self) -> None:
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process.wait()
        self.log.close()


class Workers:
    """Runs jobs, `AT_ONCE` at a time; :meth:`close` ends all processes.

    A process is used for one job at a time. If a job fails, its process ends, so that nothing of
    it reaches the next job.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE)
        self._lock = threading.Lock()
        self._idle: dict[str, list[_Worker]] = {}
        self._all: set[_Worker] = set()
        self._closed = False

    def close(self) -> None:
        """End all processes now; jobs that run or wait fail. A second call does nothing more."""
        with self._lock:
            self._closed = True
            workers = list(self._all)
        for worker in workers:
            worker.process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in workers:
            worker.end()

    @contextlib.contextmanager
    def closed_on_errors(self) -> Iterator[None]:
        """On an error or an interrupt, end all processes before what they use is removed."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def submit(
        self,
        target: str,
        environment: Mapping[str, str],
        given: Path,
        folder: Path,
        timeout: float,
    ) -> Future[Ended]:
        """Run the job in ``folder`` on the case in ``given``, in a process of ``target``."""

        def work() -> Ended:
            worker = self._take(target, environment)
            if worker is None:
                return Ended(None, "failed", "interrupted")
            started = time.perf_counter()
            ended = worker.run(given, folder, timeout)
            self._give(target, worker, keep=ended.found is not None)
            return ended._replace(seconds=time.perf_counter() - started)

        return self._threads.submit(work)

    def _take(self, target: str, environment: Mapping[str, str]) -> _Worker | None:
        with self._lock:
            if self._closed:
                return None
            idle = self._idle.setdefault(target, [])
            if idle:
                return idle.pop()
            worker = _Worker(environment)
            self._all.add(worker)
            return worker

    def _give(self, target: str, worker: _Worker, *, keep: bool) -> None:
        with self._lock:
            if keep:
                self._idle[target].append(worker)
            elif not self._closed:
                self._all.discard(worker)
                worker.end()
