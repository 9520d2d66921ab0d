"""Turns the steps of chains, and the blocks they use, into nodes of the program.

A step with an error becomes a broken node.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..diagnostics.report import Report, Span
from ..ir.program import Block, BrokenNode, Chain, ForkNode, Node, OpNode, Origin, UseNode
from ..language.link import Linked, LinkedBlock
from ..language.steps import Broken, Each, Fork, Use
from ..ops import Op
from ..types.tensor import many
from ..yaml.edits import Editor
from .branches import Branches
from .records import about
from .scopes import Index, Scope
from .sharing import Sharing
from .step_names import RESERVED, AnyStep, StepNames

MAX_NESTING = 64  # keeps stages that recurse over forks and uses below Python's recursion limit
Defaults = Mapping[str, Mapping[str, Any]]


class Steps(StepNames, Branches):
    """Makes the chains of one program; ``blocks`` are the blocks they use.

    ``entry`` is the fork of several inputs, ``outputs`` are the steps that outputs are on.
    """

    def __init__(self, linked: Linked, top: Defaults, root: Path, report: Report) -> None:
        super().__init__(linked, root, report)
        self.top = top
        self.blocks: dict[str, Block] = {}
        self.entered: list[str] = []
        self.heights: dict[str, int] = {}
        self.level = self.deepest = 0
        self.too_deep = False
        self.before = len(report.diagnostics)
        self.entry: Origin | None = None
        self.outputs: frozenset[str] = frozenset()
        self.scopes: list[Scope] = []
        self.index = Index()
        self.at: tuple[str, ...] = ()
        """The path of the chain that is being read, in its block."""
        self.earlier: list[Node] = []
        """The steps of the sections so far."""

    def top_chain(
        self, steps: list[Any], origin: Origin, names: set[str], section: tuple[str, ...] = ()
    ) -> Chain:
        """The nodes of a chain outside of blocks."""
        self.scopes = [Scope(self.earlier, ())] if section else []
        found = self.chain(steps, origin, names, self.top, section)
        self.earlier += found if section else ()
        return found

    def chain(
        self,
        steps: list[Any],
        origin: Origin,
        names: set[str],
        defaults: Defaults,
        section: tuple[str, ...],
    ) -> Chain:
        """The nodes of a chain.

        ``section`` is the start of the path of a step without a name.
        """
        if not self.nested(1, origin.span()):
            return (broken((), origin),)
        self.level += 1
        alone = len(steps) == 1
        found: list[Node] = []
        earlier: dict[str, None] = {}
        named = (step.name or getattr(step, "use", None) for step in steps)
        self.scopes.append(Scope(found, self.at, frozenset(filter(None, named))))
        for index, step in enumerate(steps):
            if self.report.crowded(self.before):
                break
            here = origin.below(index)
            own = step.name or (step.use if isinstance(step, Use | Broken | Each) else None)
            if alone and not step.name:
                segments = section
            elif own:
                segments = (own,)
            elif here == self.entry:  # a branch alone would have the name of its input
                segments = section
            else:
                segments = () if getattr(step, "branches", None) else (*section, str(index))
            self.check_names(step, here, names)
            node = self.node(step, segments, here, names, defaults)
            if isinstance(step, Fork) and not self.begins(step, here, earlier, steps):
                branches = node.branches if isinstance(node, ForkNode) else ()
                node = broken(segments, here, branches)._replace(after=step.after)
            found.append(node)
            earlier |= {name: None for name in node.segments[-1:] if not name.isdecimal()}
        self.all_read(found, self.outputs if section else ())
        self.unique(found)
        self.scopes.pop()
        self.level -= 1
        return tuple(found)

    def branches(
        self,
        fork: Fork | Broken,
        segments: tuple[str, ...],
        here: Origin,
        names: set[str],
        defaults: Defaults,
    ) -> tuple[tuple[str, Chain], ...]:
        """The nodes of the branches of a fork."""
        done: dict[str, Chain] = {}
        outer = self.at
        path = (*outer, *segments)
        self.scopes.append(Scope(done, path, frozenset(fork.branches), fork.repeat != 1))
        for name, branch in fork.branches.items():
            self.at = (*path, name)
            done[name] = self.chain(branch, here.below("branches", name), names, defaults, ())
        self.scopes.pop()
        self.at = outer
        return tuple(done.items())

    def shared(self, step: Op | Use, node: OpNode | UseNode) -> Node:
        """The node with the owner of its weights, if it shares those of another step."""
        if step.shares is None:
            return node
        own = (*self.at, *node.segments)
        found = Sharing(self.scopes, self.index, self.report).shares(step.shares, node, own)
        return node._replace(shares=found)

    def node(
        self,
        step: AnyStep,
        segments: tuple[str, ...],
        here: Origin,
        names: set[str],
        defaults: Defaults,
    ) -> Node:
        """A checked step as a node of the program."""
        if isinstance(step, Each):
            return self.each(step, segments, here, names, defaults)
        if isinstance(step, Op):
            op = step.filled(defaults)
            if missing := op.missing():  # the default has an error, or is of another file
                self.missing(op, missing, here)
                return broken(segments, here)
            return self.shared(step, OpNode(op, segments, step.repeat, here))
        notes = step.deviation or ()
        if isinstance(step, Fork | Broken):
            names = {*names, *RESERVED} if here == self.entry else names
            branches = self.branches(step, segments, here, names, defaults)
            if isinstance(step, Fork):
                if not self.divides(step, here):
                    return broken(segments, here, branches)
                return ForkNode(
                    branches,
                    step.merge,
                    step.name,
                    segments,
                    step.repeat,
                    notes,
                    here,
                    step.allow,
                    step.split,
                    MappingProxyType(step.after),
                    here == self.entry,
                )
            used = self.linked.get(step.use or "")
            if used is not None:
                self.enter(used, here)
            return broken(segments, here, branches)
        block = self.linked.get(step.use)
        if block is None:
            self.unknown_block(step, here)
        if block is None or not self.enter(block, here):
            return broken(segments, here)
        arguments = MappingProxyType(self.arguments(step, block, here))
        if "after" in step.arguments and "after" not in block.parameters:
            return broken(segments, here)  # it is meant for another place
        node = UseNode(
            step.use, arguments, step.name, segments, step.repeat, notes, here, step.allow
        )
        return self.shared(step, node)

    def each(
        self,
        step: Each,
        segments: tuple[str, ...],
        here: Origin,
        names: set[str],
        defaults: Defaults,
    ) -> Node:
        """A step whose repetitions differ: the first of them, with all."""
        count = next(iter(step.lengths.values()))
        for key, other in step.lengths.items():
            if other != count:
                message = f"`{key}` has {many(other, 'value')}, but the first list has {count}"
                help = "write one value for each repetition"
                self.report.error("E203", message, here.span("each", key), help=help)
                return broken(segments, here)
        found = []
        for index, one in enumerate(step.each):
            origin = here.below("each", index)
            self.check_names(one, origin, names)
            node = self.node(one, segments, origin, names, defaults)
            if isinstance(node, ForkNode):
                return broken(segments, here)
            found.append(node)
        # of one kind: the op, or the use, is that of the step
        whole = found[0]._replace(repeat=len(found), origin=here, each=tuple(found))  # type: ignore[arg-type]
        if isinstance(whole, UseNode):
            return whole._replace(deviations=step.deviation or (), allow=step.allow)
        own = {"deviation": step.deviation, "allow": step.allow}
        return whole._replace(op=whole.op.model_copy(update=own))

    def missing(self, op: Op, names: list[str], here: Origin) -> None:
        """Report required attributes that are missing, unless their default has an error."""
        from ..language.problems import report_missing  # only errors need it

        for name in names:
            if not here.document.lost("defaults", op.op, name):
                editor = Editor(here.document, self.report.texts)
                report_missing(type(op), (*here.path, name), editor, self.report)

    def enter(self, block: LinkedBlock, here: Origin) -> bool:
        """Make ``block`` part of the program, once. Returns whether it can be used here."""
        if block.id in self.entered:
            circle = " -> ".join([*self.entered[self.entered.index(block.id) :], block.id])
            help = "a block cannot use itself, directly or through other blocks"
            message = f"circular use of blocks: {circle}"
            self.report.error("E306", message, here.span("use"), help=help)
            return False
        if block.id in self.blocks:
            return self.nested(self.heights[block.id], here.span("use"))
        outside, self.deepest = self.deepest, self.level
        around, self.scopes, self.at = (self.scopes, self.at), [], ()
        self.entered.append(block.id)
        self.network.enter({*block.parameters, *RESERVED})
        origin = Origin(block.document, block.path)
        for name in block.parameters:
            self.not_reserved(name, origin)
        defaults = {
            op: {**self.top.get(op, {}), **block.defaults.get(op, {})}
            for op in {**self.top, **block.defaults}
        }
        names = {*block.parameters, *RESERVED}
        chain = self.chain(block.model.steps, origin.below("steps"), names, defaults, ())
        types: dict[str, str] = {name: p.type for name, p in block.parameters.items()}
        types |= self.network.leave(block.id)
        kinds = MappingProxyType(types)
        self.blocks[block.id] = Block(block.id, kinds, chain, about(block.model), origin)
        self.entered.pop()
        self.scopes, self.at = around
        self.heights[block.id] = self.deepest - self.level
        self.deepest = max(outside, self.deepest)
        return True

    def nested(self, levels: int, span: Span) -> bool:
        """Whether ``levels`` more levels of forks and uses are allowed here; reports it if not."""
        self.deepest = max(self.deepest, self.level + levels)
        if self.level + levels <= MAX_NESTING:
            return True
        if not self.too_deep:
            self.report.error(
                "E309", f"forks and uses are nested deeper than {MAX_NESTING} levels", span
            )
        self.too_deep = True
        return False


def broken(
    segments: tuple[str, ...], origin: Origin, branches: tuple[tuple[str, Chain], ...] = ()
) -> BrokenNode:
    """A node in place of a step with an error."""
    return BrokenNode(branches, "concat", None, segments, 1, (), origin)
