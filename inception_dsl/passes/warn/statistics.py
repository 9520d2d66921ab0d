"""W410: a batch-norm decay that outlasts the run, so that evaluation uses initial statistics.

After n steps the moving statistics are 1 - decay ** n those of the data.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ops import BatchNormFields, Op, steps_until_settled
from .survey import Check, Found, Survey, Warn


def _find(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    steps = program.training.total if program.training else None
    if steps is None:
        return
    field = "steps" if program.training and program.training.steps is not None else "epochs"
    origin = program.origin.below("training", field)
    for case, typed in survey.layers(Op):
        norm = getattr(typed.op, "batch_norm", typed.op)
        if isinstance(norm, BatchNormFields) and steps < steps_until_settled(norm.decay):
            yield Found(origin, case.context, round(norm.decay * 10**9), (norm.decay, steps))


def _describe(_: Survey, found: list[Found]) -> Warn:
    decay, steps = found[0].data
    needed = steps_until_settled(decay)
    message = (
        f"the run has {steps:,} steps, after which the moving statistics of batch norm with "
        f"decay {decay:g} are {1 - decay**steps:.0%} of the data's"
    )
    when = f"95 % takes {needed:,.0f} steps; " if decay < 1 else ""
    help = f"{when}use a smaller `decay`, or `recalibrate` in the generated file"
    return Warn(message, found[0].origin.span(), help)


CHECK = Check("W410", _find, _describe)
