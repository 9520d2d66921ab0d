"""What the rewritten steps cost before and after: every layer counts once, or as elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple, TypeAlias

from ...analysis.step_costs import StepCost, Written
from ...ir.program import Chain, ForkNode, Node, Program
from ...ir.typed import TypedChain, TypedOp, TypedProgram
from ...ir.walk import inner_chains
from .attempt import Attempt
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
    after = {id(node): row(p) for p, node in _new_nodes(typed.program, attempt)}
    old, new = _added(typed, before), _added(attempt.typed, after)
    rows = dict.fromkeys([*before.values(), None])
    return {row: Costs(old.get(row, StepCost()), new.get(row, StepCost())) for row in rows}


def row(place: Place) -> Written:
    """The row that a rewritten step counts in."""
    return place.owner, place.around


def _new_nodes(old: Program, attempt: Attempt) -> Iterator[tuple[Place, Node]]:
    """The new steps, each with the step that it stands for."""
    sizes = {id(p.node): (p, n) for p, n in zip(attempt.places, attempt.sizes, strict=True)}
    new = attempt.typed.program
    for owner in dict.fromkeys(place.owner for place in attempt.places):
        chains = [([p.blocks[owner].chain] if owner else p.chains) for p in (old, new)]
        for before, after in zip(*chains, strict=True):
            yield from _paired(before, after, sizes)


def _paired(
    old: Chain, new: Chain, sizes: Mapping[int, tuple[Place, int]]
) -> Iterator[tuple[Place, Node]]:
    """The same in one chain and its branches: all other steps of it are as they were."""
    following = iter(new)
    for node in old:
        if id(node) in sizes:
            place, size = sizes[id(node)]
            yield from ((place, one) for one in islice(following, size))
            continue
        same = next(following)
        if isinstance(node, ForkNode) and isinstance(same, ForkNode):
            for (_, before), (_, after) in zip(node.branches, same.branches, strict=True):
                yield from _paired(before, after, sizes)


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
