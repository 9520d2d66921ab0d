"""The calls of layers from which the outputs of the blocks and steps of a spec come."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import (
    TypedChain,
    TypedFork,
    TypedOp,
    TypedUse,
    applications,
    boundaries,
    owned,
    owners,
)

from .calls import below, layer_name, merge_name
from .layers import Path, unnamed_prefix
from .sharing import alone
from .source import Source


class Called(NamedTuple):
    """A layer, or an inner model, and the index of one of its calls."""

    layer: str
    call: int


Place: TypeAlias = tuple[Called, ...]
"""The call of a layer, after those of the inner models that it is in."""


def compared(source: Source) -> dict[str, Place]:
    """The calls of all block instances and all top-level steps, by path.

    Auxiliary heads, and steps without a layer, are left out.
    """
    walk = _Walk(source)
    typed, paths = source.plan.printed, boundaries(source.plan.typed)
    for chain in typed.sections.values():
        walk.chain(chain, (), (), ())
    for head, chain in typed.always:
        walk.chain(chain, (head.name,), (head.name,), ())
    return {"/".join(p): place for p, place in walk.found.items() if p in paths and place}


class _Walk:
    """Follows the order of computation; ``found`` has the place of every node by path."""

    def __init__(self, source: Source) -> None:
        typed = source.plan.printed
        self.before, self.owners = unnamed_prefix(typed), owners(typed)
        written = source.records.program(typed)
        self.made = {f.path: f.piece.made for f in written if isinstance(f.typed, TypedOp)}
        self.calls: Counter[tuple[Place, str]] = Counter()
        self.found: dict[Path, Place] = {}

    def chain(self, chain: TypedChain, path: Path, own: Path, inside: Place) -> Place:
        """The place of the output of a chain; empty if it has no layer."""
        place: Place = ()
        for step in chain.steps:
            shared = bool(step.node.shares) or id(step.node) in self.owners
            for below_, typed in applications(step):
                here, weights = (*path, *below_), owned(step, below_, own)
                place = self.node(typed, here, weights, inside, shared=shared) or place
        return place

    def node(
        self,
        typed: TypedOp | TypedFork | TypedUse,
        here: Path,
        own: Path,
        inside: Place,
        *,
        shared: bool,
    ) -> Place:
        """The place of the output of a node at the path ``here``, whose layers have names below
        ``own``. If it is ``shared``, it may be an inner model.
        """
        path = (*self.before, *own)
        if isinstance(typed, TypedUse):
            place = self.called(inside, "_".join(path)) if shared else inside
            end = self.chain(typed.body, here, own, place)
            self.found[here] = place = place if shared else end  # a fork in it may have its path
            return place
        if isinstance(typed, TypedFork):
            for name, branch in typed.branches:
                self.chain(branch, (*here, name), (*own, name), inside)
            place = self.called(inside, merge_name(path, typed.node.merge))
        elif not (made := self.made[own]):
            return ()
        elif shared and not alone(made):
            place = self.called(inside, "_".join(path))
        else:
            name = layer_name(path, made[-1].part, typed.op.op)
            part = made[-1].made[-1].part
            place = self.called(inside, below(name, part) if part else name)
        self.found.setdefault(here, place)
        return place

    def called(self, inside: Place, layer: str) -> Place:
        """The next call of a layer."""
        self.calls[inside, layer] += 1
        return (*inside, Called(layer, self.calls[inside, layer] - 1))
