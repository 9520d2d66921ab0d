"""The pipeline from a file to a typed program.

Each stage returns a value and adds errors to the report; no stage prints, and none raises an
exception for an error in the spec. A stage leaves out the parts that have errors, so that the next
stage still checks the rest. Warnings come last, and only for a spec without errors.
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
from .passes.nearest_size import name_sizes, without_input
from .passes.paths import check_paths
from .passes.warn import warn


def compile_spec(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
) -> TypedProgram | None:
    """The typed program of the spec at ``path``, or ``None`` with all errors in ``report``.

    ``root`` is the project folder: files outside it are rejected
    (:mod:`~inception_dsl.language.roots`). If there are no errors, the report has the warnings.
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
        others = without_input(settings)
        own = compile_spec(path, others, Report(), root) if others != settings else None
        if own is not None:
            name_sizes(own, program.input, report, before)
        return None
    if not check_size(typed, report) or not check_paths(typed, report):
        return None
    if not check_names(typed, report):
        return None
    warn(spec, linked, typed, report)
    return typed
