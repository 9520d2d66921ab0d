"""What the rewritten steps cost before and after: every layer counts once, or as elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from ...analysis.step_costs import StepCost, Written
from ...ir.typed import TypedChain, TypedOp, TypedProgram
from ...ir.walk import inner_chains
from .attempt import Attempt
from .matching import matches
from .places import Place

Row: TypeAlias = Written | None
"""The chain that rewritten steps are in; ``None``: all other layers."""


class Costs(NamedTuple):
    """The parameters and MACs of some layers, before and after."""

    old: StepCost
    new: StepCost

    @property
    def more(self) -> StepCost:
        """How much more they cost after."""
        return StepCost(0, *(b - a for a, b in zip(self.old[1:], self.new[1:], strict=True)))


def costs(typed: TypedProgram, attempt: Attempt) -> dict[Row, Costs]:
    """The costs of the rewritten steps of each chain, and of all other layers: together the totals.

    A layer counts for the innermost of the steps that contain it, also through blocks, and as often
    as it runs. Shared weights count where they belong, and auxiliary heads have no MACs, as they
    run in training only.
    """
    before = {id(place.node): row(place) for place in attempt.places}
    found = matches(typed.program, attempt.typed.program, attempt.places, attempt.sizes)
    after = {id(node): row(m.place) for m in found if m.place is not None for node in m.new}
    old, new = _added(typed, before), _added(attempt.typed, after)
    rows = dict.fromkeys([*before.values(), None])
    return {row: Costs(old.get(row, StepCost()), new.get(row, StepCost())) for row in rows}


def row(place: Place) -> Written:
    """The row that a rewritten step counts in."""
    return place.owner, place.around


def _added(typed: TypedProgram, rows: Mapping[int, Written]) -> dict[Row, StepCost]:
    """The costs of all layers by the rows of the steps, which are given by their ``id``."""
    found = _Added(rows)
    for section in typed.sections.values():
        found.add(section, None, 1, shared=False)
    for head, chain in typed.heads:
        found.inference = not head.auxiliary
        found.add(chain, None, 1, shared=False)
    return found.costs


class _Added:
    """Adds the costs of chains; ``shared`` is true inside of a use without weights of its own."""

    def __init__(self, rows: Mapping[int, Written]) -> None:
        self.rows, self.costs = rows, dict[Row, StepCost]()
        self.inference = True

    def add(self, chain: TypedChain, within: Row, times: int, *, shared: bool) -> None:
        """Add a chain that is run so many times, in a step of the row ``within``."""
        for step in chain.steps:
            row, own = self.rows.get(id(step.node), within), shared or bool(step.node.shares)
            for run in step.runs:
                count, node = times * run.count, run.typed
                if isinstance(node, TypedOp):
                    weights = 0 if own else sum(weight.size for weight in node.weights)
                    cost = StepCost(0, count * weights, count * node.macs * self.inference)
                    self.costs[row] = self.costs.get(row, StepCost()).plus(cost)
                    continue
                for inner in inner_chains(node):
                    if inner.size:  # nested uses without layers may be exponentially many
                        self.add(inner, row, count, shared=own)
