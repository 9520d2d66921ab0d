"""Where the modules of a class are, so that every weight of a spec is found in the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import Found, Records, TypedOp, TypedProgram

from .layers import Layer

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Held:
    """An attribute of a class, or its own items (``name`` is empty); ``sequence``: it holds several
    modules.
    """

    name: str
    sequence: bool


class Place(NamedTuple):
    """Where the repetitions of a step are: in which attribute, as how many modules each, and the
    layer if it is one.
    """

    held: Held
    width: int
    layer: Layer | None


class Ref(NamedTuple):
    """A weight (or, where ``layout`` is empty, a block or a layer) of the spec, and its key in the
    model.
    """

    path: Key
    key: Key
    layout: str


def references(
    typed: TypedProgram, records: Records[Place], heads: Mapping[str, Key]
) -> Iterator[Ref]:
    """The keys of all nodes and weights of a program. ``heads`` are those of the auxiliary heads:
    the attribute of a class of its own, or nothing.
    """
    keys: dict[Key, Key] = {(): (), **{(name,): key for name, key in heads.items()}}
    positions: dict[tuple[Key, int], int] = {}
    for found in records.program(typed):
        place = found.piece.made
        if place is None:  # a fork, or a layer that is a line of `forward`
            continue
        sequence = found.chain, id(place.held)
        position = positions.get(sequence, 0)
        positions[sequence] = position + (1 if found.step.repeated else place.width)
        modules = _modules(found, place, position, keys[found.use])
        keys[found.path] = modules[-1]
        yield Ref(found.path, modules[-1], "")
        if isinstance(found.typed, TypedOp) and place.layer is not None:
            yield from _weights(found.typed, found.path, place.layer, modules)


def _modules(found: Found[Place], place: Place, position: int, use: Key) -> tuple[Key, ...]:
    """The keys of the modules of one repetition."""
    at = (*use, place.held.name) if place.held.name else use
    if not place.held.sequence:
        return (at,)
    if not found.step.repeated:
        return tuple((*at, str(position + m)) for m in range(place.width))
    if place.width == 1:
        return ((*at, str(position)),)
    return tuple((*at, str(position), str(m)) for m in range(place.width))


def _weights(typed: TypedOp, path: Key, layer: Layer, modules: tuple[Key, ...]) -> Iterator[Ref]:
    stored = {weight.name: weight for weight in layer.weights}
    for weight in typed.weights:
        found = stored[weight.name]
        key = (*modules[found.module], *found.key.split("."))
        yield Ref((*path, *weight.name.split("/")), key, found.layout)
