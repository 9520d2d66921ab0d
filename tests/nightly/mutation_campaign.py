"""Runs mutants against the tests, each in a process of its own."""

from __future__ import annotations

import functools
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import mmap
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

import pytest
from mutants import Module, Mutant
from mutation_targets import tests

TOO_SLOW = "not long_chain and not deeper_nesting"
_CACHE = type(functools.cache(len))
T = TypeVar("T")


def forked(tasks: list[T], jobs: int, run: Callable[[T], bool]) -> Iterator[tuple[T, str]]:
    """Run each task in a forked process; the result is ``survived``, ``killed`` or the status."""
    running: dict[int, tuple[T, Path]] = {}

    def one() -> tuple[T, str]:
        pid, status = os.wait()
        task, scratch = running.pop(pid)
        shutil.rmtree(scratch, ignore_errors=True)
        code = os.waitstatus_to_exitcode(status)
        return task, {0: "survived", 1: "killed"}.get(
            code, "killed" if code < 0 else f"status {code}"
        )

    for task in tasks:
        if len(running) >= jobs:
            yield one()
        scratch = Path(tempfile.mkdtemp(prefix="mutant-"))
        pid = os.fork()
        if not pid:
            _child(task, scratch, run)
        running[pid] = task, scratch
    while running:
        yield one()


def _child(task: T, scratch: Path, run: Callable[[T], bool]) -> None:
    status = 3
    try:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(scratch)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        status = 0 if run(task) else 1
    finally:
        os._exit(status)


def _limit(seconds: float) -> None:
    """Limit CPU time and memory, so that the system kills a mutant that does not end."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 5, int(seconds) + 5))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    signal.alarm(int(20 * seconds) + 60)


class Campaign:
    """A pytest plugin that replaces the loop over the tests by a loop over the mutants."""

    def __init__(self, late: list[Mutant], known: dict[str, Module], jobs: int) -> None:
        self.late, self.known, self.jobs = late, known, jobs
        self.results: list[tuple[int, str]] = []
        self.caches: list[Any] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the tests could not be collected")
        from inception_dsl.ops import CORE_OPS

        for op in CORE_OPS:
            op.model_rebuild()
        gc.unfreeze()  # what the collection froze is searched, here and in _functions
        self.caches = [thing for thing in gc.get_objects() if isinstance(thing, _CACHE)]
        seconds, callers = self.measured(session)
        paths = [str(item.path) for item in session.items]
        functions = _functions({str(m.path) for m in self.known.values()})

        recent: dict[tuple[str, str], list[int]] = defaultdict(
            list
        )  # the tests that killed mutants of a function
        killers = mmap.mmap(-1, 4 * len(self.late) + 4)

        def run(number: int) -> bool:
            mutant = self.late[number]
            module = self.known[mutant.module]
            files = tests(mutant.module)
            calling = [i for i in callers[str(module.path), mutant.function] if paths[i] in files]
            front = recent[mutant.module, mutant.function]
            chosen = sorted(
                calling, key=lambda i: (-front.index(i) if i in front else 1, seconds[i])
            )
            _limit(sum(seconds[i] for i in chosen))
            _replace(functions, module, mutant)
            self.clear_caches()
            failing = self.failing(session, chosen)
            if failing is not None:
                struct.pack_into("i", killers, 4 * number, failing)
            return failing is None

        gc.collect()
        gc.freeze()
        for number, result in forked(list(range(len(self.late))), self.jobs, run):
            self.results.append((number, result))
            if result == "killed":
                front = recent[self.late[number].module, self.late[number].function]
                front.append(struct.unpack_from("i", killers, 4 * number)[0])
            if result != "killed":
                print(f"{result}: {entry(self.late[number])}", file=sys.stderr, flush=True)
        return True

    def clear_caches(self) -> None:
        """Clear all caches, as other tests or the unchanged code have filled them."""
        for cache in self.caches:
            cache.cache_clear()

    def failing(self, session: pytest.Session, chosen: list[int]) -> int | None:
        """The index of the first of these tests that fails, or ``None``."""
        items = [session.items[i] for i in chosen]
        for index, item, after in zip(chosen, items, [*items[1:], None], strict=False):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                return index
        return None

    def measured(
        self, session: pytest.Session
    ) -> tuple[list[float], dict[tuple[str, str], list[int]]]:
        """The seconds of each test, and the tests that call each function, without a mutant."""
        paths = {str(m.path) for m in self.known.values()}
        pipe = tempfile.TemporaryFile("w+")  # noqa: SIM115

        def run(_: None) -> bool:
            seconds, callers = [], []
            for index in range(len(session.items)):
                called: set[CodeType] = set()
                self.clear_caches()
                start = time.process_time()
                sys.settrace(lambda frame, _, __, called=called: called.add(frame.f_code))
                failing = self.failing(session, [index])
                sys.settrace(None)
                if failing is not None:
                    print(
                        session.items[index].nodeid,
                        "fails without a mutant",
                        file=pipe,
                        flush=True,
                    )
                    return False
                seconds.append(time.process_time() - start)
                callers.append(
                    [(c.co_filename, c.co_qualname) for c in called if c.co_filename in paths]
                )
            json.dump([seconds, callers], pipe)
            pipe.flush()
            return True

        ((_, result),) = forked([None], 1, run)
        pipe.seek(0)
        if result != "survived":
            print(pipe.read() or f"tests without a mutant: {result}", file=sys.stderr)
            raise session.Failed
        seconds, called = json.load(pipe)
        callers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, found in enumerate(called):
            for path, function in found:
                callers[path, function].append(index)
        return seconds, callers


def _functions(paths: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """All function objects of these files, also closures."""
    found: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename in paths:
            found[
                thing.__code__.co_filename,
                thing.__code__.co_qualname,
                thing.__code__.co_firstlineno,
            ].append(thing)
    return found


def _replace(
    functions: dict[tuple[str, str, int], list[FunctionType]], module: Module, mutant: Mutant
) -> None:
    pending = [compile(module.compiled(mutant), str(module.path), "exec", dont_inherit=True)]
    while pending:
        code = pending.pop()
        pending += [c for c in code.co_consts if isinstance(c, CodeType)]
        for function in functions.get(
            (code.co_filename, code.co_qualname, code.co_firstlineno), ()
        ):
            if len(code.co_freevars) == len(function.__code__.co_freevars):
                function.__code__ = code
            else:
                os._exit(2)  # the closure differs: the module must be imported again


class Changed(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Importer of one module from its changed tree."""

    def __init__(self, module: Module, mutant: Mutant) -> None:
        super().__init__(f"inception_dsl.{module.name}", str(module.path))
        self.changed = compile(module.compiled(mutant), str(module.path), "exec", dont_inherit=True)

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        return self.changed


