"""The result of a verification, as a table or as plain data."""

from __future__ import annotations

import math
from typing import Any, Final

from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import aligned, printable
from ..ir.program import input_shapes
from ..reference.arrays import samples
from .compare import BOUNDS, Check
from .run import Outcome, Verification

COUNTED: Final = ("shapes", "weights", "parameters", "offered")


def table(found: Verification, style: Style = PLAIN) -> str:
    """A row for each framework with its largest errors, the bounds, and the first difference.

    Errors are relative to the largest value of the reference.
    """
    kinds = [
        kind
        for kind in BOUNDS
        if any(check.kind == kind for o in found.outcomes for check in o.checks)
    ]
    used = {check.kind for o in found.outcomes for check in o.checks}
    counted = [kind for kind in COUNTED if kind != "offered" or kind in used]
    rows = [["", "", *counted, *kinds, ""]]
    for outcome in found.outcomes:
        checks = {check.kind: check for check in outcome.checks}
        cells = [_cell(checks.get(kind)) for kind in (*counted, *kinds)]
        rows.append([outcome.target, outcome.dtype, *cells, outcome.status])
    for dtype in dict.fromkeys(o.dtype for o in found.outcomes if o.checks):
        bounds = {
            check.kind: check.bound
            for o in found.outcomes
            if o.dtype == dtype
            for check in o.checks
        }
        rows.append(
            [
                "allowed",
                dtype,
                *[""] * len(counted),
                *[_number(bounds.get(kind)) for kind in kinds],
                "",
            ]
        )
        if dtype == "float32" and found.reference:
            own = [_number(found.rounding.get(kind)) for kind in kinds]
            rows.append(["rounding", f"of {found.reference}", *[""] * len(counted), *own, ""])
    left = (0, 1, len(rows[0]) - 1)
    columns, *lines = (f"  {line}" for line in aligned(rows, left))
    lines = [_painted(line, style) for line in lines]
    reasons = [line for o in found.outcomes for line in (*_note(o), *_reason(o))]
    return "\n".join([style.strong(heading(found)), style.frame(columns), *lines, *reasons])


def _painted(line: str, style: Style) -> str:
    """A row with its status, the last word, in green or red."""
    start, _, status = line.rpartition(" ")
    if status == "agrees":
        return f"{start} {style.help(status)}"
    if status in ("missing", "differs", "failed", "hung"):
        return f"{start} {style.severe(status, 'warning' if status == 'missing' else 'error')}"
    return line


def heading(found: Verification) -> str:
    """The spec, its input and the number of samples."""
    program = found.case.typed.program
    return (
        f"{printable(found.case.spec)}: {program.id} on {program.taken}, {samples(found.case.x)} "
        "samples"
    )


def to_dict(found: Verification) -> dict[str, Any]:
    """The data of ``inception-dsl verify --json``; infinite and NaN values are ``null``."""
    program = found.case.typed.program
    return {
        "spec": found.case.spec,
        "name": program.id,
        **input_shapes(program),
        "samples": samples(found.case.x),
        "agrees": found.ok,
        "rounding": {
            "of": found.reference,
            **{kind: _finite(value) for kind, value in found.rounding.items()},
        },
        "outcomes": [
            {
                "target": outcome.target,
                "dtype": outcome.dtype,
                "status": outcome.status,
                "reason": outcome.reason,
                "note": outcome.note,
                "seconds": round(outcome.seconds, 3),
                "checks": [_check(check) for check in outcome.checks],
            }
            for outcome in found.outcomes
        ],
    }


def _check(check: Check) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": check.kind, "count": check.total, "problem": check.problem}
    if check.kind not in COUNTED:
        plain |= {"error": _finite(check.error), "allowed": check.bound}
    if check.place:
        span = check.place.span
        plain["place"] = {
            "file": span.file,
            "line": span.line,
            "column": span.column,
            "what": check.place.what,
        }
    return plain


def _note(outcome: Outcome) -> list[str]:
    """The line about what was not compared in a framework that agrees."""
    if not outcome.ok or not outcome.note:
        return []
    return [f"  {outcome.target} {outcome.dtype}: {outcome.note}"]


def _reason(outcome: Outcome) -> list[str]:
    """The lines about a framework that does not agree with the reference."""
    if outcome.ok:
        return []
    lines = [f"  {outcome.target} {outcome.dtype} {outcome.status}: {printable(outcome.reason)}"]
    first = next((check for check in outcome.checks if check.problem), None)
    if first and first.place:
        lines.append(f"    --> {printable(str(first.place.span))} ({printable(first.place.what)})")
    return lines


def _cell(check: Check | None) -> str:
    if check is None:
        return ""
    return f"{check.total:,}" if check.kind in COUNTED else _number(check.error)


def _number(value: float | None) -> str:
    return (
        "" if value is None else f"{value:.1e}" if math.isfinite(value) and value else f"{value:g}"
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
