"""Steps that change together or not at all: those with one text, and those with shared weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...diagnostics.report import Span
from ...ir.program import Node
from ...ir.typed import TypedProgram
from ...ir.walk import roots, sharing
from ...yaml.document import DataPath
from .places import Place
from .written import Texts, Written

WRITE_OUT = "write the step out in place of the alias"
ALIAS = f"{WRITE_OUT}, or rewrite all that have its text"
WEIGHTS = "rewrite all steps that share the weights, or remove `weights`"


class Step(NamedTuple):
    """A step of the spec that is to be rewritten, and its text in the files to edit."""

    place: Place
    written: Written


class Alone(NamedTuple):
    """A step that has to change together with one that stays."""

    place: Place
    reason: str
    help: str


class Together:
    """The steps of a program by those that change together."""

    def __init__(
        self, typed: TypedProgram, found: Sequence[Place], texts: Texts, inside: bool
    ) -> None:
        self.found, self.texts = {id(place.node): place for place in found}, texts
        self.inside, self.spans = inside, dict[Span, list[Place]]()
        for place in found:
            self.spans.setdefault(self._span(place), []).append(place)
        self.pairs = shared(typed)
        self.linked: dict[int, set[int]] = {id(place.node): set() for place in found}
        groups = ([id(p.node) for p in group] for group in self.spans.values())
        for first, *rest in (*groups, *((id(a), id(b)) for a, b in self.pairs)):
            for other in rest:
                self.linked[first].add(other)
                self.linked[other].add(first)

    def units(self, steps: Sequence[Step]) -> tuple[list[list[Step]], list[Alone]]:
        """The steps that can change, those that change together as one unit, and the others."""
        known = {id(step.written.place.node): step for step in steps}
        units, alone, seen = list[list[Step]](), list[Alone](), set[int]()
        for node in known:
            if node in seen:
                continue
            unit = [*self._all(node)]
            seen |= {*unit}
            own = [known[one] for one in unit if one in known]
            reason = self._problem(unit, known)
            if reason is None:
                units.append(own)
            else:
                alone += [Alone(step.place, *reason) for step in own]
        return units, alone

    def _span(self, place: Place) -> Span:
        """Where the text is that changes: of an alias that of its anchor, unless the rule only
        writes steps beside it.
        """
        origin = place.node.origin
        return origin.span() if self.inside else self._alias(origin.span(), origin.path)

    def _alias(self, span: Span, path: DataPath) -> Span:
        document = self.texts.documents.get(span.file)
        return document.aliases.get(path, span) if document else span

    def _count(self, place: Place) -> int:
        """How many steps of the file have this text."""
        span, here = place.node.origin.span(), self._span(place)
        paths = self.texts.paths.get(span.file, {}).get(span, [])
        return sum(1 for path in paths if self.inside or self._alias(span, path) == here)

    def _all(self, node: int) -> Iterable[int]:
        """All steps that change together with one."""
        found, waiting = dict[int, None](), [node]
        while waiting:
            if (one := waiting.pop(0)) not in found:
                found[one] = None
                waiting += sorted(self.linked[one] - found.keys())
        return found

    def _problem(self, unit: Sequence[int], known: Iterable[int]) -> tuple[str, str] | None:
        """Why a unit cannot change, and what helps."""
        for node in unit:
            place = self.found[node]
            group, count = self.spans[self._span(place)], self._count(place)
            other = next((p for p in group if id(p.node) not in known), None)
            if other is not None and len(group) > 1:
                return f"it has the text of `{other.text}` (an alias), which stays", ALIAS
            if len(group) < count:
                return "another part of the spec that does not run has its text (an alias)", ALIAS
            if node not in known:
                return f"it shares weights with `{place.text}`, which stays", WEIGHTS
        return None


def shared(typed: TypedProgram) -> list[tuple[Node, Node]]:
    """The steps that have the weights of another one, each with that one."""
    found = (
        (step.node, owner.node) for chains in roots(typed) for step, owner, _ in sharing(chains)
    )
    return [*{(id(step), id(owner)): (step, owner) for step, owner in found}.values()]
