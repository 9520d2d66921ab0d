"""Processes that compile variants: each gets some at a time, and answers in the same order.

A process is started as a program of its own, not by ``multiprocessing``: a script that calls the
Python API needs no ``if __name__ == "__main__"``, and Ctrl-C reaches the caller only.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import IO, Any, Final, NamedTuple, TypeAlias

from ..analysis.sizes import running_sizes
from .measured import Measured, Spec, Variant, measure
from .variations import Variations

_SERVE: Final = """\
import sys
sys.path[:] = sys.argv[1:]  # imports find what they find here, not in the current folder
from inception_dsl.design.processes import serve
serve(sys.stdin.buffer, sys.stdout.buffer)
"""
_AT_ONCE: Final = 16  # variants in a message: answers stay below the 64 KiB that a pipe holds
_AHEAD: Final = 2  # messages that wait in a process, so that it has work while others are slow
_FEW: Final = 24  # variants that take less time than the start of a process
_Settings: TypeAlias = Sequence[Mapping[str, str]]


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def variants(
    spec: Spec, variations: Variations, jobs: int = 1, start: int = 0
) -> Generator[list[Variant], None, None]:
    """The variants from ``start`` on, some at a time, in the order of their indices.

    With ``jobs`` above 1, so many processes compile them. Close the iterator to end them. Raises
    ``RuntimeError`` if a process fails, ``MemoryError`` if the system ends it.
    """
    chunks = [
        range(first, min(first + _AT_ONCE, variations.count))
        for first in range(start, variations.count, _AT_ONCE)
    ]
    settings = ([variations.settings(index, spec.settings) for index in chunk] for chunk in chunks)
    if jobs == 1 or variations.count - start <= _FEW:
        found = (_answer(spec, given) for given in settings)
    else:
        found = _from_processes(spec, settings, min(jobs, len(chunks)))
    try:
        for chunk, answer in zip(chunks, found, strict=True):
            yield [
                one._replace(values=variations.values(index))
                for index, one in zip(chunk, answer, strict=True)
            ]
    finally:
        found.close()


def _answer(spec: Spec, settings: _Settings) -> list[Variant]:
    found = [measure(spec, one) for one in settings]
    running_sizes.cache_clear()  # it keeps programs that nobody reads again
    if not gc.isenabled() and not all(one.measured for one in found):
        gc.collect()  # only errors leave cycles; the command line switches collection off
    return found


def _from_processes(
    spec: Spec, settings: Iterator[list[dict[str, str]]], count: int
) -> Generator[list[Variant], None, None]:
    """The answers to all messages, which the processes get in turn."""
    processes: list[_Process] = []
    waiting: deque[_Process] = deque()
    try:
        processes.extend(_Process(spec) for _ in range(count))
        for turn, given in enumerate(settings):
            process = processes[turn % count]
            process.send(given)
            waiting.append(process)
            if len(waiting) == count * _AHEAD:
                yield waiting.popleft().receive()
        while waiting:
            yield waiting.popleft().receive()
    finally:
        for process in processes:
            process.end()


class _Failed(NamedTuple):
    """An exception in a process: its last line, and its traceback."""

    line: str
    trace: str

    def error(self) -> Exception:
        """The exception for the caller; ``--debug`` prints the traceback."""
        error = (MemoryError if self.line.startswith("MemoryError") else RuntimeError)(self.line)
        error.add_note(self.trace)
        return error


class _Process:
    """One process, which compiles variants of a spec."""

    def __init__(self, spec: Spec) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal is for the caller
        )
        paths = (os.fspath(spec.path), None if spec.root is None else os.fspath(spec.root))
        self.send([*paths, dict(spec.settings)])

    def send(self, message: Any) -> None:
        """Send a message, without waiting for the answer."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, as `receive` says
            _write(self.process.stdin, message)

    def receive(self) -> list[Variant]:
        """The answer to the oldest message that has none."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            status = self.process.wait()
            text = f"a process that compiles variants ended with status {status}"
            if status < 0:
                raise MemoryError(f"{text}; use fewer `--jobs`") from None
            raise RuntimeError(text) from None
        found = json.loads(line)
        if isinstance(found, dict):
            raise _Failed(**found).error()
        return [_variant(*one) for one in found]

    def end(self) -> None:
        """End the process now."""
        self.process.kill()
        for pipe in filter(None, (self.process.stdin, self.process.stdout)):
            with contextlib.suppress(OSError):
                pipe.close()
        self.process.wait()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer the messages of a caller until it closes the pipe; what a process runs."""
    gc.disable()
    with contextlib.suppress(BrokenPipeError):
        path, root, settings = json.loads(requests.readline())
        spec = Spec(path, root, settings)
        gc.freeze()  # for speed: what is imported is not searched again
        for line in requests:
            try:
                found: Any = _answer(spec, json.loads(line))
            except Exception as error:
                failed = _Failed(f"{type(error).__name__}: {error}", traceback.format_exc())
                found = failed._asdict()
            _write(answers, found)


def _write(pipe: IO[bytes], message: Any) -> None:
    """Write a message: a line of JSON."""
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def _variant(values: list[str], found: list[Any] | None, code: str, message: str) -> Variant:
    """A variant that was read from JSON."""
    return Variant(tuple(values), None if found is None else Measured(*found), code, message)
