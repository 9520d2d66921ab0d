"""Where modules are stored in a class, so that every weight of a spec is found in the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from inception_dsl.backend import TypedChain, TypedFork, TypedOp, TypedStep, TypedUse, applications

from .layers import Layer

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Held:
    """An attribute that stores modules; ``sequence``: it is an ``nn.Sequential``.

    An empty ``name`` means the items of the class itself.
    """

    name: str
    sequence: bool


class Rest(NamedTuple):
    """The repetitions of a step from ``start`` on, which are written differently from the first.

    ``width`` and ``element`` are as in :class:`Place`.
    """

    start: int
    width: int
    element: Any


class Place(NamedTuple):
    """Where a step is stored.

    ``held`` is the attribute, or ``None`` for a step that is written in ``forward`` only. ``width``
    is the number of modules per repetition; ``element`` is the layer, or the class of the used
    block. A fork has the places of its ``branches``; ``rests`` are repetitions that are written
    differently from the first.
    """

    held: Held | None = None
    width: int = 1
    element: Any = None
    branches: tuple[tuple[Place, ...], ...] = ()
    rests: tuple[Rest, ...] = ()

    def repetition(self, number: int) -> Place:
        """The place of one repetition."""
        found = [rest for rest in self.rests if rest.start <= number]
        if not found:
            return self
        return self._replace(width=found[-1].width, element=found[-1].element)


class Ref(NamedTuple):
    """A weight of the spec and its key in the model; a block or layer if ``layout`` is empty."""

    path: Key
    key: Key
    layout: str


def references(
    places: tuple[Place, ...],
    chain: TypedChain,
    written: Mapping[int, Any],
    path: Key = (),
    key: Key = (),
) -> Iterator[Ref]:
    """Yield the weights, blocks and layers of a chain with their keys in the model.

    ``written`` maps the ids of blocks' bodies to their classes.
    """
    positions: dict[int, int] = {}
    for place, step in zip(places, chain.steps, strict=True):
        for number, (below, typed) in enumerate(applications(step)):
            here = (*path, *below)
            if isinstance(typed, TypedFork):
                for (name, branch), inner in zip(typed.branches, place.branches, strict=True):
                    yield from references(inner, branch, written, (*here, name), key)
            elif place.held is not None:
                position = positions.get(id(place.held), 0)
                positions[id(place.held)] = position + (1 if step.repeated else place.width)
                one = place.repetition(number)
                modules = _modules(one, step, position, key)
                yield from _element(one, typed, written, here, modules)


def _modules(place: Place, step: TypedStep, position: int, key: Key) -> tuple[Key, ...]:
    """The keys of the modules of one repetition."""
    held = place.held
    assert held is not None
    at = (*key, held.name) if held.name else key
    if not held.sequence:
        return (at,)
    if not step.repeated:
        return tuple((*at, str(position + m)) for m in range(place.width))
    if place.width == 1:
        return ((*at, str(position)),)
    return tuple((*at, str(position), str(m)) for m in range(place.width))


def _element(
    place: Place,
    typed: TypedOp | TypedUse,
    written: Mapping[int, Any],
    path: Key,
    modules: tuple[Key, ...],
) -> Iterator[Ref]:
    yield Ref(path, modules[-1], "")
    if isinstance(typed, TypedUse):
        inner = written[id(typed.body)]
        yield from references(inner.places, typed.body, written, path, modules[-1])
        return
    layer: Layer = place.element
    stored = {weight.name: weight for weight in layer.weights}
    for weight in typed.op.weights(typed.x):
        found = stored[weight.name]
        key = (*modules[found.module], *found.key.split("."))
        yield Ref((*path, *weight.name.split("/")), key, found.layout)
