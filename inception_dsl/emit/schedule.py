"""The schedule of a recipe as Python: the body of ``learning_rate(step, samples)`` of a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from ..ir.recipe import TIMED, Schedule, Training
from .pycode import Code, Expression, layout, listing, literal

BATCH: Final = "BATCH_SIZE"
TOTAL: Final = "steps_of_run(samples)"
"""The expressions of a script for the size of a batch and the steps of the run."""
_Line: TypeAlias = tuple[str, Expression]


def duration(epochs: float | None, steps: int | None) -> str:
    """An expression for a duration in steps, for ``samples`` images; empty if it is not given.

    Exact for any number of epochs: of a float, the shortest decimal that is this float counts.
    """
    if epochs is None:
        return "" if steps is None else literal(steps)
    if float(epochs).is_integer():
        return f"{int(epochs)} * samples // {BATCH}" if epochs != 1 else f"samples // {BATCH}"
    return f'int(Fraction("{float(epochs)!r}") * samples / {BATCH})'


def uses_fractions(training: Training) -> bool:
    """Whether a script needs ``Fraction``."""
    parts = training.schedule.parts() if training.schedule else ()
    own = [e for p in parts for e in (p.epochs, p.every_epochs, *(p.at_epochs or ()))]
    return any(e is not None and not float(e).is_integer() for e in (training.epochs, *own))


def run_length(training: Training) -> str:
    """An expression for the steps of the run."""
    return duration(training.epochs, training.steps)


def rate_lines(training: Training) -> tuple[Code, ...]:
    """The lines of the body, indented by 4."""
    assert training.optimizer is not None
    assert training.optimizer.rate is not None
    rate = literal(training.optimizer.rate)
    parts = [*training.schedule.parts()] if training.schedule else [Schedule("constant")]
    rest = len(parts) > 1 and _until_end(parts[-1])
    lines = [Code(f"    rest = {TOTAL}")] if rest else []
    for part in parts[:-1]:
        lines.append(Code(f"    length = {duration(part.epochs, part.steps)}"))
        lines.append(Code("    if step < length:"))
        lines += [layout(*line, indent=8) for line in _lines(part, rate, last=False)]
        lines.append(Code("    step -= length"))
        lines += [Code("    rest -= length")] if rest else []
    if parts[-1].name in TIMED:
        own = duration(parts[-1].epochs, parts[-1].steps)
        lines.append(Code(f"    length = max({own or ('rest' if rest else TOTAL)}, 1)"))
    return (*lines, *(layout(*line, indent=4) for line in _lines(parts[-1], rate, last=True)))


def _until_end(part: Schedule) -> bool:
    """Whether a schedule takes what is left of the run."""
    return part.name in TIMED and part.epochs is None and part.steps is None


def _lines(part: Schedule, rate: str, *, last: bool) -> Iterator[_Line]:
    """The lines that return the rate at ``step`` of a schedule, some of which take ``length``
    steps; the ``last`` one then stays as it ends.
    """
    share = "min(step / length, 1.0)" if last else "step / length"
    back = f"return {rate} * "
    if part.name in ("staircase", "exponential"):
        assert part.factor is not None
        every = duration(part.every_epochs, part.every_steps)
        short = part.every_epochs is not None and part.every_epochs < 1
        yield "every = ", f"max({every}, 1)" if short else every
        passed = "step // every" if part.name == "staircase" else "step / every"
        yield back, f"{literal(part.factor)} ** ({passed})"
    elif part.name == "steps":
        assert part.factor is not None
        at = [duration(e, None) for e in part.at_epochs or ()] + [*map(str, part.at_steps or ())]
        yield "changes = ", listing(at)
        yield back, f"{literal(part.factor)} ** sum(step >= at for at in changes)"
    elif part.name == "polynomial":
        yield "left = ", f"(1 - {share}) ** {literal(part.power)}"
        yield back, _decayed(part)
    elif part.name == "cosine":
        yield "left = ", f"0.5 * (1 + math.cos(math.pi * {share}))"
        yield back, _decayed(part)
    elif part.name == "warm_up":
        start = literal(part.start)
        plain = share if last else f"({share})"
        yield back, f"({start} + (1 - {start}) * {share})" if part.start else plain
    else:
        yield "return ", rate


def _decayed(part: Schedule) -> str:
    """The factor of a schedule that falls from 1 to ``end``, where ``left`` is left of the way."""
    return f"((1 - {literal(part.end)}) * left + {literal(part.end)})" if part.end else "left"
