"""Applies a rule to steps of a spec, and compiles the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

from ...diagnostics.report import Report
from ...ir.typed import TypedProgram
from .aliases import written_out
from .application import Application
from .edited import edited, lost
from .moving import RefusedError
from .places import Place, places
from .rule import Rule
from .shared import Shared
from .sources import Base, Files, Refusal, Sources, refusal
from .together import ALIAS, WRITE_OUT, Step, Together
from .written import Texts, Written

_ROUNDS: Final = 3
"""How often aliases are written out; an alias may be in the text of another one."""


class Attempt(NamedTuple):
    """A rule applied to steps: the new texts, and what they compile to.

    ``sizes`` are the numbers of steps that stand for each of ``places`` then.
    """

    files: Files
    typed: TypedProgram
    places: tuple[Place, ...]
    sizes: tuple[int, ...]
    refusals: tuple[Refusal, ...] = ()


class _Before(NamedTuple):
    """The chosen places, the files to edit, and those that cannot be edited in any file."""

    chosen: tuple[Place, ...]
    base: Base
    refusals: tuple[Refusal, ...]


class Spec(Sources):
    """A compiled spec to which rules are applied."""

    def attempt(self, rule: Rule, chosen: Sequence[Place], values: Mapping[str, Any]) -> Attempt:
        """The rule at all chosen places where it is possible, with the reasons for the others."""
        application = Application(rule, rule.values(values))
        base, refusals = self.base(chosen)
        before = _Before(tuple(chosen), base, tuple(refusals))
        found, apart = self._apart(application, before, {*map(id, chosen)})
        done = {*map(id, found.places)}
        if apart - done:  # aliases of what is not rewritten stay
            again, _ = self._apart(application, before, done)
            return again if len(again.places) == len(done) else found
        return found

    def _apart(
        self, application: Application, before: _Before, free: Set[int]
    ) -> tuple[Attempt, set[int]]:
        """The rule at all chosen places; those of ``free`` may get a text of their own, and those
        that did.
        """
        best = found = self._attempt(application, before)
        apart = set[int]()
        for _ in range(_ROUNDS):
            tied = [r.place for r in found.refusals if r.help in (WRITE_OUT, ALIAS)]
            tied = [place for place in tied if id(place) in free]
            base = self._written_out(before.base, tied)
            if base is None:
                break
            before = before._replace(base=base)
            apart |= {*map(id, tied)}
            found = self._attempt(application, before)
            best = found if len(found.places) > len(best.places) else best
        return best, apart

    def _written_out(self, base: Base, tied: Sequence[Place]) -> Base | None:
        """The same files with the texts of these steps written out; ``None`` if they cannot be."""
        texts = Texts(base.typed, base.texts)
        now = {place.key: place for place in places(base.typed)}
        if any(isinstance(texts.find(now[place.key]), str) for place in tied):
            return None
        changed = written_out([now[place.key] for place in tied], texts)
        if not changed:
            return None
        whole = {**base.texts, **changed}
        try:
            typed = self.compiled({self.target: whole[self.target], **changed}, Report(), "")
        except RefusedError:
            return None
        return Base(whole, typed)

    def _attempt(self, application: Application, before: _Before) -> Attempt:
        """The rule at the chosen places of these files."""
        rule, chosen, base = application.rule, before.chosen, before.base
        refusals = [*before.refusals]
        texts, gone = Texts(base.typed, base.texts), {id(r.place) for r in refusals}
        found = places(base.typed)
        now = {place.key: place for place in found}
        possible = list[Step]()
        for place in (place for place in chosen if id(place) not in gone):
            written = texts.find(now[place.key])
            reason = written if isinstance(written, str) else ""
            if isinstance(written, Written):
                reason = application.obstacle(written) or self._shifted(application, written)
                possible += [] if reason else [Step(place, written)]
            refusals += [Refusal(place, reason)] if reason else []
        units, alone = Together(base.typed, found, texts, rule.inside).units(possible)
        best, failed = self._together(application, base, units)
        refusals += [Refusal(*one) for one in alone]
        return best._replace(refusals=(*refusals, *failed))

    def _shifted(self, application: Application, written: Written) -> str:
        """Why new steps would change which step a setting means; empty if they do not."""
        owner, (*around, own) = written.place.key
        before = [*(["blocks", owner] if owner else []), *map(str, around)]
        apart = written._replace(taken={*written.taken})
        more = application.replaced(apart).steps > 1 if self.settings else False
        for name in self.settings if more else ():
            path = name.split(".")
            index = path[len(before)] if len(path) > len(before) else ""
            if path[: len(before)] == before and index.isdecimal() and int(index) > int(own):
                return f"the setting `{name}` names a later step by its position"
        return ""

    def _together(
        self, application: Application, base: Base, units: list[list[Step]]
    ) -> tuple[Attempt, list[Refusal]]:
        """All units at once; after an error halves of them, without those that cause it."""
        best, kept = Attempt({}, self.program, (), ()), list[Step]()
        refusals, groups = list[Refusal](), [units] if units else []
        while groups:
            group = groups.pop(0)
            steps = [step for unit in group for step in unit]
            try:
                best = self._edited(application, base, [*kept, *steps])
                kept += steps
            except RefusedError as error:
                if half := len(group) // 2:
                    groups = [group[:half], group[half:], *groups]
                else:
                    refusals += [refusal(step.place, error) for step in steps]
        return best, refusals

    def _edited(self, application: Application, base: Base, steps: Sequence[Step]) -> Attempt:
        """The rule at these places; raises :class:`RefusedError` if the result is not a spec."""
        written = [step.written for step in steps]
        found = edited(application, base.texts, written)
        found = Shared(self, application, base, written).result(found)
        whole = {self.target: base.texts[self.target], **found.texts}
        result = self.compiled(whole, Report(), "the result has an error,")
        if application.rule.keeps and dict(result.outputs) != dict(self.program.outputs):
            raise RefusedError("the output of the network would get another shape")
        if problem := lost(base.texts, found.texts):
            raise RefusedError(problem)
        files = {f: text for f, text in whole.items() if self.new or self.texts.get(f) != text}
        return Attempt(files, result, tuple(step.place for step in steps), found.sizes)
