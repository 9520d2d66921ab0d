"""Where modules are stored in a class, so that every weight of a spec is found in the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import Found, Records, TypedOp, TypedProgram

from .layers import Layer

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Held:
    """An attribute that stores modules; ``sequence``: it is an ``nn.Sequential``.

    An empty ``name`` means the items of the class itself.
    """

    name: str
    sequence: bool


class Place(NamedTuple):
    """Where the repetitions of a step are stored.

    ``held`` is the attribute, ``width`` the number of modules per repetition, ``layer`` the layer
    (none for a use of a block).
    """

    held: Held
    width: int
    layer: Layer | None


class Ref(NamedTuple):
    """A weight of the spec and its key in the model; a block or layer if ``layout`` is empty."""

    path: Key
    key: Key
    layout: str


def references(
    typed: TypedProgram, records: Records[Place], heads: Mapping[str, Key]
) -> Iterator[Ref]:
    """Yield the weights, blocks and layers of a program with their keys in the model.

    ``heads`` are the key prefixes of auxiliary heads: the attribute of an inline head, else empty.
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


def module_names(found: Iterable[Ref]) -> dict[str, str]:
    """The names of the modules that hold weights, by the path of the layer."""
    return {"/".join(r.path[:-1]): ".".join(r.key[:-1]) for r in found if r.layout}


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
