"""The costs of the chains of each block, without those of the blocks that it uses."""

from __future__ import annotations

from ...analysis.step_costs import StepCost, Written
from ...ir.typed import Path, TypedChain, TypedFork, TypedOp, TypedProgram


def own_costs(typed: TypedProgram) -> dict[Written, StepCost]:
    """The parameters and MACs of the chains of each block and of the network, by their paths.

    A block counts as often as it is used; shared weights count where they belong, and auxiliary
    heads have no MACs, as they run in training only.
    """
    costs = _Costs()
    for section in typed.sections.values():
        costs.add(section, "", (), 1, shared=False)
    for head, chain in typed.heads:
        costs.inference = not head.auxiliary
        costs.add(chain, "", (head.name,), 1, shared=False)
    return costs.found


class _Costs:
    """Adds the costs of chains; ``shared`` is true inside of a use without weights of its own."""

    def __init__(self) -> None:
        self.found: dict[Written, StepCost] = {}
        self.inference = True

    def add(
        self, chain: TypedChain, owner: str, path: Path, times: int, *, shared: bool
    ) -> StepCost:
        """Add a chain that is run so many times, and what it uses; the cost of the chain alone."""
        total = StepCost()
        for step in chain.steps:
            own = shared or bool(step.node.shares)
            for run in step.runs:
                count, node = times * run.count, run.typed
                if isinstance(node, TypedOp):
                    weights = 0 if own else sum(weight.size for weight in node.weights)
                    total = total.plus(
                        StepCost(0, count * weights, count * node.macs * self.inference)
                    )
                elif isinstance(node, TypedFork):
                    for name, branch in node.branches:
                        below = (*path, *step.node.segments, name)
                        total = total.plus(self.add(branch, owner, below, count, shared=own))
                elif node.body.size:  # nested uses without layers may be exponentially many
                    self.add(node.body, node.node.block, (), count, shared=own)
        self.found[owner, path] = self.found.get((owner, path), StepCost()).plus(total)
        return total
