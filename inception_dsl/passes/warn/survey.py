"""The cases that all warnings examine: each layer, fork and use of a program with its context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ...diagnostics.report import Diagnostic, Edit, Span
from ...ir.program import ForkNode, Node, Origin, UseNode
from ...ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep
from ...ir.walk import roots, sharing
from ...language.link import LinkedBlock
from ...language.load import Spec
from ...ops import Op

Steps = Sequence[TypedStep]


class Scope(NamedTuple):
    """A part of the spec that allows warnings."""

    origin: Origin
    codes: tuple[str, ...]


class Context(NamedTuple):
    """The context of a chain.

    The uses that lead to it, the scopes around it that allow warnings, and how many times it is
    computed. ``forked`` means in a branch, ``auxiliary`` in an auxiliary head. ``path`` is that of
    the chain in the network, or in the block that it is written in, which then begins the path.
    """

    uses: tuple[UseNode, ...] = ()
    scopes: tuple[Scope, ...] = ()
    times: int = 1
    forked: bool = False
    auxiliary: bool = False
    path: tuple[str, ...] = ()

    def at(self, node: Node, count: int) -> Context:
        """The context of a step that is repeated ``count`` times."""
        if count == 1 and not node.allow:
            return self
        return self.within(Scope(node.origin, node.allow))._replace(times=self.times * count)

    def within(self, scope: Scope) -> Context:
        return self._replace(scopes=(*self.scopes, scope)) if scope.codes else self


class Case(NamedTuple):
    """A node with the steps of its chain, and its position among them.

    A block with other shapes or arguments is another case.
    """

    typed: Typed
    steps: Steps
    position: int
    context: Context

    @property
    def node(self) -> Node:
        """The step, as it is written."""
        return self.steps[self.position].node

    @property
    def path(self) -> tuple[str, ...]:
        """Its path in the network, or in the block that it is written in."""
        return (*self.context.path, *self.node.segments)


class Found(NamedTuple):
    """A case to warn about: its location, its severity (``weight``), and data for the message."""

    origin: Origin
    context: Context
    weight: int
    data: Any

    @property
    def key(self) -> tuple[int, tuple[str | int, ...]]:
        return id(self.origin.document), self.origin.path


class Warn(NamedTuple):
    """The text of one warning."""

    message: str
    span: Span
    help: str = ""
    related: tuple[tuple[Span, str], ...] = ()
    fix: tuple[Edit, ...] = ()


class Check(NamedTuple):
    """One warning.

    ``find`` finds its cases. ``describe`` makes the warning for all cases at one location (worst
    first), or returns ``None`` if together they do not matter. ``once``: one warning for all cases
    of the spec, those of the first location first.
    """

    code: str
    find: Callable[[Survey], Iterable[Found]]
    describe: Callable[[Survey, list[Found]], Warn | None]
    once: bool = False


class Survey:
    """A typed program, its spec, and all cases in it.

    ``misfits`` is what is wrong in its names of published weights.
    """

    def __init__(
        self,
        spec: Spec,
        linked: Mapping[str, LinkedBlock],
        typed: TypedProgram,
        misfits: tuple[Diagnostic, ...] = (),
    ) -> None:
        self.spec, self.linked, self.typed, self.misfits = spec, linked, typed, misfits
        program = typed.program
        self.top = Context().within(Scope(program.origin, program.about.allow))
        self.steps: Steps = [step for chain in typed.sections.values() for step in chain.steps]
        self.heads = [
            (
                chain.steps,
                self.top.within(Scope(head.origin, head.about.allow))._replace(
                    auxiliary=True, path=(head.name,)
                ),
            )
            for head, chain in typed.heads
        ]
        self.cases: list[Case] = []
        self._after: dict[int, set[str]] = {}
        for steps, context in [(self.steps, self.top), *self.heads]:
            self._add(steps, context)

    def _add(self, steps: Steps, context: Context) -> None:
        for index, step in enumerate(steps):
            for run in step.runs:
                here = context.at(step.node, run.count)
                self.cases.append(Case(run.typed, steps, index, here))
                for chain, below in self.beneath(run.typed, here):
                    if chain.size:  # nested uses without layers may be exponentially many
                        self._add(chain.steps, below)

    def beneath(self, typed: Typed, context: Context) -> list[tuple[TypedChain, Context]]:
        """The chains inside a fork or a use, each with its context."""
        if isinstance(typed, TypedOp):
            return []
        if isinstance(typed, TypedFork):
            path = (*context.path, *typed.node.segments)
            forked = context._replace(forked=True)
            return [(chain, forked._replace(path=(*path, name))) for name, chain in typed.branches]
        block = self.typed.program.blocks[typed.node.block]
        inside = context._replace(uses=(*context.uses, typed.node), path=(typed.node.block,))
        below = inside.within(Scope(block.origin, block.about.allow))
        return [(typed.body, below)]

    def starts_branch(self, steps: Steps, position: int) -> bool:
        """Whether a branch of a later step of the chain begins with the output of a step."""
        if id(steps) not in self._after:
            nodes = (step.node for step in steps if step.runs)
            forks = (node for node in nodes if isinstance(node, ForkNode))
            self._after[id(steps)] = {name for fork in forks for name in fork.after.values()}
        return bool(self._after[id(steps)] & {*steps[position].node.segments[-1:]})

    @cached_property
    def shared(self) -> dict[int, set[int]]:
        """All steps with the same weights, for each of them, by the ``id`` of the node."""
        found: dict[int, set[int]] = {}
        for chains in roots(self.typed):
            for step, owner, _ in sharing(chains):
                group = found.setdefault(id(owner.node), {id(owner.node)})
                group.add(id(step.node))
                found[id(step.node)] = group
        return found

    def layers(self, *kinds: type[Op]) -> Iterator[tuple[Case, TypedOp]]:
        """Every layer with one of these ops."""
        for case in self.cases:
            if isinstance(case.typed, TypedOp) and isinstance(case.typed.op, kinds):
                yield case, case.typed


def field_span(origin: Origin, field: str) -> Span:
    """The span of a field of a step; of ``op`` if the field is a default."""
    written = (*origin.path, field) in origin.document.spans
    return origin.span(field if written else "op")


def own(origin: Origin, span: Span) -> bool:
    """Whether a span is in the file itself or on the command line, not in a file it extends."""
    return span.file == origin.document.file or span.on_command_line
