"""Finds the steps whose weights other steps have, too (the field ``weights``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from pydantic import BaseModel

from ..diagnostics.report import Report
from ..diagnostics.words import nearest, suggestion
from ..ir.program import BrokenNode, Chain, ForkNode, Node, OpNode, Shares, UseNode
from ..ir.typed import Path, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import roots, sharing, walk
from ..ops.fields.refusal import shown
from ..yaml.edits import Editor, flow
from .step_names import starts

Weighted: TypeAlias = TypedOp | TypedUse
Found: TypeAlias = tuple[Node, Path, bool]
_LISTED = 50  # steps among which a misspelled path is searched, as that takes time


class Scope(NamedTuple):
    """A chain or a fork that is being read: its steps or branches so far, and its path.

    ``later`` are the names of all of them. ``repeated``: it is a fork with ``repeat``.
    """

    done: Sequence[Node] | Mapping[str, Chain]
    here: Path
    later: frozenset[str] = frozenset()
    repeated: bool = False

    def paths(self) -> Iterator[str]:
        """The paths of all layers and uses so far."""
        if isinstance(self.done, Mapping):
            for name, branch in self.done.items():
                yield from _paths(branch, (name,))
        else:
            yield from _paths(self.done, ())


def _paths(nodes: Sequence[Node], above: Path) -> Iterator[str]:
    for node in nodes:
        here = (*above, *node.segments)
        if not isinstance(node, ForkNode):
            yield "/".join(here)
            continue
        for name, branch in node.branches:
            yield from _paths(branch, (*here, name))


class Index:
    """Finds steps of chains by their paths; each chain is read once, however often it is asked."""

    def __init__(self) -> None:
        self.chains: dict[int, tuple[Sequence[Node], list[int], dict[Path, list[Node]]]] = {}

    def find(self, scope: Scope, path: Path) -> Found | None:
        """The step at ``path``, what is left of the path if it is a use, and whether a fork around
        it is repeated.
        """
        if not isinstance(scope.done, Mapping):
            return self._find(scope.done, path, False)
        branch = scope.done.get(path[0])
        return None if branch is None else self._find(branch, path[1:], False)

    def _find(self, nodes: Sequence[Node], path: Path, repeated: bool) -> Found | None:
        _, read, known = self.chains.setdefault(id(nodes), (nodes, [0], {}))
        for node in nodes[read[0] :]:
            for start in starts(node):
                known.setdefault(start, []).append(node)
        read[0] = len(nodes)
        keys = dict.fromkeys((path[:2], path[:1], ()))
        for node in (node for key in keys for node in known.get(key, ())):
            size = len(node.segments)
            rest = path[size:]
            if not isinstance(node, ForkNode):
                if size or not rest:
                    return node, rest, repeated
                continue
            if size and not rest:
                return node, rest, repeated
            branch = dict(node.branches).get(rest[0]) if rest else None
            found = branch and self._find(branch, rest[1:], repeated or node.repeat != 1)
            if found:
                return found
        return None


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
        self.unknown(wanted, node)
        return None

    def unknown(self, wanted: str, node: OpNode | UseNode) -> None:
        """Report a path that leads to no step before ``node``."""
        span, first = node.origin.span("weights"), wanted.partition("/")[0]
        if node.segments[-1:] == (wanted,):
            message, help = "a step cannot share its own weights", "write the path of another step"
            return self.report.error("E316", message, span, help=help)
        if short := self.lone(wanted):
            message = f"unknown step `{wanted}`: the only step of a chain has no part in its path"
            fix = Editor(node.origin.document, self.report.texts).replace(
                (*node.origin.path, "weights"), short
            )
            return self.report.error("E308", message, span, help=f"write `{short}`", fix=fix)
        if path := self.of_kind(wanted):
            message = f"unknown step `{wanted}`: that is what the step `{path}` is, not its path"
            editor = Editor(node.origin.document, self.report.texts)
            fix = editor.replace((*node.origin.path, "weights"), path)
            return self.report.error("E308", message, span, help=f"write `{path}`", fix=fix)
        if inner := self.inside(wanted):
            message = (
                f"unknown step `{wanted}`: this step is inside `{first}`, so its paths begin there"
            )
            fix = Editor(node.origin.document, self.report.texts).replace(
                (*node.origin.path, "weights"), inner
            )
            return self.report.error("E308", message, span, help=f"write `{inner}`", fix=fix)
        if any(first in scope.later for scope in self.scopes):
            message = f"`{wanted}` is not computed before this step"
            help = "write `weights` in the later one of both steps"
            return self.report.error("E316", message, span, help=help)
        if not self.report.helping:
            return self.report.error("E308", f"unknown step `{wanted}`", span)
        known = list(dict.fromkeys(p for s in reversed(self.scopes) for p in s.paths() if p))
        best, document = nearest(wanted, known[:_LISTED]), node.origin.document
        help = suggestion(wanted, known[:_LISTED], what="steps before it")
        editor = Editor(document, self.report.texts)
        fix = editor.replace((*node.origin.path, "weights"), best) if best else ()
        return self.report.error("E308", f"unknown step `{wanted}`", span, help=help, fix=fix)

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

    def inside(self, wanted: str) -> str:
        """The path that is meant by one that begins with the branch or the fork around the step."""
        first, _, short = wanted.partition("/")
        for scope, inner in pairwise(self.scopes):
            around = inner.here[len(scope.here) :]
            if short and first in around and self.index.find(inner, tuple(short.split("/"))):
                return short
        return ""

    def lone(self, wanted: str) -> str:
        """The path that is meant by one with a part too much for the only step of a chain."""
        short = tuple(wanted.split("/")[:-1])
        found = (self.index.find(scope, short) for scope in reversed(self.scopes) if short)
        one = next((f for f in found if f), None)
        plain = one is not None and not one[1] and not isinstance(one[0], ForkNode)
        return "/".join(short) if plain else ""


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
        help = f"share the weights of the whole step, `{inside}`"
        return f"`{wanted}` leads into the step `{inside}`", help
    one, other = _kind(node), _kind(owner)
    if one != other:
        return f"this step is {one}, but `{wanted}` is {other}", "both must be the same"
    return None


def _kind(node: OpNode | UseNode) -> str:
    return f"`use: {node.block}`" if isinstance(node, UseNode) else f"`op: {node.op.op}`"


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
