"""The steps of a network that a rule may change, each once, however often it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from ...analysis.step_costs import StepCost, step_costs
from ...ir.program import Chain, Node, Program, read_later
from ...ir.typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ...ir.walk import walk_program
from ...yaml.document import DataPath
from ..changes import place_text

Key: TypeAlias = tuple[str, DataPath]
"""The block (empty: the network) that a step is written in, and its location there."""


@dataclass(frozen=True, eq=False)
class Place:
    """A step as it is written, in the block ``owner`` (empty: the network).

    ``path`` is its path there and ``around`` that of its chain, ``chain`` are all steps of the
    chain and ``position`` is its own. ``types`` has it with each input type and arguments.
    ``start`` is what the chain begins with: the input of its block or section, or that of a fork.
    """

    owner: str
    path: Path
    around: Path
    chain: Chain
    position: int
    key: Key
    cost: StepCost
    start: Place | None
    read: bool
    types: list[Typed] = field(default_factory=list)

    @property
    def node(self) -> Node:
        return self.chain[self.position]

    @property
    def repetitions(self) -> list[Place]:
        """The step itself, or the repetitions of one with ``each``, as steps of the chain."""
        every, here = self.node.each, self.position
        chain = (*self.chain[:here], *every, *self.chain[here + 1 :])
        return [
            replace(
                self,
                chain=chain,
                position=here + index,
                types=[typed for typed in self.types if typed.node is one],
            )
            for index, one in enumerate(every)
        ] or [self]

    @property
    def in_block(self) -> bool:
        """Whether it can read ``$in_channels``: it is in a block, also in one built alone."""
        return bool(self.owner) or self.key[1][:1] == ("steps",)

    @property
    def text(self) -> str:
        """Its path, as ``summary`` and ``diff`` print it."""
        where = next((str(part) for part in self.key[1]), "") if not self.path else ""
        return place_text((self.owner, self.path)) or where

    @property
    def deviates(self) -> bool:
        """Whether it has a note on how it differs from the paper."""
        return (*self.node.origin.path, "deviation") in self.node.origin.document.spans

    @property
    def layers(self) -> list[TypedOp]:
        """Its types, of a layer."""
        return [typed for typed in self.types if isinstance(typed, TypedOp)]

    @property
    def forks(self) -> list[TypedFork]:
        """Its types, of a fork."""
        return [typed for typed in self.types if isinstance(typed, TypedFork)]


def places(typed: TypedProgram) -> list[Place]:
    """All steps of a program that run, in the order of the network, those of blocks at the end."""
    found = _Places(typed)
    for chain in typed.sections.values():
        found.chain(chain, "", (), None)
    for head, chain in typed.heads:
        found.chain(chain, "", (head.name,), None)
    while found.bodies:
        use = found.bodies.pop(0)
        found.chain(use.body, use.node.block, (), None)
    return list(found.found.values())


class _Places:
    def __init__(self, typed: TypedProgram) -> None:
        self.program, self.costs = typed.program, step_costs(typed)
        heads = {head.after for head in self.program.heads}
        self.outside = {*heads, *self.program.outputs.values()}
        self.found: dict[int, Place] = {}
        self.bodies: list[TypedUse] = []
        self.seen: set[int] = set()

    def chain(self, chain: TypedChain, owner: str, around: Path, start: Place | None) -> None:
        nodes = tuple(step.node for step in chain.steps)
        read = read_later(nodes) | (self.outside if not owner and not around else frozenset())
        for position, step in enumerate(chain.steps):
            if not step.runs:
                continue
            node, path = step.node, (*around, *step.node.segments)
            place = self.found.get(id(node))
            if place is None:
                key = owner, written_at(self.program, owner, node)
                cost = self.costs.get((owner, path), StepCost())
                named = bool(read & set(node.segments[-1:]))
                place = Place(owner, path, around, nodes, position, key, cost, start, named)
                self.found[id(node)] = place
            place.types.extend(run.typed for run in step.runs)
            for run in step.runs:
                self.inside(run.typed, owner, path, place)

    def inside(self, typed: Typed, owner: str, path: Path, place: Place) -> None:
        if isinstance(typed, TypedFork):
            for name, branch in typed.branches:
                self.chain(branch, owner, (*path, name), place)
        elif isinstance(typed, TypedUse) and id(typed.body) not in self.seen:
            self.seen.add(id(typed.body))
            self.bodies.append(typed)


def written_at(program: Program, owner: str, node: Node) -> DataPath:
    """The location of a step in its block, or in the network."""
    size = len(program.blocks[owner].origin.path) if owner else 0
    return node.origin.path[size:]


class Chosen:
    """Which steps the paths and patterns of ``--at`` choose."""

    def __init__(self, typed: TypedProgram, found: Iterable[Place]) -> None:
        self.places = list(found)
        self.paths: dict[int, list[Path]] = {
            id(place.node): [
                tuple(place.text.split("/")),
                *([] if place.owner else [(str(place.key[1][0]), *place.path)]),
            ]
            for place in self.places
        }
        entries = {id(one): id(p.node) for p in self.places for one in p.node.each}
        for path, node in walk_program(typed):
            key = entries.get(id(node.node), id(node.node))
            if path and key in self.paths:
                self.paths[key].append(path)

    def matching(self, pattern: str) -> list[Place]:
        """The steps at a path, below it, or at those that match a pattern."""
        parts = tuple(pattern.strip("/").split("/"))
        return [p for p in self.places if any(_fits(parts, path) for path in self.paths_of(p))]

    def paths_of(self, place: Place) -> list[Path]:
        return self.paths[id(place.node)]

    @property
    def known(self) -> Iterator[str]:
        """All paths, and their beginnings."""
        seen = dict.fromkeys(
            path[:size]
            for place in self.places
            for path in self.paths_of(place)
            for size in range(len(path), 0, -1)
        )
        return ("/".join(path) for path in seen)


def _fits(parts: Path, path: Path) -> bool:
    """Whether a path begins with parts that match the pattern."""
    return len(parts) <= len(path) and all(
        part == name or fnmatchcase(name, part)
        for part, name in zip(parts, path[: len(parts)], strict=True)
    )
