"""The results of ``verify --recipe`` as text and as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import aligned, printable
from ..types.optimizers import FORMS, TITLES
from . import whole_steps
from .recipe import BOUND, STEPS, training_of
from .recipes import KINDS, RecipeVerification


def table(found: RecipeVerification, style: Style = PLAIN) -> str:
    """The largest errors of each framework and the bound, of the optimisers and of whole steps;
    then the first difference.
    """
    lines = [style.strong(heading(found))]
    for title, kinds, bound, errors in _parts(found):
        rows = [[title, *kinds, ""]]
        for outcome, own in zip(found.outcomes, errors, strict=True):
            cells = [f"{own[kind]:.1e}" if kind in own else "" for kind in kinds]
            agrees = own and all(error <= bound for error in own.values())
            status = outcome.status if not own else "agrees" if agrees else "differs"
            rows.append([outcome.target, *cells, status])
        rows.append(["allowed", *[f"{bound:.1e}"] * len(kinds), ""])
        columns, *others = (f"  {line}" for line in aligned(rows, (0, len(rows[0]) - 1)))
        lines += [style.frame(columns), *others]
    for outcome in found.outcomes:
        if not outcome.ok:
            lines.append(f"  {outcome.target} {outcome.status}: {printable(outcome.reason)}")
    return "\n".join(lines)


_Part: TypeAlias = tuple[str, Sequence[str], float, list[Mapping[str, float]]]


def _parts(found: RecipeVerification) -> list[_Part]:
    """Title, kinds, bound and the errors of all frameworks, of updates and of whole steps."""
    updates, whole = [o.errors for o in found.outcomes], [o.whole for o in found.outcomes]
    kinds = [kind for kind in whole_steps.KINDS if any(kind in own for own in whole)]
    parts: list[_Part] = [(f"{STEPS} updates", KINDS, BOUND, updates)]
    if kinds:
        parts.append((f"{whole_steps.STEPS} whole steps", kinds, whole_steps.BOUND, whole))
    return parts


def heading(found: RecipeVerification) -> str:
    """The spec, and what is compared."""
    program, settings = found.narrow.typed.program, found.narrow.settings
    optimizer = training_of(found.narrow.typed).optimizer
    assert optimizer is not None
    assert optimizer.form is not None
    at = f" at {settings['width']} of its width" if "width" in settings else ""
    size = "x".join(map(str, (*program.input.spatial, program.input.channels)))
    text = f"{TITLES[optimizer.name]} as {FORMS[optimizer.form].title} defines it"
    return f"{printable(found.spec)}: {program.id}{at} on {size}, {text}, float64"


def to_dict(found: RecipeVerification) -> dict[str, Any]:
    """The data of ``inception-dsl verify --recipe --json``; infinite values are ``null``."""
    return {
        "spec": found.spec,
        "name": found.narrow.typed.program.id,
        "settings": found.narrow.settings,
        "steps": STEPS,
        "allowed": BOUND,
        "whole_steps": whole_steps.STEPS,
        "allowed_whole_steps": whole_steps.BOUND,
        "agrees": all(outcome.ok for outcome in found.outcomes),
        "outcomes": [
            {
                "target": outcome.target,
                "status": outcome.status,
                "reason": outcome.reason,
                "seconds": round(outcome.seconds, 3),
                "errors": _finite(outcome.errors),
                "whole_steps": _finite(outcome.whole),
            }
            for outcome in found.outcomes
        ],
    }


def _finite(errors: Mapping[str, float]) -> dict[str, float | None]:
    return {kind: e if math.isfinite(e) else None for kind, e in errors.items()}
