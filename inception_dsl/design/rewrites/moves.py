"""The rules that apply to a spec, with what each would save in each block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...analysis.step_costs import StepCost
from ...diagnostics.report import PLAIN, Style
from ..compared import Difference
from ..tables import Line, Table
from . import RULES
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
        self.found = [move for rule in RULES for move in _moves(spec, rule)]

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


def _moves(spec: Spec, rule: Rule) -> Iterator[Move]:
    """A rule with the blocks it applies to, each with what the network saves by it there."""
    groups: dict[str, list[Place]] = {}
    for place in filter(rule.meant, places(spec.program)):
        # a block that changes its output changes what others cost, so that each is tried alone
        groups.setdefault("" if rule.keeps else place.owner, []).append(place)
    for wanted in groups.values():
        attempt = spec.attempt(rule, wanted, {})
        found = costs(spec.program, attempt)
        for owner in dict.fromkeys(place.owner for place in attempt.places):
            more = StepCost()
            for key, cost in found.items():
                if not rule.keeps or (key is not None and key[0] == owner):
                    more = more.plus(cost.more)
            own = tuple(place for place in attempt.places if place.owner == owner)
            yield Move(rule, owner, own, more.parameters, more.macs)
