"""Measures small specs that expand to huge networks, and huge files.

``python tests/nightly/bombs.py`` prints CPU time and memory for each. Every bomb runs
``inception-dsl build --all-backends --check`` in a process of its own. The CPU time is that of the
command without imports; the memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import re
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bomb import Bomb
from bombs_of_steps import STEPS
from bombs_of_text import TEXTS
from bombs_of_values import VALUES
from click.testing import CliRunner

from inception_dsl.cli import main

SECONDS, MEGABYTES, PRINTED = 0.5, 200, 200_000
GUARD: Final = 2 << 30  # limit of the address space, in bytes


class Cost(NamedTuple):
    """The result of a bomb: exit status, error codes, CPU seconds, peak megabytes, size of the
    output.
    """

    exit: int
    codes: list[str]
    seconds: float
    megabytes: float
    printed: int


BOMBS: dict[str, Bomb] = {**TEXTS, **STEPS, **VALUES}


# running


def measured(names: Iterable[str], timeout: float = 60) -> Iterator[tuple[str, Cost]]:
    """Run every bomb in a fork of this process, which has imported all that the command needs."""
    import inception_dsl.build.build
    from inception_dsl import plugins

    assert inception_dsl.build.build
    for _, backend in plugins.usable()[0]:
        importlib.import_module(f"{backend.emit.__module__}.views")
    importlib.import_module("jinja2")
    CliRunner().invoke(main, ["--version"])
    gc.disable()  # as the command does
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            one = BOMBS[name]
            # type: ignore[misc]
            _apart(lambda one=one, folder=folder: _write(one, Path(folder)), timeout)
            # type: ignore[misc]
            text = _apart(lambda one=one, folder=folder: _run(one, folder), timeout)
        yield (
            name,
            Cost(**json.loads(text)) if text.startswith("{") else Cost(-1, [text], timeout, 0, 0),
        )


def _apart(work: Callable[[], str], timeout: float) -> str:
    """The result of ``work`` in a fork of this process, or how the process ended."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (GUARD, GUARD))
        try:
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}"[:500].encode())
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], timeout)
    text = os.read(reading, 1 << 16).decode() if ready else "timeout"
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    return text or f"signal {status}"


def _write(one: Bomb, folder: Path) -> str:
    for file, text in one.files().items():
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return "done"


def _run(one: Bomb, folder: str) -> str:
    os.chdir(folder)
    start = time.process_time()
    result = CliRunner().invoke(
        main, ["build", "spec.yaml", "--all-backends", "--check", "--out", "out", *one.settings]
    )
    seconds = time.process_time() - start
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    codes = list(dict.fromkeys(re.findall(r"^error\[(E\d+)\]", result.stderr, re.MULTILINE)))
    return json.dumps(Cost(result.exit_code, codes, seconds, _peak(), len(result.output))._asdict())


def _peak() -> float:
    """The peak memory of this process in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` includes the parent's memory at the fork
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def problems(one: Bomb, cost: Cost, seconds: float = SECONDS) -> Iterator[str]:
    """How the result of a bomb differs from the expected one."""
    # a valid spec fails with E602: `--check` compares with a file that does not exist
    expected = one.code.split() or ["E602"]
    if cost.exit != 1 or sorted(cost.codes) != sorted(expected):
        yield f"exit status {cost.exit} and {cost.codes}, expected 1 and {expected}"
    if cost.seconds > seconds:
        yield f"{cost.seconds:.2f} s"
    if cost.megabytes > MEGABYTES:
        yield f"{cost.megabytes:.0f} MB"
    if cost.printed > PRINTED:
        yield f"{cost.printed:,} characters of output"


def command() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of bombs (default: all)")
    parser.add_argument("--json", action="store_true", help="print the results as lines of JSON")
    given = parser.parse_args()
    costs, wrong = [], 0
    for name, cost in measured(given.names or BOMBS):
        costs.append(cost)
        found = "; ".join(problems(BOMBS[name], cost))
        wrong += bool(found)
        line = (
            f"{name:45} {cost.seconds:6.3f} s {cost.megabytes:5.0f} MB  "
            f"{' '.join(cost.codes):10} {found}"
        ).rstrip()
        print(json.dumps([name, cost]) if given.json else line, flush=True)
    if given.json:
        return
    most = f"{max(c.seconds for c in costs):.3f} s, {max(c.megabytes for c in costs):.0f} MB"
    print(
        f"{len(costs)} bombs, {wrong} with an unexpected result or above {SECONDS} s or "
        f"{MEGABYTES} MB; largest: {most}"
    )
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    command()
