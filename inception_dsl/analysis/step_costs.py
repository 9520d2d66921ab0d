"""How often each step, as it is written, is run, and what these runs cost."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..ir.typed import Path, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse

Written: TypeAlias = tuple[str, Path]
"""The block (empty: the network) that a step is written in, and the step's path in it."""


class StepCost(NamedTuple):
    """The runs of a step, and the parameters and MACs of all of them."""

    uses: int = 0
    parameters: int = 0
    macs: int = 0

    def plus(self, other: StepCost) -> StepCost:
        return StepCost(*(a + b for a, b in zip(self, other, strict=True)))


def step_costs(typed: TypedProgram) -> dict[Written, StepCost]:
    """The costs of all steps, branches and heads; shared weights count where they belong."""
    costs = _Costs()
    for section in typed.sections.values():
        costs.chain(section, ("", ()), 1)
    for head, chain in typed.heads:
        place = ("", (head.name,))
        costs.found[place] = costs.chain(chain, place, 1)._replace(uses=1)
    return costs.found


def chain_cost(chain: TypedChain) -> StepCost:
    """The cost of one run of a chain; weights that it shares are not counted."""
    return _Costs().chain(chain, ("", ()), 1)


class _Costs:
    """Adds the costs of chains; ``shared`` is true inside of a use without weights of its own."""

    def __init__(self) -> None:
        self.found: dict[Written, StepCost] = {}

    def chain(
        self, chain: TypedChain, at: Written, times: int, *, shared: bool = False
    ) -> StepCost:
        """The sum of a chain that is run so many times."""
        total = StepCost()
        for step in chain.steps:
            place = at[0], (*at[1], *step.node.segments)
            total = total.plus(self.step(step, place, times, shared or bool(step.node.shares)))
        return total._replace(uses=times)

    def step(self, step: TypedStep, at: Written, times: int, shared: bool) -> StepCost:
        total = StepCost()
        for run in step.runs:
            uses, node = times * run.count, run.typed
            if isinstance(node, TypedOp):
                own = 0 if shared else sum(w.size for w in node.weights)
                cost = StepCost(uses, uses * own, uses * node.macs)
            elif isinstance(node, TypedUse):
                cost = self.chain(node.body, (node.node.block, ()), uses, shared=shared)
            else:
                cost = self.fork(node, at, uses, shared)
            total = total.plus(cost)
        self.add(at, total)
        return total

    def fork(self, fork: TypedFork, at: Written, uses: int, shared: bool) -> StepCost:
        total = StepCost()
        for name, branch in fork.branches:
            place = at[0], (*at[1], name)
            cost = self.chain(branch, place, uses, shared=shared)
            if all(step.node.segments for step in branch.steps):  # else that step is the branch
                self.add(place, cost)
            total = total.plus(cost)
        return total._replace(uses=uses)

    def add(self, at: Written, cost: StepCost) -> None:
        self.found[at] = self.found.get(at, StepCost()).plus(cost)
