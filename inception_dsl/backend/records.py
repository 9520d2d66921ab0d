"""Records: what every step was written as, so that each layer of a program is found in the model.

A block is written once for all of its uses. Its record goes beside the typed chain of any of them;
a use leads to the record of the block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ir.walk import applications, walk_program

T = TypeVar("T")
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """The repetitions of a step from ``start`` on: what a layer or a use was ``made`` into, or the
    records of the branches of a fork.
    """

    start: int
    made: T | None = None
    branches: tuple[Record[T], ...] = ()


Record: TypeAlias = tuple[tuple[Piece[T], ...], ...]
"""The pieces of every step of a chain."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One repetition of a step with its path.

    ``chain`` is the path of the chain that it is in; ``use`` is the path of the use of a block that
    it is in, empty at the top.
    """

    path: Path
    typed: TypedOp | TypedFork | TypedUse
    piece: Piece[T]
    step: TypedStep
    chain: Path
    use: Path


@dataclass(frozen=True, slots=True)
class Records(Generic[T]):
    """The records of the sections and heads, and of every instance of a block by identity."""

    sections: Mapping[str, Record[T]]
    heads: Mapping[str, Record[T]]
    blocks: Mapping[int, Record[T]]

    def program(self, typed: TypedProgram, *, heads: bool = True) -> Iterator[Found[T]]:
        """Every node of the program in the order of computation, heads last.

        ``heads`` includes the auxiliary ones.
        A use comes before what is in it, a fork after its branches. What is in a use that shares
        the weights of another is left out: it is written there.
        """
        for name, chain in typed.sections.items():
            yield from self._chain(chain, self.sections[name], (), ())
        for head, chain in typed.heads if heads else typed.always:
            path = (head.name,)
            yield from self._chain(chain, self.heads[head.name], path, path)

    def _chain(
        self, chain: TypedChain, record: Record[T], path: Path, use: Path
    ) -> Iterator[Found[T]]:
        for step, pieces in zip(chain.steps, record, strict=True):
            for number, (below, typed) in enumerate(applications(step)):
                piece = [p for p in pieces if p.start <= number][-1]
                yield from self._node(Found((*path, *below), typed, piece, step, path, use))

    def _node(self, found: Found[T]) -> Iterator[Found[T]]:
        typed, path = found.typed, found.path
        if isinstance(typed, TypedUse):
            yield found
            if typed.node.shares is None:
                yield from self._chain(typed.body, self.blocks[id(typed.body)], path, path)
            return
        if isinstance(typed, TypedFork):
            for (name, branch), record in zip(typed.branches, found.piece.branches, strict=True):
                yield from self._chain(branch, record, (*path, name), found.use)
        yield found

    def last(self, found: Found[T]) -> Found[T] | None:
        """The layer or fork that the output of a node comes from; nothing for an empty block."""
        typed = found.typed
        if not isinstance(typed, TypedUse):
            return found
        pairs = zip(typed.body.steps, self.blocks[id(typed.body)], strict=True)
        step, pieces = next(((s, p) for s, p in reversed([*pairs]) if s.runs), (None, ()))
        if step is None:
            return None
        below, last = list(applications(step))[-1]
        path = found.path
        return self.last(Found((*path, *below), last, pieces[-1], step, path, path))


def boundaries(typed: TypedProgram) -> frozenset[Path]:
    """The paths whose outputs ``verify`` compares: every used block, every step at the top."""
    uses = {path for path, node in walk_program(typed) if isinstance(node, TypedUse)}
    steps = (step for chain in typed.sections.values() for step in chain.steps)
    return frozenset(uses | {path for step in steps for path, _ in applications(step)} - {()})
