"""Turns the steps of chains, and the blocks they use, into nodes of the program.

A step with an error becomes a broken node.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..ir.program import Block, BrokenNode, Chain, ForkNode, Node, OpNode, Origin, UseNode
from ..language.link import Linked, LinkedBlock
from ..language.steps import Broken, Fork, Use
from ..ops import Op, attribute_names, expressions
from ..types.split import REST
from ..types.tensor import many
from ..yaml.edits import Editor, Edits, inside
from .records import about
from .uses import Uses

MAX_NESTING = 64  # keeps stages that recurse over forks and uses below Python's recursion limit
RESERVED = frozenset({"in_channels"})
Defaults = Mapping[str, Mapping[str, Any]]
AnyStep = Op | Fork | Use | Broken


class Steps(Uses):
    """Makes the chains of one program; ``blocks`` are the blocks they use.

    ``entry`` is the fork of several inputs.
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

    def not_reserved(self, name: str, origin: Origin) -> None:
        if name in RESERVED:
            span = origin.document.key_span((*origin.path, "params", name))
            message = f"`{name}` cannot be a parameter: it is predefined in every block"
            self.report.error("E206", message, span)

    def top_chain(
        self, steps: list[Any], origin: Origin, names: set[str], section: tuple[str, ...] = ()
    ) -> Chain:
        """The nodes of a chain outside of blocks."""
        return self.chain(steps, origin, names, self.top, section)

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
        for index, step in enumerate(steps):
            if self.report.crowded(self.before):
                break
            here = origin.below(index)
            own = step.name or (step.use if isinstance(step, Use | Broken) else None)
            if alone and not step.name:
                segments = section
            elif own:
                segments = (own,)
            elif here == self.entry:  # a branch alone would have the name of its input
                segments = section
            else:
                segments = () if getattr(step, "branches", None) else (*section, str(index))
            self.check_names(step, here, names)
            found.append(self.node(step, segments, here, names, defaults))
        self.unique(found)
        self.level -= 1
        return tuple(found)

    def node(
        self,
        step: AnyStep,
        segments: tuple[str, ...],
        here: Origin,
        names: set[str],
        defaults: Defaults,
    ) -> Node:
        """A checked step as a node of the program."""
        if isinstance(step, Op):
            op = step.filled(defaults)
            if missing := op.missing():  # the default has an error, or is of another file
                self.missing(op, missing, here)
                return broken(segments, here)
            return OpNode(op, segments, step.repeat, here)
        notes = step.deviation or ()
        if isinstance(step, Fork | Broken):
            names = {*names, *RESERVED} if here == self.entry else names
            branches = tuple(
                (name, self.chain(branch, here.below("branches", name), names, defaults, ()))
                for name, branch in step.branches.items()
            )
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
                    here == self.entry,
                )
            used = self.linked.get(step.use or "")
            if used is not None:
                self.enter(used, here)
            return broken(segments, here, branches)
        block = self.linked.get(step.use)
        if block is None:
            self.unknown_block(step, here)
            return broken(segments, here)
        if not self.enter(block, here):
            return broken(segments, here)
        arguments = self.arguments(step, block, here)
        return UseNode(
            step.use, arguments, step.name, segments, step.repeat, notes, here, step.allow
        )

    def divides(self, fork: Fork, here: Origin) -> bool:
        """Whether ``split`` has a size for each branch; reports it if not."""
        sizes, branches = fork.split, len(fork.branches)
        if not isinstance(sizes, tuple) or len(sizes) == branches:
            return True
        if here.document.lost(*here.path, "branches"):
            return False
        found, of = many(len(sizes), "size"), many(branches, "branch", "branches")
        editor = Editor(here.document, self.report.texts)
        help, fix = "write one size for each branch, in their order", Edits()
        if len(sizes) == branches - 1 and REST not in sizes:
            path = (*here.path, "split", len(sizes) - 1)
            help, fix = f"add `{REST}` for the last branch", editor.append(path, f", {REST}")
        message = f"`split` has {found}, but the fork has {of}"
        self.report.error("E203", message, here.span("split"), help=help, fix=fix)
        return False

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
        self.blocks[block.id] = Block(block.id, types, chain, about(block.model), origin)
        self.entered.pop()
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

    def check_names(self, step: AnyStep, here: Origin, names: set[str]) -> None:
        """Report unknown parameters in expressions, unless an error elsewhere may hide them."""
        values: dict[tuple[str | int, ...], Any] = {("repeat",): step.repeat}
        if isinstance(step, Op):
            values |= {
                (name,): getattr(step, name)
                for name in attribute_names(type(step))
                if name in step.model_fields_set
            }
        elif isinstance(step, Use):
            values |= {(name,): value for name, value in step.arguments.items()}
        elif isinstance(step, Fork) and isinstance(step.split, tuple):
            values |= {("split", index): size for index, size in enumerate(step.split)}
        scope = here.path[:2] if here.path[:1] == ("blocks",) else ()
        for key, value in values.items():
            for found in expressions(value):
                for name, offset in found.names:
                    if name not in names and not here.document.lost(*scope, "params", name):
                        self.unknown_name(name, offset, here.below(*key), names)

    def unknown_name(self, name: str, offset: int, origin: Origin, names: set[str]) -> None:
        """Report a parameter that is not declared, with the most similar name."""
        span = inside(origin.span(), offset, len(name), self.report.texts)
        if self.entered:
            # so that uses which pass this name as an argument are not reported too
            self.undeclared.add((self.entered[-1], name))
        scope = origin.document, origin.path[: 2 if origin.path[:1] == ("blocks",) else 0]
        removed = scope[0].cause((*scope[1], "params", name), (*scope[1], "params"))
        if removed is not None:
            message = f"this removes the parameter `{name}`, which a step reads"
            return self.report.error("E304", message, removed, related=[(span, "used here")])
        if not self.report.helping:
            return self.report.error("E304", f"unknown parameter `{name}`", span)
        help, best = suggestion(name, names, what="known parameters"), nearest(name, names)
        if name in RESERVED:
            help = "a network with several inputs has it only in the branches of its first step"
        fix = (
            Editor(origin.document, self.report.texts).part(origin.path, offset, len(name), best)
            if best
            else ()
        )
        return self.report.error("E304", f"unknown parameter `{name}`", span, help=help, fix=fix)

    def unique(self, chain: list[Node]) -> None:
        """Report steps of a chain, or branches of its unnamed forks, that have the same path.

        One report for each step; none if an error elsewhere may hide its name.
        """
        seen: dict[tuple[str, ...], Node] = {}
        for node in chain:
            if self.report.crowded(self.before):
                break
            if node.origin.document.lost(*node.origin.path, "name"):
                continue
            paths = [path for path in starts(node) if path]
            path = next((p for p in paths if p in seen), None)
            if path is not None:
                first = (seen[path].origin.span(), "first defined here")
                message = f"two steps have the same path `{'/'.join(path)}`"
                new, fix = self.renamed(node, path, seen) if self.report.helping else ("…", ())
                help = f"give it another name: `name: {new}`"
                self.report.error(
                    "E307", message, node.origin.span(), related=[first], help=help, fix=fix
                )
            seen.update(dict.fromkeys(paths, node))

    def renamed(
        self, node: Node, path: tuple[str, ...], seen: Mapping[tuple[str, ...], Node]
    ) -> tuple[str, Edits]:
        """A name that no other step has, and the edits that give it to ``node``.

        An unnamed fork is named after its merge.
        """
        start = path[-1][:60] if node.segments or not isinstance(node, ForkNode) else node.merge
        new = next(name for i in range(2, len(seen) + 3) if ((name := f"{start}_{i}"),) not in seen)
        editor, step = Editor(node.origin.document, self.report.texts), node.origin.path
        if (*step, "name") in node.origin.document.spans:
            return new, editor.replace((*step, "name"), new)
        return new, editor.insert(step, "name", new)


def broken(
    segments: tuple[str, ...], origin: Origin, branches: tuple[tuple[str, Chain], ...] = ()
) -> BrokenNode:
    """A node in place of a step with an error."""
    return BrokenNode(branches, "concat", None, segments, 1, (), origin)


def starts(node: Node) -> list[tuple[str, ...]]:
    """The starts of all paths below a node: its segments, or the branches of an unnamed fork."""
    if isinstance(node, ForkNode) and not node.segments:
        return [(name,) for name, _ in node.branches]
    return [node.segments]
