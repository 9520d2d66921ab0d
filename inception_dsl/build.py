"""Specs to files: every text is made before the first file is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from . import plugins
from .compiler import compile_spec
from .diagnostics import Report, Span
from .ir.typed import TypedProgram
from .plugins import Plugin
from .write import difference, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .backend import Backend


class Order(NamedTuple):
    """What to build: ``specs`` (paths), for which ``backends``, below which folder."""

    specs: Sequence[str]
    settings: Mapping[str, str]
    backends: Sequence[tuple[Plugin, Backend]]
    out: Path


def build(order: Order, report: Report) -> dict[Path, str] | None:
    """The text of every file, or ``None`` with the mistakes of all specs in the report."""
    before = len(report.diagnostics)
    files: dict[Path, str] = {}
    origins: dict[Path, str] = {}
    for spec in dict.fromkeys(order.specs):
        typed = compile_spec(spec, order.settings, report)
        if typed is None:
            continue
        for plugin, backend in order.backends:
            path = order.out / backend.name / f"{file_stem(spec, typed)}{backend.suffix}"
            if origins.setdefault(path, spec) != spec:
                message = f"{spec} and {origins[path]} would both be written to {path}"
                report.error("E601", message, Span(spec, 1, 1, 1, 2), help="build them apart, with `--out`")
                continue
            text = plugins.emit(plugin, backend, typed, report)
            if text is not None:
                files[path] = text
    return files if len(report.diagnostics) == before else None


def file_stem(spec: str, typed: TypedProgram) -> str:
    """The spec's file name without its ending, where that can name a module; else the spec's id."""
    stem = Path(spec).stem
    return stem if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", stem) else typed.program.id


def save(files: Mapping[Path, str], report: Report) -> list[Path]:
    """Write what has changed; the paths that were written."""
    changed = {path: text for path, text in files.items() if not path.is_file() or difference(path, text)}
    return list(changed) if write_all(changed, report) else []


def compare(files: Mapping[Path, str], report: Report) -> str:
    """The differences between the files on disk and what they should be, as one diff."""
    shown = []
    for path, text in files.items():
        found = difference(path, text)
        if found:
            shown.append(found)
            report.error("E602", f"{path} is not up to date", Span(str(path), 1, 1, 1, 2), help="build it again")
    return "\n".join(shown)
