"""Checks that paths are unique: weight files and runners identify weights and outputs by path."""

from __future__ import annotations

from ..diagnostics.report import Report
from ..ir.typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram
from ..ir.walk import applications


def check_paths(typed: TypedProgram, report: Report) -> bool:
    """Whether all layers, weights, uses and top-level steps have unique paths; reports errors.

    A use or a fork may share its path with a single unnamed step inside it.
    """
    paths = _Paths(report)
    for chain in typed.sections.values():
        paths.chain(chain, (), top=True)
    for head, chain in typed.heads:
        paths.chain(chain, (head.name,), top=True)
    return not paths.reported


class _Paths:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.seen: dict[str, Typed] = {}
        self.reported: set[int] = set()

    def chain(
        self, chain: TypedChain, prefix: Path, *, top: bool = False, outer: bool = False
    ) -> None:
        """Add the paths of a chain; at the ``top`` level those of forks are compared too.

        ``outer``: a use around it has the weights of another step.
        """
        for step in chain.steps:
            shared = outer or step.node.shares is not None
            for segments, node in applications(step):
                held = bool(segments)
                self.node(node, (*prefix, *segments), held=held, top=top, shared=shared)

    def node(self, node: Typed, path: Path, *, held: bool, top: bool, shared: bool) -> None:
        """Add the paths of a node; those inside it are added before its own. If it is ``shared``,
        its weights are those of another step.
        """
        name = "/".join(path)
        if isinstance(node, TypedOp):
            if name:
                self.take(name, node, "layers")
            for weight in () if shared else node.weights:
                self.take(f"{name}/{weight.name}", node, "weights")
            return
        compared = held and (top or not isinstance(node, TypedFork))
        if compared and name in self.seen:
            self.clash(name, node, "steps")
        if isinstance(node, TypedFork):
            for branch, chain in node.branches:
                self.chain(chain, (*path, branch), outer=shared)
        else:
            self.chain(node.body, path, outer=shared)
        if compared:
            self.seen[name] = node

    def take(self, name: str, node: TypedOp, what: str) -> None:
        """Add a path, or report its duplicate."""
        if name in self.seen:
            self.clash(name, node, what)
        else:
            self.seen[name] = node

    def clash(self, name: str, node: Typed, what: str) -> None:
        """Report a step with the path of an earlier one, once for each step."""
        if id(node.node) in self.reported:
            return
        self.reported.add(id(node.node))
        first = self.seen[name]
        self.report.error(
            "E307",
            f"two {what} have the same path `{name}`",
            node.node.origin.span(),
            related=[(first.node.origin.span(), "first defined here")],
            help="give one of these steps, or the use or branch around it, another name",
        )
