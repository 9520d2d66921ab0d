"""Warnings: what a designer may want to know of a spec that is right.

One file for each; the order is ``CHECKS``.

Every warning is told once for each place in the spec, of its worst case, and not where an ``allow``
around the place names it. Nothing is changed, and nothing here makes a spec wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ...diagnostics.report import Report
from ...ir.typed import TypedProgram
from ...language.link import LinkedBlock
from ...language.load import Spec
from . import bias, bottleneck, factorise, grid, residual, unused
from .allowed import Used, idle
from .survey import Check, Found, Survey

CHECKS: Final[tuple[Check, ...]] = (
    unused.PARAMETERS,
    unused.BLOCKS,
    grid.CHECK,
    residual.CHECK,
    factorise.CHECK,
    bias.CHECK,
    bottleneck.CHECK,
)


def warn(
    spec: Spec, linked: Mapping[str, LinkedBlock], typed: TypedProgram, report: Report
) -> None:
    """Add every warning on ``typed`` to the report, in no particular order."""
    survey = Survey(spec, linked, typed)
    used = Used()
    for check in CHECKS:
        for found in _by_place(check.find(survey)):
            _tell(check, survey, found, used, report)
    for told in idle(survey, used):
        report.warning("W303", told.message, told.span, help=told.help)


def _by_place(found: Iterable[Found]) -> list[list[Found]]:
    """What was found, place by place, the worst first."""
    places: dict[object, list[Found]] = {}
    for one in found:
        places.setdefault(one.key, []).append(one)
    return [sorted(cases, key=lambda one: -one.weight) for cases in places.values()]


def _tell(check: Check, survey: Survey, found: list[Found], used: Used, report: Report) -> None:
    """Report what was found at one place, unless it is allowed there."""
    told = check.tell(survey, found)
    if told is None:
        return
    left = [one for one in found if not used.allows(check.code, one.context.scopes)]
    if len(left) < len(found):
        told = check.tell(survey, left) if left else None
    if told is None:
        return
    notes = [
        f"in: {node.origin.span('use')}, use of `{node.block}`"
        for node in reversed(left[0].context.uses)
    ]
    if len(left) > 1:
        notes.append(f"the worst of {len(left):,} cases: other sizes or values have it too")
    report.warning(
        check.code,
        told.message,
        told.span,
        help=told.help,
        notes=notes,
        related=told.related,
        fix=told.fix,
    )
