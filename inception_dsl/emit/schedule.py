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


def run_length(training: Training) -> str:
    """An expression for the steps of the run."""
    return _amount(training.epochs, training.steps, by_epoch=False)


def rate_lines(training: Training) -> tuple[Code, ...]:
    """The lines of the body, indented by 4; they need ``Fraction`` and ``math`` if they name them.

    Exact for any number of epochs: of a float, the shortest decimal that is this float counts.
    """
    assert training.optimizer is not None
    assert training.optimizer.rate is not None
    parts = [*training.schedule.parts()] if training.schedule else [Schedule("constant")]
    return tuple(_Body(training, literal(training.optimizer.rate), parts).lines())


def _amount(epochs: float | None, steps: int | None, *, by_epoch: bool) -> str:
    """A duration in steps, or in epochs; empty if it is not given."""
    if epochs is None:
        plain = "" if steps is None else literal(steps)
        return f"Fraction({plain} * {BATCH}, samples)" if by_epoch and plain else plain
    whole = float(epochs).is_integer()
    number = str(int(epochs)) if whole else f'Fraction("{float(epochs)!r}")'
    if by_epoch:
        return number
    if not whole:
        return f"int({number} * samples / {BATCH})"
    return f"{number} * samples // {BATCH}" if epochs != 1 else f"samples // {BATCH}"


class _Body:
    """The lines for the parts of a schedule, in order.

    ``step`` or ``epoch`` counts from the beginning of the part, ``rest`` is what is left of the
    run. Where a later part needs the step of the run, ``t`` stands for ``step``.
    """

    def __init__(self, training: Training, rate: str, parts: list[Schedule]) -> None:
        self.training, self.rate, self.parts = training, rate, parts
        again = any(part.by_epoch or part.counts_from == "run" for part in parts[1:])
        self.step = "t" if again else "step"
        self.changed = {"t", "epoch"}

    def lines(self) -> Iterator[Code]:
        """All of them."""
        for number, part in enumerate(self.parts):
            first, last = number == 0, number + 1 == len(self.parts)
            if first or part.counts_from == "run":
                yield from self._counted(number)
            own = _amount(part.epochs, part.steps, by_epoch=part.by_epoch)
            count = self._count(part)
            if last:
                if own or part.name in TIMED:
                    length = own or self._rest(number)
                    whole = length.isdecimal()  # else it may be 0
                    yield Code(f"    length = {length if whole else f'max({length}, 1)'}")
                if own and part.name not in (*TIMED, "constant"):
                    yield Code(f"    {count} = min({count}, length)")
                yield from (layout(*line, indent=4) for line in self._returned(part, last=True))
                return
            yield Code(f"    length = {own}")
            yield Code(f"    if {count} < length:")
            yield from (layout(*line, indent=8) for line in self._returned(part, last=False))
            yield from self._passed(number, part)

    def _count(self, part: Schedule) -> str:
        return "epoch" if part.by_epoch else self.step

    def _following(self, number: int) -> list[Schedule]:
        """The parts from ``number`` on that count from the same beginning."""
        found: list[Schedule] = []
        for part in self.parts[number:]:
            if found and part.counts_from == "run":
                break
            found.append(part)
        return found

    def _counted(self, number: int) -> Iterator[Code]:
        """The lines that begin to count at the beginning of the run."""
        following = self._following(number)
        by_epoch = [part.by_epoch for part in following]
        if self.step == "t" and not all(by_epoch) and "t" in self.changed:
            yield Code("    t = step")
        if any(by_epoch) and "epoch" in self.changed:
            yield Code(f"    epoch = step * {BATCH} // samples")
        self.changed -= {"epoch"} if any(by_epoch) else set()
        self.changed -= {"t"} if not all(by_epoch) else set()
        if self._needs_rest(following):
            yield Code(f"    rest = {self._whole(self.parts[-1])}")

    def _needs_rest(self, following: list[Schedule]) -> bool:
        """Whether the last part takes what is left after the parts before it."""
        last = self.parts[-1]
        endless = last.name in TIMED and last.epochs is None and last.steps is None
        return endless and len(following) > 1 and following[-1] is last

    def _whole(self, part: Schedule) -> str:
        """The length of the run."""
        if not part.by_epoch:
            return TOTAL
        return _amount(self.training.epochs, self.training.steps, by_epoch=True)

    def _rest(self, number: int) -> str:
        """What is left of the run for the last part."""
        whole = number == 0 or self.parts[number].counts_from == "run"
        return self._whole(self.parts[number]) if whole else "rest"

    def _passed(self, number: int, part: Schedule) -> Iterator[Code]:
        """The lines after a part, by which those after it count from its end."""
        following = self._following(number)
        later = following[1:]
        own = {by: _amount(part.epochs, part.steps, by_epoch=by) for by in (False, True)}
        own[part.by_epoch] = "length"
        if any(not one.by_epoch for one in later):
            self.changed.add("t")
            yield Code(f"    {self.step} -= {own[False]}")
        if any(one.by_epoch for one in later):
            self.changed.add("epoch")
            whole = part.epochs is not None and float(part.epochs).is_integer()
            yield Code(
                "    epoch -= length" if whole else f"    epoch = max(epoch - {own[True]}, 0)"
            )
        if self._needs_rest(following):
            yield Code(f"    rest -= {own[self.parts[-1].by_epoch]}")

    def _returned(self, part: Schedule, *, last: bool) -> Iterator[_Line]:
        """The lines that return the rate of a part, of ``length`` for some; the ``last`` one then
        stays as it ends.
        """
        count, back = self._count(part), f"return {self.rate} * "
        share = f"min({count} / length, 1.0)" if last else f"{count} / length"
        if part.name in ("staircase", "exponential"):
            every = _amount(part.every_epochs, part.every_steps, by_epoch=part.by_epoch)
            short = part.every_epochs is not None and part.every_epochs < 1 and not part.by_epoch
            yield "every = ", f"max({every}, 1)" if short else every
            passed = f"{count} // every" if part.name == "staircase" else f"{count} / every"
            yield back, f"{literal(part.factor)} ** ({passed})"
        elif part.name == "steps":
            at = [_amount(e, None, by_epoch=part.by_epoch) for e in part.at_epochs or ()]
            at += [_amount(None, s, by_epoch=part.by_epoch) for s in part.at_steps or ()]
            yield "changes = ", listing(at)
            yield back, f"{literal(part.factor)} ** sum({count} >= at for at in changes)"
        elif part.name == "polynomial":
            yield "left = ", f"(1 - {share}) ** {literal(part.power)}"
            yield back, _decayed(part)
        elif part.name == "cosine":
            yield "left = ", f"0.5 * (1 + math.cos(math.pi * {share}))"
            yield back, _decayed(part)
        elif part.name == "warm_up":
            start, plain = literal(part.start), share if last else f"({share})"
            yield back, f"({start} + (1 - {start}) * {share})" if part.start else plain
        else:
            yield "return ", self.rate


def _decayed(part: Schedule) -> str:
    """The factor of a schedule that falls from 1 to ``end``, where ``left`` is left of the way."""
    return f"((1 - {literal(part.end)}) * left + {literal(part.end)})" if part.end else "left"
