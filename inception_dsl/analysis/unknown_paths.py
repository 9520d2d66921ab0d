"""Paths of the field ``weights`` that lead to no earlier step: what is wrong, what is meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..diagnostics.report import Report
from ..diagnostics.words import listed, nearest, suggestion
from ..ir.program import ForkNode, OpNode, UseNode
from ..ir.typed import Path
from ..yaml.edits import Editor, Edits
from .scopes import Index, Scope

_LISTED = 50  # steps among which a misspelled path is searched, as that takes time


class Meant:
    """Reports a path that leads to no step before it."""

    def __init__(self, scopes: Sequence[Scope], index: Index, report: Report) -> None:
        self.scopes, self.index, self.report = scopes, index, report

    def unknown(self, wanted: str, node: OpNode | UseNode) -> None:
        """Report the path ``wanted`` of the step ``node``."""
        span, first = node.origin.span("weights"), wanted.partition("/")[0]
        if node.segments[-1:] == (wanted,):
            message, help = "a step cannot share its own weights", "write the path of another step"
            return self.report.error("E316", message, span, help=help)
        alone = self.alone(wanted)
        if alone is not None and isinstance(alone[0], UseNode) and alone[2] != (alone[0].block,):
            message, help = into(wanted, "/".join(alone[1]), node, alone[0])
            return self.report.error("E316", message, span, help=help)
        if found := self.meant(wanted):
            why, paths = found
            return self.wrong(node, f"unknown step `{wanted}`: {why}", paths)
        if any(scope.comes(first) for scope in self.scopes):
            message = f"`{wanted}` is not computed before this step"
            help = "write `weights` in the later one of both steps"
            return self.report.error("E316", message, span, help=help)
        if not self.report.helping:
            return self.report.error("E308", f"unknown step `{wanted}`", span)
        known = self.known()[:_LISTED]
        if best := nearest(wanted, known):
            return self.wrong(node, f"unknown step `{wanted}`", [best], "did you mean")
        help = suggestion(wanted, known, what="steps before it")
        return self.report.error("E308", f"unknown step `{wanted}`", span, help=help)

    def wrong(
        self, node: OpNode | UseNode, message: str, paths: list[str], ask: str = "write"
    ) -> None:
        """Report a path, with those that may be meant; one of them is a fix."""
        span, fix = node.origin.span("weights"), Edits()
        help = f"steps before it: {listed(paths)}" if paths else "write the path of another step"
        if len(paths) == 1:
            editor = Editor(node.origin.document, self.report.texts)
            fix = editor.replace((*node.origin.path, "weights"), paths[0])
            help = f"{ask} `{paths[0]}`{'?' * (ask != 'write')}"
        self.report.error("E308", message, span, help=help, fix=fix)

    def known(self) -> list[str]:
        """The paths of all steps before, those of the innermost chain first."""
        return list(dict.fromkeys(p for s in reversed(self.scopes) for p in s.paths() if p))

    def meant(self, wanted: str) -> tuple[str, list[str]] | None:
        """Why a path leads to no step, and the paths that may be meant."""
        first, _, short = wanted.partition("/")
        if alone := self.alone(wanted):
            return "the only step of a chain has no part in its path", ["/".join(alone[1])]
        if path := self.of_kind(wanted):
            return f"that is what the step `{path}` is, not its path", [path]
        for inner in self.around(first):
            if short and self.index.find(inner, tuple(short.split("/"))):
                return f"this step is inside `{first}`, so its paths begin there", [short]
            if not short:
                return f"this step is inside `{first}`", [path for path in inner.paths() if path]
        below = [path for path in self.known() if path.startswith(f"{wanted}/")]
        return (f"`{wanted}` is a branch", below) if below else None

    def around(self, name: str) -> Iterator[Scope]:
        """What is inside of the branches and forks around the step that have this name."""
        for scope, inner in pairwise(self.scopes):
            if name in inner.here[len(scope.here) :]:
                yield inner

    def of_kind(self, wanted: str) -> str:
        """The path of the last step before that is a use of the block ``wanted``, or such an op."""
        for scope in reversed(self.scopes):
            for path in reversed([*scope.paths()]):
                found = self.index.find(scope, tuple(path.split("/"))) if path else None
                node = found[0] if found and not found[1] else None
                kind = node.block if isinstance(node, UseNode) else None
                if wanted in (kind, node.op.op if isinstance(node, OpNode) else None):
                    return str(path)
        return ""

    def alone(self, wanted: str) -> tuple[OpNode | UseNode, Path, Path] | None:
        """The only step of a chain that a path leads into: it, its path, and what is left."""
        parts = tuple(wanted.split("/"))
        for size in range(len(parts) - 1, 0, -1):
            for scope in reversed(self.scopes):
                found = self.index.find(scope, parts[:size])
                if found and not found[1] and not isinstance(found[0], ForkNode):
                    return found[0], parts[:size], parts[size:]
        return None


def into(
    wanted: str, whole: str, node: OpNode | UseNode, owner: OpNode | UseNode
) -> tuple[str, str]:
    """The message and help for a path that leads into the step ``whole``."""
    other = kind(owner)
    also = "" if kind(node) == other else f"; this step must then be {other}, too"
    help = f"share the weights of the whole step, `{whole}`{also}"
    return f"`{wanted}` leads into the step `{whole}`", help


def kind(node: OpNode | UseNode) -> str:
    """What a step is, as it is written."""
    return f"`use: {node.block}`" if isinstance(node, UseNode) else f"`op: {node.op.op}`"