def options(*more: str) -> list[str]:
    return [
        "-q",
        "-x",
        "-s",
        "-o",
        "addopts=",
        "--disable-warnings",
        "--import-mode=importlib",
        "-p",
        "no:xdist",
        "-p",
        "no:logging",
        "-p",
        "no:cacheprovider",
        "-k",
        TOO_SLOW,
        *more,
    ]


def late_results(chosen: list[Mutant], known: dict[str, Module], jobs: int) -> dict[Mutant, str]:
    """The results of mutants in functions, run in a process that imports the compiler."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        campaign = Campaign(chosen, known, jobs)
        files = sorted({file for mutant in chosen for file in tests(mutant.module)})
        status = pytest.main(options(*files), plugins=[campaign])
        with os.fdopen(writer, "w") as pipe:
            json.dump([int(status), campaign.results], pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        status, results = json.load(pipe)
    os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"pytest exits with status {status}")
    return {chosen[number]: result for number, result in results}


def fresh_results(chosen: list[Mutant], known: dict[str, Module], jobs: int) -> dict[Mutant, str]:
    def run(mutant: Mutant) -> bool:
        _limit(60)
        sys.meta_path.insert(0, Changed(known[mutant.module], mutant))
        return all(pytest.main(options(file)) == 0 for file in tests(mutant.module))

    return dict(forked(chosen, jobs, run))


def entry(mutant: Mutant) -> str:
    """A line for ``survivors.yaml``."""
    entry = {"in": mutant.key[0], "was": mutant.was, "now": mutant.now, "why": ""}
    return f"- {json.dumps(entry, ensure_ascii=False)}  # line {mutant.line}"
