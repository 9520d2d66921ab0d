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
    """The costs of all steps, branches and heads."""
    found: dict[Written, StepCost] = {}
    for section in typed.sections.values():
        _chain(section, ("", ()), 1, found)
    for head, chain in typed.heads:
        place = ("", (head.name,))
        found[place] = _chain(chain, place, 1, found)._replace(uses=1)
    return found


def _chain(chain: TypedChain, at: Written, times: int, found: dict[Written, StepCost]) -> StepCost:
    """The sum of a chain that is run so many times; adds its steps to ``found``."""
    total = StepCost()
    for step in chain.steps:
        total = total.plus(_step(step, (at[0], (*at[1], *step.node.segments)), times, found))
    return total._replace(uses=times)


def _step(step: TypedStep, at: Written, times: int, found: dict[Written, StepCost]) -> StepCost:
    total = StepCost()
    for run in step.runs:
        uses, node = times * run.count, run.typed
        if isinstance(node, TypedOp):
            own = 0 if step.node.shares else sum(w.size for w in node.weights)
            cost = StepCost(uses, uses * own, uses * node.macs)
        elif isinstance(node, TypedUse):
            cost = _chain(node.body, (node.node.block, ()), uses, found)
            cost = cost._replace(parameters=0) if step.node.shares else cost
        else:
            cost = _fork(node, at, uses, found)
        total = total.plus(cost)
    found[at] = found.get(at, StepCost()).plus(total)
    return total


def _fork(fork: TypedFork, at: Written, uses: int, found: dict[Written, StepCost]) -> StepCost:
    total = StepCost()
    for name, branch in fork.branches:
        place = (at[0], (*at[1], name))
        cost = _chain(branch, place, uses, found)
        if not any(step.node.segments == () for step in branch.steps):  # that step is the branch
            found[place] = found.get(place, StepCost()).plus(cost)
        total = total.plus(cost)
    return total._replace(uses=uses)
