"""Warnings: a valid spec with something that is probably not intended.

One file for each warning; the order is ``CHECKS``. Each is reported once for each location in the
spec, for its worst case, unless an ``allow`` around the location lists its code. Checks with
``once`` have one report for all locations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

from ...diagnostics.report import Diagnostic, Report
from ...ir.program import Program
from ...ir.typed import TypedProgram
from ...language.link import LinkedBlock
from ...language.load import Spec
from . import (
    bias,
    bottleneck,
    classifier,
    factorise,
    grid,
    names,
    order,
    residual,
    schedule,
    statistics,
    unused,
)
from .allowed import Used, idle
from .survey import Check, Found, Survey

CHECKS: Final[tuple[Check, ...]] = (
    unused.PARAMETERS,
    unused.BLOCKS,
    names.CHECK,
    grid.CHECK,
    residual.CHECK,
    factorise.CHECK,
    bias.CHECK,
    bottleneck.CHECK,
    order.CHECK,
    classifier.SINGLE,
    classifier.FIXED,
    classifier.MAP,
    statistics.CHECK,
    schedule.CHECK,
)


def warn(
    spec: Spec,
    linked: Mapping[str, LinkedBlock],
    typed: TypedProgram,
    report: Report,
    checks: Iterable[Check] = CHECKS,
    misfits: tuple[Diagnostic, ...] = (),
) -> None:
    """Add every warning on ``typed`` to the report, in no particular order.

    ``misfits`` is what is wrong in the names of published weights, where that is no error.
    """
    survey = Survey(spec, linked, typed, misfits)
    used = Used()
    for check in checks:
        groups = _by_location(check.find(survey))
        for found in [[*chain(*groups)]] if check.once and groups else groups:
            _report(check, survey, found, used, report)
    for warning in idle(survey, used) if checks is CHECKS else ():
        report.warning("W303", warning.message, warning.span, help=warning.help)


def warn_unused(
    spec: Spec, linked: Mapping[str, LinkedBlock], program: Program, report: Report
) -> None:
    """Add the warnings on a program whose shapes are not known."""
    without = TypedProgram(program, {}, (), {}, program.values)
    warn(spec, linked, without, report, (unused.PARAMETERS, unused.BLOCKS))


def _by_location(found: Iterable[Found]) -> list[list[Found]]:
    """The cases for each location, the worst first."""
    locations: dict[object, list[Found]] = {}
    for one in found:
        locations.setdefault(one.key, []).append(one)
    return [sorted(cases, key=lambda one: -one.weight) for cases in locations.values()]


def _report(check: Check, survey: Survey, found: list[Found], used: Used, report: Report) -> None:
    """Report the cases at one location, unless they are allowed."""
    warning = check.describe(survey, found)
    if warning is None:
        return
    left = [one for one in found if not used.allows(check.code, one.context.scopes)]
    if len(left) < len(found):
        warning = check.describe(survey, left) if left else None
    if warning is None:
        return
    notes = [
        f"in: {node.origin.span('use')}, use of `{node.block}`"
        for node in reversed(left[0].context.uses)
    ]
    if len(left) > 1 and not check.once:
        notes.append(f"the worst of {len(left):,} cases with different shapes or arguments")
    report.warning(
        check.code,
        warning.message,
        warning.span,
        help=warning.help,
        notes=notes,
        related=warning.related,
        fix=warning.fix,
    )
