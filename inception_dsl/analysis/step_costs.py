"""How often each step, as it is written, is run, and what these runs cost."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..ir.program import Node
from ..ir.typed import Path, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse

Written: TypeAlias = tuple[str, Path]
"""The block (empty: the network) that a step is written in, and the step's path in it.

Forks without a name have the path of their chain, which several of them may share.
"""


class StepCost(NamedTuple):
    """The runs of a step, and the parameters and MACs of all of them."""

    uses: int = 0
    parameters: int = 0
    macs: int = 0

    def plus(self, other: StepCost) -> StepCost:
        return StepCost(*(a + b for a, b in zip(self, other, strict=True)))


class StepCosts:
    """The costs of all steps, branches and heads; shared weights count where they belong.

    A step is known by itself, not by its path, which forks without a name may share.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self._typed, costs = typed, _Costs()  # the program is kept, so that no id is used again
        self._found, self._heads = costs.found, dict[str, StepCost]()
        for section in typed.sections.values():
            costs.chain(section, 1)
        for head, chain in typed.heads:
            self._heads[head.name] = costs.chain(chain, 1)._replace(uses=1)

    def of(self, node: Node, branch: str = "") -> StepCost:
        """The cost of a step, or of one branch of a fork; zero if it does not run."""
        return self._found.get((id(node), branch), StepCost())

    def of_head(self, name: str) -> StepCost:
        """The cost of an auxiliary head, or of an output with steps."""
        return self._heads.get(name, StepCost())


def chain_cost(chain: TypedChain) -> StepCost:
    """The cost of one run of a chain; weights that it shares are not counted."""
    return _Costs().chain(chain, 1)


class _Costs:
    """Adds the costs of chains; ``shared`` is true inside of a use without weights of its own.

    ``found`` has the costs by the ``id`` of the step and, of a branch, its name.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[int, str], StepCost] = {}

    def chain(self, chain: TypedChain, times: int, *, shared: bool = False) -> StepCost:
        """The sum of a chain that is run so many times."""
        total = StepCost()
        for step in chain.steps:
            total = total.plus(self.step(step, times, shared or bool(step.node.shares)))
        return total._replace(uses=times)

    def step(self, step: TypedStep, times: int, shared: bool) -> StepCost:
        total = StepCost()
        for run in step.runs:
            uses, node = times * run.count, run.typed
            if isinstance(node, TypedOp):
                own = 0 if shared else sum(w.size for w in node.weights)
                cost = StepCost(uses, uses * own, uses * node.macs)
            elif isinstance(node, TypedUse):
                cost = self.chain(node.body, uses, shared=shared)
            else:
                cost = self.fork(step.node, node, uses, shared)
            total = total.plus(cost)
        self.add(step.node, "", total)
        return total

    def fork(self, node: Node, fork: TypedFork, uses: int, shared: bool) -> StepCost:
        total = StepCost()
        for name, branch in fork.branches:
            cost = self.chain(branch, uses, shared=shared)
            self.add(node, name, cost)
            total = total.plus(cost)
        return total._replace(uses=uses)

    def add(self, node: Node, branch: str, cost: StepCost) -> None:
        key = id(node), branch
        self.found[key] = self.found.get(key, StepCost()).plus(cost)
