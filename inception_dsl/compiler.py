"""The pipeline from a file to a typed program.

Each stage returns a value and adds errors to the report; no stage prints, and none raises an
exception for an error in the spec. A stage leaves out the parts that have errors, so that the next
stage still checks the rest. Warnings come last, and only for a spec without errors.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .analysis.expand import expand
from .analysis.infer import Inference
from .analysis.unset import check_unset, unset_in
from .diagnostics.report import Diagnostic, Report
from .diagnostics.text import printable
from .ir.typed import TypedProgram
from .language.file_names import named, named_by_user
from .language.link import link
from .language.load import Spec, load
from .language.roots import root_of
from .passes.budget import check_layers, check_size
from .passes.checkpoint import check_names
from .passes.losses import check_losses
from .passes.paths import check_paths
from .passes.warn import warn, warn_unused
from .types.tensor import TensorType
from .yaml.document import DataPath, Document
from .yaml.source import parse


class Compiled(NamedTuple):
    """What the stages make of a spec.

    ``typed`` is ``None`` if there are errors, or if ``unset`` is not empty: the names of what a
    block needs to be built, the parameters without a value and its ``input``. ``wanted`` are the
    inputs, if shapes have errors, and ``part`` is what is before the first of these errors.
    """

    typed: TypedProgram | None = None
    unset: tuple[str, ...] = ()
    wanted: Mapping[str, TensorType] | None = None
    part: TypedProgram | None = None


def compile_spec(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
    *,
    deep: bool = True,
    named: bool = False,
) -> TypedProgram | None:
    """The typed program of the spec at ``path``, or ``None`` with all errors in ``report``.

    ``root`` is the project folder: files outside it are rejected
    (:mod:`~inception_dsl.language.roots`). If there are no errors, the report has the warnings.
    ``deep``: what the spec extends is searched for causes of errors, too. ``named``: names of
    published weights must fit; else those that a change makes wrong are a warning.
    """
    return check_spec(path, settings, report, root, alone=True, deep=deep, named=named).typed


def compile_quickly(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
) -> TypedProgram | None:
    """As :func:`compile_spec`, but without warnings, and errors are where they are found.

    For many variants of one spec: the causes of errors and the warnings take half of the time.
    """
    return _compiled(path, settings, report, root, alone=True, warned=False).typed


def check_spec(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
    *,
    alone: bool = False,
    deep: bool = True,
    named: bool = False,
) -> Compiled:
    """As :func:`compile_spec`, but a block that cannot be built ``alone`` is no error."""
    found = Report()

    def again(kept: Mapping[str, str], other: Report, without: Sequence[DataPath] = ()) -> Compiled:
        return _compiled(path, kept, other, root, without, alone=alone, named=named)

    compiled = again(settings, found)
    diagnostics = found.diagnostics or found.warnings
    top = _top(path, found) if diagnostics else None
    if top is None:
        report.include(_noted(diagnostics, path, report), found.texts)
        return compiled
    # only errors and warnings need these
    from .passes.causes import Change, at_causes
    from .passes.nearest_size import with_nearest_sizes, without_input

    def attempt(change: Change) -> list[Diagnostic]:
        other = Report()
        again({n: v for n, v in settings.items() if n not in change.settings}, other, change.paths)
        return other.diagnostics or other.warnings

    def own() -> TypedProgram | None:
        kept = without_input(settings)
        return again(kept, Report(), [("input",)] if kept == settings else ()).typed

    def base() -> list[Diagnostic]:
        other, folder = Report(), root_of(Path(path), root)
        if deep:
            check_spec(_extended(top), {}, other, folder, alone=alone, deep=False, named=named)
        return other.diagnostics or other.warnings

    diagnostics = at_causes(diagnostics, top, settings, attempt, base)
    if compiled.wanted is not None:
        diagnostics = with_nearest_sizes(diagnostics, compiled.wanted, settings, own)
    report.include(_noted(diagnostics, path, report), found.texts)
    return compiled


def _misses(spec: Spec, report: Report, before: int) -> bool:
    """Whether an overlay names a step that does not exist, or removes one that is needed."""
    gone = {*spec.document.removed.values()}
    found = report.diagnostics[before:]
    return any(d.code == "E310" or (d.code == "E308" and d.span in gone) for d in found)


def _noted(
    found: list[Diagnostic], path: str | os.PathLike[str], report: Report
) -> list[Diagnostic]:
    """The diagnostics, those in settings with a note that names the spec if there are several."""
    note = f"in: {printable(named_by_user(path))}"
    return [
        replace(one, notes=(*one.notes, note))
        if report.several and one.span.on_command_line
        else one
        for one in found
    ]


def _extended(top: Document) -> str:
    """The spec that a file extends, as the user would name it."""
    wanted = str(top.data["extends"])
    return named(wanted, top.span(("extends",)).file)


def _top(path: str | os.PathLike[str], report: Report) -> Document | None:
    """The file that the user names, as it is written; ``None`` if it cannot be read."""
    file = named_by_user(path)
    text = report.texts.get(file)
    return None if text is None else parse(text, file, Report())


def _compiled(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None,
    without: Sequence[DataPath] = (),
    *,
    alone: bool,
    named: bool = False,
    warned: bool = True,
) -> Compiled:
    """The result of all stages; ``without`` are parts of the file to leave out."""
    before = len(report.diagnostics)
    spec = load(path, settings, report, root, without)
    if spec is None:
        return Compiled()
    linked = link(spec, report)
    program = expand(spec, linked, report, alone=alone)
    if report.crowded(before) or not check_layers(program, report):
        return Compiled()
    unset, open_input = unset_in(spec)
    if not alone and (unset or open_input):
        check_unset(program, unset, report)
        if len(report.diagnostics) == before:
            warn_unused(spec, linked, program, report)
        return Compiled(unset=(*unset, *["input"] * open_input))
    # shapes without the steps that an overlay means are those of another network
    inference = Inference(program, Report() if _misses(spec, report, before) else report)
    typed = inference.program_types()
    if typed is None or len(report.diagnostics) > before:
        return Compiled(wanted=program.inputs, part=inference.part)
    if not check_size(typed, report) or not check_paths(typed, report):
        return Compiled()
    if not check_losses(typed, report):
        return Compiled()
    parts = {name.split(".")[0] for name in settings}
    firm, changed = named or "checkpoints" in parts, bool(parts - {"input"})
    misfits = check_names(typed, report, changed=changed, firm=firm)
    if len(report.diagnostics) > before:
        return Compiled()
    if warned:
        warn(spec, linked, typed, report, misfits=misfits)
    return Compiled(typed)
