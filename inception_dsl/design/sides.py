"""The specs that a comparison can have on either side: files, shipped specs, git revisions."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..compiler import compile_spec
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from ..language.revisions import checked_out, is_revision, named, parts


def compiled(
    spec: str | os.PathLike[str], settings: Mapping[str, str], report: Report
) -> TypedProgram | None:
    """The typed program of a spec, also of one in a git revision, or ``None`` with errors."""
    if not is_revision(os.fspath(spec)):
        return compile_spec(spec, settings, report)
    own = Report()
    with tempfile.TemporaryDirectory(prefix="inception-dsl-") as name:
        folder = Path(name).resolve()
        path = checked_out(os.fspath(spec), folder, own)
        typed = None if path is None else compile_spec(path, settings, own, folder)
        _include(own, folder, parts(os.fspath(spec))[0], report)
    return typed


def _include(own: Report, folder: Path, label: str, report: Report) -> None:
    """Add the diagnostics of specs in a temporary folder, which ``label`` stands for."""
    texts = {named(file, folder, label): text for file, text in own.texts.items()}
    report.include((named(one, folder, label) for one in own), texts)
