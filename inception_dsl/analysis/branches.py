"""Checks the fields of forks that say what each branch gets: ``split`` and ``after``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..diagnostics.words import nearest, suggestion
from ..ir.program import BrokenNode, ForkNode, Node, Origin
from ..language.steps import Broken, Fork
from ..types.split import REST
from ..types.tensor import many
from ..yaml.edits import Editor, Edits
from .step_names import report_gone
from .uses import Uses


class Branches(Uses):
    """Checks the inputs of branches as they are written."""

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

    def begins(
        self,
        fork: Fork,
        here: Origin,
        known: Mapping[str, None],
        all_steps: Sequence[Fork | Broken],
    ) -> bool:
        """Whether ``after`` names branches of the fork, and ``known`` steps before it in its chain.

        Reports each that it does not name, unless an error elsewhere may hide it; ``all_steps`` are
        the steps of the chain as they are written.
        """
        if not fork.after:
            return True
        fits = self.alone(fork, here)
        for branch, step in fork.after.items():
            if branch not in fork.branches and not here.document.lost(*here.path, "branches"):
                span = here.document.key_span((*here.path, "after", branch))
                help = suggestion(branch, fork.branches, what="branches")
                best = nearest(branch, fork.branches)
                editor = Editor(here.document, self.report.texts)
                fix = editor.rename((*here.path, "after", branch), best) if best else Edits()
                message = f"`after`: unknown branch `{branch}`"
                self.report.error("E203", message, span, help=help, fix=fix)
                fits = False
            fits &= self.before_it(step, here.below("after", branch), known, all_steps)
        return fits

    def all_read(self, chain: Sequence[Node], outputs: Collection[str]) -> None:
        """Report forks of which no branch begins with their input, if nothing else reads that;
        ``outputs`` are the steps that outputs of the network read.
        """
        read, unread = {*outputs}, []
        for before, node in reversed([*pairwise(chain)]):
            if isinstance(node, ForkNode) and not isinstance(node, BrokenNode):
                read |= {*node.after.values()}
                if all(name in node.after for name, _ in node.branches):
                    unread += [] if read & {*before.segments[-1:]} else [(before, node)]
        for before, node in reversed(unread):
            message = "nothing reads the output of the step before this fork"
            help = (
                "let one branch begin with the input of the fork: leave it out of `after`; or make "
                "that output one of the network, in `outputs`"
            )
            related = ((before.origin.span(), "the step before it"),)
            span = node.origin.document.key_span((*node.origin.path, "after"))
            self.report.error("E308", message, span, help=help, related=related)

    def alone(self, fork: Fork, here: Origin) -> bool:
        """Whether nothing excludes ``after``; reports ``split`` and ``repeat``."""
        if fork.split is not None:
            message = "`split` divides the input of the fork, but `after` gives a branch another"
            help = "remove `split` or `after`; the steps of a branch can divide its own input"
            self.report.error("E203", message, here.span("split"), help=help)
        elif fork.repeat != 1:
            message = "a fork with `after` cannot be repeated"
            help = "put the steps that repeat into a branch, or write the fork several times"
            self.report.error("E203", message, here.span("repeat"), help=help)
        return fork.split is None and fork.repeat == 1

    def before_it(
        self,
        step: str,
        origin: Origin,
        known: Mapping[str, None],
        all_steps: Sequence[Fork | Broken],
    ) -> bool:
        """Whether a step before the fork has this name; reports it if not."""
        if step in known:
            return True
        document, chain = origin.document, origin.path[:-3]  # of `3/after/branch`
        hidden = any(p[:-2] == chain and p[-1] == "name" for p in document.dropped if len(p) > 1)
        if hidden or any(p == chain for p in document.dropped):
            return False
        removed = document.cause((*chain, step))
        if removed is not None:
            report_gone(step, origin, removed, self.report)
            return False
        later = any(step in (s.name, getattr(s, "use", None)) for s in all_steps)
        message = f"unknown step `{step}`: no step before this one in its chain has that name"
        help, fix = "", Edits()
        section = _section(step, document.data)
        if section and chain != (section,):
            message = f"the step `{step}` is in `{section}`, out of reach of this chain"
            help = "a branch can begin after an earlier step of the chain that the fork stands in"
            help += "; move the step or the fork, so that both are in one section" * (
                len(chain) == 1
            )
        elif later:
            message = f"the step `{step}` is not before this one in its chain"
            help = "a branch can begin after an earlier step of the chain that the fork stands in"
        elif known:
            help, best = suggestion(step, known, what="earlier steps"), nearest(step, known)
            fix = Editor(document, self.report.texts).replace(origin.path, best) if best else fix
        else:
            help = "give an earlier step of the chain a `name`, for example an `op: identity`"
        self.report.error("E308", message, origin.span(), help=help, fix=fix)
        return False


def _section(step: str, data: Any) -> str:
    """The section of a network that has a step of this name, or an empty text."""
    for name in ("stem", "body", "head"):
        steps = data.get(name)
        named = (
            (s.get("name") for s in steps if isinstance(s, dict)) if isinstance(steps, list) else ()
        )
        if step in named:
            return name
    return ""
