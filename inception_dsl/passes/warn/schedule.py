"""W411: a schedule whose length is not that of the run: cut off, too short, or never begun.

A warm-up that is cut off is an error (E210); after one, and in a constant schedule, the rate may
stay as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics.words import counted
from ...ir.recipe import TIMED, Course, Training
from ...types.optimizers import UNITS
from .survey import Check, Found, Survey, Warn

_STAYS = ("constant", "warm_up", "plateau")


def _find(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    training = program.training
    if training is None or training.length[0] is None:
        return
    path: tuple[str, ...] = ("training", "schedule")
    for course in training.courses():
        if data := _mismatch(training, course):
            yield Found(program.origin.below(*path, data[0]), survey.top, 0, (*data, course.part))
            return  # what follows comes too late or too early because of it
        path = (*path, "then")


def _mismatch(training: Training, course: Course) -> tuple[str, str] | None:
    """The field of a schedule that does not fit the run, and what is when."""
    (part, begin, end, origin), (run, unit) = course, training.length
    assert run is not None
    slack = len(training.courses()) if unit == "steps" else 1e-9  # each duration is rounded down
    name = f"the {part.name.replace('_', '-')} schedule"
    own = next((field for field in UNITS if getattr(part, field) is not None), "name")
    if begin >= run:
        return "name", f"{name} begins after {counted(begin, unit)}"
    cut = end is not None and part.name != "warm_up" and end > run + slack
    early = end is not None and part.then is None and part.name not in _STAYS and end < run - slack
    if end is not None and (cut or early):
        return own, f"{name} ends after {counted(end, unit)}"
    changes = [("at_epochs", training.in_length(at, None)) for at in part.at_epochs or ()]
    changes += [("at_steps", training.in_length(None, at)) for at in part.at_steps or ()]
    for field, at in changes:
        if at is not None and origin + at >= run:
            return field, f"the rate changes after {counted(origin + at, unit)}"
    return None


def _describe(survey: Survey, found: list[Found]) -> Warn:
    training = survey.typed.program.training
    assert training is not None
    run, unit = training.length
    assert run is not None
    field, when, part = found[0].data
    help = "use a run and a schedule of one length"
    if field in UNITS and part.name in TIMED and part.then is None:
        help = f"remove `{field}`, and it lasts until the run ends"
    return Warn(f"{when}, and the run after {counted(run, unit)}", found[0].origin.span(), help)


CHECK = Check("W411", _find, _describe)
