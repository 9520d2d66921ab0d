"""Records how every step was written, to find the layers of concrete programs.

How a step is written depends on all of its uses. The record of a chain applies to every typed chain
that it was written for; a use refers to the record of the block's function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from inception_dsl.backend import (
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedUse,
    applications,
)

from .calls import Call

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The repetitions of a step from ``start`` on: calls of a layer, branches of a fork."""

    start: int
    calls: tuple[Call, ...] = ()
    branches: tuple[ChainRecord, ...] = ()


ChainRecord: TypeAlias = "tuple[tuple[Piece, ...], ...]"


@dataclass(frozen=True, slots=True)
class Written:
    """A node with its path, and how it was written; ``inner`` is the record of a used block."""

    path: Path
    typed: TypedOp | TypedFork | TypedUse
    piece: Piece
    inner: ChainRecord = ()


@dataclass(frozen=True, slots=True)
class Records:
    """The records of the sections and heads by name, of block instances by the body's ``id``."""

    sections: Mapping[str, ChainRecord]
    heads: Mapping[str, ChainRecord]
    blocks: Mapping[int, ChainRecord]

    def program(self, typed: TypedProgram, *, heads: bool = True) -> Iterator[Written]:
        """Every node of the program in the order of computation; the auxiliary heads come last."""
        for name, chain in typed.sections.items():
            yield from self.chain(chain, self.sections[name])
        for head, chain in typed.heads if heads else ():
            yield from self.chain(chain, self.heads[head.name], (head.name,))

    def chain(self, chain: TypedChain, record: ChainRecord, prefix: Path = ()) -> Iterator[Written]:
        """Every node of a chain; a fork or a use comes after the nodes inside it."""
        for step, pieces in zip(chain.steps, record, strict=True):
            for number, (path, typed) in enumerate(applications(step)):
                piece = [p for p in pieces if p.start <= number][-1]
                yield from self.node(Written((*prefix, *path), typed, piece))

    def node(self, found: Written) -> Iterator[Written]:
        """The nodes inside a node, then the node itself."""
        typed = found.typed
        if isinstance(typed, TypedFork):
            for (name, branch), record in zip(typed.branches, found.piece.branches, strict=True):
                yield from self.chain(branch, record, (*found.path, name))
        elif isinstance(typed, TypedUse):
            inner = self.blocks[id(typed.body)]
            yield from self.chain(typed.body, inner, found.path)
            found = Written(found.path, typed, found.piece, inner)
        yield found

    def last(self, chain: TypedChain, record: ChainRecord, prefix: Path) -> Written | None:
        """The last node of a chain, inside of used blocks too; ``None`` if there is none."""
        if not chain.steps:
            return None
        path, typed = list(applications(chain.steps[-1]))[-1]
        found = Written((*prefix, *path), typed, record[-1][-1])
        if not isinstance(typed, TypedUse):
            return found
        return self.last(typed.body, self.blocks[id(typed.body)], found.path)
