"""The files that a result depends on, and whether one of them has changed.

They are asked for their state several times in a second. There are few, and unlike events of the
operating system this also works for files that do not exist yet, that editors replace by others of
the same name, and that are on network drives or in containers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from ...diagnostics.report import SHIPPED, Report, Span
from ...language.file_names import named
from ...yaml.source import parse

State: TypeAlias = tuple[int, ...] | None
"""Of a file: times, size and number. ``None`` if there is none, or it is not known."""
_RECENT: Final = 1_000_000_000
"""Nanoseconds; file systems and clocks may differ by less."""


def state(file: str) -> State:
    """The state of a file; another one after every change."""
    try:
        about = os.stat(file)
    except (OSError, ValueError):
        return None
    return about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino


def states(files: Iterable[str]) -> dict[str, State]:
    """The states of files by name."""
    return {file: state(file) for file in files}


def read_since(start: int, before: Mapping[str, State], files: Iterable[str]) -> dict[str, State]:
    """The states in which ``files`` were read after ``start``, nanoseconds since the epoch.

    ``before`` are states from before. A file that is not among them may have changed after it was
    read: if it is as new as that, its state is not known, so that it is read again.
    """
    found = {}
    for file in files:
        now = before[file] if file in before else state(file)
        known = file in before or now is None or max(now[:2]) < start - _RECENT
        found[file] = now if known else (0,)
    return found


def clock() -> int:
    """The time, in nanoseconds since the epoch, as files have it."""
    return time.time_ns()


def files_of(spec: str, report: Report) -> set[str]:
    """The files that the result for a spec depends on, also those that it wants and are missing."""
    found = {spec, *report.texts, *(d.span.file for d in report)}
    if not report.ok:
        found |= {name for file in report.texts for name in _wanted(file, report.texts[file])}
    return {file for file in found if Span(file, 1, 1, 1, 1).in_a_file}


def _wanted(file: str, text: str) -> Iterator[str]:
    """The files that a file extends or imports."""
    document = parse(text, file, Report())
    data = document.data if document is not None else None
    if not isinstance(data, dict) or file.startswith("--"):
        return
    imports = data.get("import")
    for name in [data.get("extends"), *(imports if isinstance(imports, list) else ())]:
        if isinstance(name, str) and not name.startswith(SHIPPED):
            yield named(name, file)
