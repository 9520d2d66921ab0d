"""The rules that apply to a spec, with what each would save in each block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from ...analysis.step_costs import StepCost
from ...diagnostics.report import PLAIN, Style
from ..compared import Difference
from ..tables import Line, Table
from . import RULES
from .alone import Alone
from .attempt import Spec
from .costs import costs
from .places import Place, places
from .rewriting import TOTALS, about_rule, more_text
from .rule import Rule


class Move(NamedTuple):
    """A rule that applies to steps of a block (empty: of the network itself).

    ``parameters`` and ``macs`` are by how much the network has more if only these change.
    """

    rule: Rule
    owner: str
    places: tuple[Place, ...]
    parameters: int
    macs: int


class Moves:
    """The rules that apply to a spec: ``print`` it, or read ``found``."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        found = places(spec.program)
        self.found = [move for rule in RULES for move in _moves(spec, found, rule)]

    def __str__(self) -> str:
        return self.render()

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl rewrite SPEC --json``."""
        return {
            "rules": [
                {
                    "rule": move.rule.name,
                    "block": move.owner,
                    "paths": [place.text for place in move.places],
                    "parameters": move.parameters,
                    "macs": move.macs,
                }
                for move in self.found
            ]
        }

    def render(self, style: Style = PLAIN) -> str:
        """A table: each rule with the blocks it applies to, and what it saves there."""
        if not self.found:
            return "No rule applies to this spec."
        total = {t.name: t.old for t in Difference(self._spec.program, self._spec.program).totals}
        lines = [Line(_line(move, total)) for move in self.found]
        columns = ("rule", "where", "steps", "runs", "parameters", "MACs")
        rules = dict.fromkeys(move.rule for move in self.found)
        about = [about_rule(rule, style) for rule in rules]
        return "\n".join([*Table(columns, lines, 2).text(style), "", *about])


def _line(move: Move, total: Mapping[str, int | str]) -> tuple[str, ...]:
    parameters, macs = (int(total[name]) for name in TOTALS[:2])
    runs = max(place.cost.uses for place in move.places)
    one = move.places[0].text if len(move.places) == 1 else move.owner or "the network"
    cells = (more_text(move.parameters, parameters), more_text(move.macs, macs))
    return move.rule.name, one, f"{len(move.places)}", f"{runs:,}", *cells


def _moves(spec: Spec, found: Sequence[Place], rule: Rule) -> Iterator[Move]:
    """A rule with the blocks it applies to, each with what the network saves by it there."""
    wanted = [place for place in found if rule.meant(place)]
    attempt = spec.attempt(rule, wanted, {})
    owners = _owners(attempt.places)
    if rule.keeps:
        each = costs(spec.program, attempt)
        for owner, own in owners.items():
            rows = [cost.more for key, cost in each.items() if key is not None and key[0] == owner]
            yield _move(rule, owner, own, reduce(StepCost.plus, rows, StepCost()))
        return
    # a block that changes its output changes what others cost, so that each is tried alone
    failed = _owners([refusal.place for refusal in attempt.refusals if refusal.compiled])
    alone = Alone(spec.program.program, attempt.typed.program)
    for owner in _owners(wanted):
        own, more = owners.get(owner, []), None
        if owner in failed:  # with others or alone
            attempt = spec.attempt(rule, [*own, *failed[owner]], {})
            own = [*attempt.places]
            more = Alone(spec.program.program, attempt.typed.program).more(owner) if own else None
        elif own:
            more = alone.more(owner)
        if more is not None:
            yield _move(rule, owner, own, more)


def _owners(found: Iterable[Place]) -> dict[str, list[Place]]:
    """Steps by the block that they are written in."""
    owners: dict[str, list[Place]] = {}
    for place in found:
        owners.setdefault(place.owner, []).append(place)
    return owners


def _move(rule: Rule, owner: str, own: Iterable[Place], more: StepCost) -> Move:
    return Move(rule, owner, tuple(own), more.parameters, more.macs)
