"""A verification as a table for people and as plain data for programs."""

from __future__ import annotations

import math
from typing import Any, Final

from ..diagnostics.text import printable
from .compare import BOUNDS, Check
from .run import Outcome, Verification

COUNTED: Final = ("shapes", "weights", "parameters")


def table(found: Verification) -> str:
    """The largest error of every framework in units of the reference's largest value, what is
    allowed, what differs.
    """
    kinds = [
        kind
        for kind in BOUNDS
        if any(check.kind == kind for o in found.outcomes for check in o.checks)
    ]
    rows = [["", "", *COUNTED, *kinds, ""]]
    for outcome in found.outcomes:
        checks = {check.kind: check for check in outcome.checks}
        cells = [_cell(checks.get(kind)) for kind in (*COUNTED, *kinds)]
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
                *[""] * len(COUNTED),
                *[_number(bounds.get(kind)) for kind in kinds],
                "",
            ]
        )
        if dtype == "float32":
            own = [_number(found.rounding.get(kind)) for kind in kinds]
            rows.append(["rounding", f"of {found.reference}", *[""] * len(COUNTED), *own, ""])
    return "\n".join(
        [heading(found), *_aligned(rows), *(line for o in found.outcomes for line in _reason(o))]
    )


def heading(found: Verification) -> str:
    """What was compared on what."""
    program = found.case.typed.program
    return (
        f"{printable(found.case.spec)}: {program.id} on {program.input}, {len(found.case.x)} "
        "samples"
    )


def to_dict(found: Verification) -> dict[str, Any]:
    """Plain data, as ``inception-dsl verify --json`` prints it.

    A number that is not finite is ``null``.
    """
    program = found.case.typed.program
    return {
        "spec": found.case.spec,
        "name": program.id,
        "input": list(program.input.shape),
        "samples": len(found.case.x),
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


def _reason(outcome: Outcome) -> list[str]:
    """The lines about a framework that does not agree."""
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


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = (0, 1, len(widths) - 1)
    lines = []
    for row in rows:
        cells = [
            c.ljust(w) if i in left else c.rjust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
