"""What a network costs if only one of several rewritten blocks changes, without a new text."""

from __future__ import annotations

from ...analysis.infer import Inference
from ...analysis.step_costs import StepCost
from ...diagnostics.report import Report
from ...ir.program import Program, UseNode
from ...ir.typed import TypedChain, TypedOp, TypedProgram
from ...ir.walk import inner_chains, nodes


class Alone:
    """The blocks of a program, and as they are rewritten in ``new``.

    What uses no changed block on another input keeps the types that it has in the original.
    """

    def __init__(self, old: Program, new: Program) -> None:
        self.old, self.new = old, new
        self.totals: dict[tuple[int, bool], tuple[TypedChain, StepCost]] = {}
        self.users: dict[str, set[str]] = {}
        for name, block in old.blocks.items():
            for node in nodes(block.chain):
                if isinstance(node, UseNode):
                    self.users.setdefault(node.block, set()).add(name)
        inference = Inference(old, Report())
        typed = inference.program_types()
        assert typed is not None  # it was compiled
        self.memo, self.before = dict(inference.memo), self._total(typed)

    def more(self, owner: str) -> StepCost | None:
        """By how much the network has more if only the block ``owner`` changes (empty: only the
        network itself); ``None`` if that is an error.
        """
        if owner:
            changed = self._using(owner)
            blocks = {**self.old.blocks, owner: self.new.blocks[owner]}
            program = self.old._replace(blocks=blocks)
        else:
            changed, program = set(), self.new._replace(blocks=self.old.blocks)
        kept = {key: chain for key, chain in self.memo.items() if key[0] not in changed}
        inference = Inference(program, Report())
        inference.memo |= kept
        typed = inference.program_types()
        if typed is None:
            return None
        old, new = self.before, self._total(typed)
        return StepCost(0, new.parameters - old.parameters, new.macs - old.macs)

    def _using(self, block: str) -> set[str]:
        """A block, and all that use it, also through others."""
        found, waiting = set[str](), [block]
        while waiting:
            if (one := waiting.pop()) not in found:
                found.add(one)
                waiting += self.users.get(one, ())
        return found

    def _total(self, typed: TypedProgram) -> StepCost:
        """The parameters and MACs of a program; auxiliary heads have no MACs."""
        total = StepCost()
        for chain in typed.sections.values():
            total = total.plus(self._chain(chain, False))
        for head, chain in typed.heads:
            cost = self._chain(chain, False)
            total = total.plus(cost._replace(macs=0) if head.auxiliary else cost)
        return total

    def _chain(self, chain: TypedChain, shared: bool) -> StepCost:
        """The cost of one run of a chain; the bodies of blocks are added up once."""
        total = StepCost()
        for step in chain.steps:
            own = shared or bool(step.node.shares)
            for run in step.runs:
                if isinstance(run.typed, TypedOp):
                    weights = 0 if own else sum(weight.size for weight in run.typed.weights)
                    cost = StepCost(0, weights, run.typed.macs)
                else:
                    cost = StepCost()
                    for inner in inner_chains(run.typed):
                        cost = cost.plus(self._body(inner, own))
                total = total.plus(StepCost(0, *(run.count * part for part in cost[1:])))
        return total

    def _body(self, chain: TypedChain, shared: bool) -> StepCost:
        key = id(chain), shared  # the chain is kept, so that no other one gets its id
        if key not in self.totals:
            self.totals[key] = chain, self._chain(chain, shared)
        return self.totals[key][1]
