"""Changes between two networks, their places, and which of them are moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from ..analysis.step_costs import StepCost, Written
from ..ir.program import Node
from .alignment import same_step

Kind: TypeAlias = Literal["changed", "added", "removed", "renamed", "moved"]


class Place(NamedTuple):
    """Where a change is: the path of the step in the network or in a block, and its uses.

    ``parameters`` and ``macs`` are by how much those of the step are more in the new network.
    """

    path: str
    uses: int
    parameters: int
    macs: int


class Change(NamedTuple):
    """A change in one or several places; none if it is of the network itself.

    ``field`` is what changes from ``old`` to ``new``; of a step that is added, removed or moved it
    is the step.
    """

    kind: Kind
    field: str
    old: str
    new: str
    places: tuple[Place, ...] = ()

    @property
    def uses(self) -> int:
        """How many layers of the expanded network it concerns."""
        return sum(place.uses for place in self.places)


class At(NamedTuple):
    """Where two steps that stand for each other are written, and what each costs."""

    old: Written
    new: Written
    costs: tuple[StepCost, StepCost] = (StepCost(), StepCost())

    @property
    def written(self) -> tuple[Written, Written]:
        """Both without the costs."""
        return self.old, self.new

    def below(self, old: Iterable[str], new: Iterable[str], costs: tuple[StepCost, StepCost]) -> At:
        """The place at the end of further segments of both paths, and the costs there."""
        (owner, path), (other, path_b), _ = self
        return At((owner, (*path, *old)), (other, (*path_b, *new)), costs)


class Step(NamedTuple):
    """A step that only one of the networks has, in the chain ``at``, after the step ``before``."""

    change: Change
    node: Node
    at: At
    before: str

    def where(self, other: Step) -> str:
        """Its path, or what it is after if ``other`` is in the same chain."""
        if self.at == other.at:
            return f"after {self.before}" if self.before else "first"
        return self.change.places[0].path


TOP = At(("", ()), ("", ()))


def with_moves(found: Iterable[Change | Step]) -> Iterator[Change]:
    """The changes, with a removed and an added step of the same content and name as one move."""
    steps = [one for one in found if isinstance(one, Step)]
    gone = [step for step in steps if step.change.kind == "removed"]
    sources: dict[int, Step] = {}
    for step in steps:
        same = (s for s in gone if same_step(s.node, step.node))
        if step.change.kind == "added" and (source := next(same, None)):
            gone.remove(source)
            sources[id(step)] = source
    moved = {id(source) for source in sources.values()}
    for one in found:
        if isinstance(one, Change):
            yield one
        elif source := sources.get(id(one)):
            (old,), (new,) = source.change.places, one.change.places
            more = (new.parameters + old.parameters, new.macs + old.macs)
            place = Place(new.path, new.uses, *more)
            ends = source.where(one), one.where(source)
            yield Change("moved", one.change.field, *ends, (place,))
        elif id(one) not in moved:
            yield one.change


def place_text(at: Written) -> str:
    """The path of a step, which begins with the block that it is written in."""
    owner, path = at
    return "/".join(filter(None, (owner, *path)))
