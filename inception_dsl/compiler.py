"""The pipeline, from a file to a typed program; read it from top to bottom.

Each stage returns a value and adds its mistakes to the report; none prints, none raises at a user.
What has a mistake is left out of the value, so that each stage finds the mistakes of its own in the
rest. Warnings come last, of a spec without mistakes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from .analysis.expand import expand
from .analysis.infer import infer
from .diagnostics.report import Report
from .ir.typed import TypedProgram
from .language.link import link
from .language.load import load
from .passes.budget import check_layers, check_size
from .passes.checkpoint import check_names
from .passes.paths import check_paths
from .passes.warn import warn


def compile_spec(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
) -> TypedProgram | None:
    """The typed program of the spec at ``path``, or ``None`` with every mistake found in
    ``report``.

    ``root`` is the folder that the spec's files must stand in
    (:mod:`~inception_dsl.language.roots`). Of a spec without mistakes, the report has the warnings.
    """
    before = len(report.diagnostics)
    spec = load(path, settings, report, root)
    if spec is None:
        return None
    linked = link(spec, report)
    program = expand(spec, linked, report)
    if report.crowded(before) or not check_layers(program, report):
        return None
    typed = infer(program, report)
    if typed is None or len(report.diagnostics) > before:
        return None
    if not check_size(typed, report) or not check_paths(typed, report):
        return None
    if not check_names(typed, report):
        return None
    warn(spec, linked, typed, report)
    return typed
