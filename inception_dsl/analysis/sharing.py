"""Finds the steps whose weights other steps have, too (the field ``weights``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel

from ..diagnostics.report import Report
from ..ir.program import BrokenNode, ForkNode, Node, OpNode, Shares, UseNode
from ..ir.typed import Path, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import roots, sharing, walk
from ..ops.fields.refusal import shown
from ..yaml.edits import flow
from .scopes import Index, Scope
from .unknown_paths import Meant, into, kind

Weighted: TypeAlias = TypedOp | TypedUse


class Sharing:
    """Finds the owner of the weights that a step shares; reports why it cannot share them."""

    def __init__(self, scopes: Sequence[Scope], index: Index, report: Report) -> None:
        self.scopes, self.index, self.report = scopes, index, report

    def shares(self, wanted: str, node: OpNode | UseNode, own: Path) -> Shares | None:
        """The owner at the path ``wanted`` for the step ``node``, whose path is ``own``.

        The innermost chain or fork in which the path leads to a step counts.
        """
        crossed = False
        for scope in reversed(self.scopes):
            found = self.index.find(scope, tuple(wanted.split("/")))
            if found is not None:
                owner, rest, repeated = found
                if isinstance(owner, BrokenNode):
                    return None  # its error is reported
                problem = _problem(wanted, node, owner, rest)
                if repeated or crossed:
                    alone = f"`{wanted}`" if repeated else "this step"
                    message = f"a fork is repeated in which {alone} is without the other step"
                    problem = problem or (message, "share the weights of a step in the same fork")
                if problem:
                    message, help = problem
                    related = [(owner.origin.span(), f"`{wanted}`")]
                    span = node.origin.span("weights")
                    self.report.error("E316", message, span, help=help, related=related)
                    return None
                down = tuple(wanted.split("/"))
                first = (*scope.here, *down)
                assert isinstance(owner, OpNode | UseNode)
                return _between(own, owner.shares.of(first) if owner.shares else first)
            crossed = crossed or scope.repeated
        Meant(self.scopes, self.index, self.report).unknown(wanted, node)
        return None


def _between(own: Path, owner: Path) -> Shares:
    """How to get from the path of a step to that of the owner of its weights."""
    common = 0
    while common < min(len(own), len(owner)) and own[common] == owner[common]:
        common += 1
    return Shares(len(own) - common, owner[common:])


def _problem(
    wanted: str, node: OpNode | UseNode, owner: Node, rest: Path
) -> tuple[str, str] | None:
    """Why ``node`` cannot have the weights of ``owner``, and what to do; ``None`` if it can."""
    if isinstance(owner, ForkNode):
        help = "make it a block, and share the weights of its use"
        return f"`{wanted}` is a fork, which has no weights of its own", help
    if owner.repeat != 1 or owner.each:
        path = wanted[: -len("/".join(rest)) - 1] if rest else wanted
        what = f"`{path}` is repeated, so it may have several sets of weights"
        return what, "share the weights of a step without `repeat` and `each`"
    if rest:
        inside = wanted[: -len("/".join(rest)) - 1]
        return into(wanted, inside, node, owner)
    one, other = kind(node), kind(owner)
    if one != other:
        return f"this step is {one}, but `{wanted}` is {other}", "both must be the same"
    return None


def check_sharing(typed: TypedProgram, report: Report) -> bool:
    """Whether all steps that share weights have the fields and the weights of the owner; reports
    those that do not.
    """
    before = len(report.diagnostics)
    for chains in roots(typed):
        for step, owner, path in sharing(chains):
            first = owner.runs[0].typed
            for run in step.runs:
                assert not isinstance(run.typed, TypedFork)
                assert not isinstance(first, TypedFork)
                if not _alike(run.typed, first, "/".join(path), report):
                    break
    return len(report.diagnostics) == before


def _alike(typed: Weighted, owner: Weighted, path: str, report: Report) -> bool:
    """Whether a step can have the weights of ``owner``; reports the first difference."""
    here, there = _fields(typed), _fields(owner)
    origin = typed.node.origin
    name = next((n for n in here if _text(here[n]) != _text(there[n])), None)
    if name is not None:
        span = origin.span(name if (*origin.path, name) in origin.document.spans else "weights")
        message = f"`{name}` is {_text(here[name])}, but {_text(there[name])} in `{path}`"
        help = "steps with the same weights must be equal in all other fields"
        report.error("E406", message, span, help=help)
        return False
    own, wanted = _shapes(typed), _shapes(owner)
    if not wanted:
        message = f"`{path}` has no weights"
        report.error("E316", message, origin.span("weights"), help="remove `weights`")
        return False
    message = next(
        (
            f"`{name}` is {shape} in `{path}`, but this step needs {own.get(name)}"
            for name, shape in wanted.items()
            if own.get(name) != shape
        ),
        f"the input of `{path}` is {owner.x}, but that of this step is {typed.x}",
    )
    if own == wanted and typed.x.rank == owner.x.rank:
        return True
    if typed.x.rank != owner.x.rank:
        what = "number of axes must be equal"
    elif typed.x.channels != owner.x.channels:
        what = "channels must be equal"
    else:  # a layer in it reads all positions, as after a `flatten`
        what = "sizes must be equal, as the shape of the weights depends on them"
    help = f"its input is {typed.x}, that of `{path}` is {owner.x}: the {what}"
    report.error("E406", message, origin.span("weights"), help=help)
    return False


def _text(value: Any) -> str:
    """A value of a field as it is written in a spec."""
    if isinstance(value, BaseModel):
        return f"`{flow(value.model_dump(exclude_none=True), 100)}`"
    return shown(value)


def _fields(typed: Weighted) -> Mapping[str, Any]:
    return typed.op.attributes() if isinstance(typed, TypedOp) else typed.arguments


def _shapes(typed: Weighted) -> dict[str, str]:
    """The shapes of all weights of a layer or a use, by their names in it."""
    if isinstance(typed, TypedOp):
        return {w.name: "x".join(map(str, w.shape)) for w in typed.weights}
    return {
        "/".join((*path, w.name)): "x".join(map(str, w.shape))
        for path, node in walk(typed.body)
        if isinstance(node, TypedOp)
        for w in node.weights
    }
