"""The steps of a spec that a random overlay can change, and what is known about each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from .plain_specs import selector
from .random_blocks import Block, Parameter, Step
from .random_contexts import Context
from .random_fields import FILTERS, FUNCTIONS
from .random_ranges import COUNTS, Ranged
from .random_shapes import Misfit, Shape

SECTIONS: Final = ("stem", "body", "head", "steps")
MOST_LAYERS: Final = 30
Path = tuple[str | int, ...]
CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "int": FILTERS,
    "float": (0.17, 0.5, 1.5),
    "str": FUNCTIONS,
    "bool": (True, False),
}


class Place(NamedTuple):
    """A step: its path in an overlay, its fields with all changes, and what it can read there."""

    path: Path
    step: Step
    context: Context


class Sizes(Ranged):
    """The sizes of a whole spec; remembers the first input and the values of every step."""

    counts: Mapping[str, tuple[int, int]] = {**COUNTS, "kernel_size": (1, 7), "stride": (1, 7)}

    def __init__(self) -> None:
        super().__init__({}, {}, 12_000, 80)
        self.seen: dict[int, tuple[Shape, Mapping[str, Any]]] = {}
        self.inside: list[str] = []

    def after(
        self, step: Step, x: Shape, values: Mapping[str, Any], own: Mapping[str, Any] | None = None
    ) -> Shape:
        self.seen.setdefault(id(step), (x, values))
        return super().after(step, x, values, own)

    def once(
        self, step: Step, x: Shape, values: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Shape:
        if any(isinstance(v, list) and len(v) != x.rank for v in step.values()) and "op" in step:
            raise Misfit
        return super().once(step, x, values, own)

    def use(self, step: Step, x: Shape, values: Mapping[str, Any]) -> Shape:
        if step["use"] in self.inside:  # a block that uses itself
            raise Misfit
        self.inside.append(step["use"])
        try:
            return super().use(step, x, values)
        finally:
            self.inside.pop()

    def chain(
        self, steps: list[Step], x: Shape, values: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Shape:
        different(steps)
        return super().chain(steps, x, values, own)

    def whole(self, data: Step, made: Mapping[str, Block]) -> dict[str, Shape]:
        """The shapes after the named steps; raises :class:`Misfit`. ``made`` are new blocks."""
        self.blocks = {**{n: block(b) for n, b in data["blocks"].items() if n not in made}, **made}
        self.defaults, self.layers, self.seen = data.get("defaults", {}), 0, {}
        x, values = Shape(spatial(data["input"]), data["input"]["channels"]), inputs(data)
        found: dict[str, Shape] = {}
        sections = {name: data.get(name, []) for name in SECTIONS}
        different(
            [
                *itertools.chain(*sections.values()),
                *({"name": n} for n in data.get("aux_heads", {})),
            ]
        )
        for section, steps in sections.items():
            self.earlier = {}
            for step in steps:
                clash = not set(SECTIONS).isdisjoint(starts(step))
                if clash and (len(steps) > 1 or section != "stem"):
                    raise Misfit  # paths of steps without a name start so
                x = self.after(step, x, values)
                if section in ("stem", "body") and step.get("repeat") != 0:
                    found[step.get("name", "")] = x
        if x.channels != values.get("classes", x.channels) or self.layers > MOST_LAYERS:
            raise Misfit
        for head in data.get("aux_heads", {}).values():
            if head["after"] not in found:
                raise Misfit
            x = found[head["after"]]
            y = self.chain(head["steps"], x, {**values, "in_channels": x.channels}, self.defaults)
            if y != Shape((), values["classes"]):
                raise Misfit
        if set(data.get("outputs", {}).values()) - set(found):
            raise Misfit
        return {n: shape for n, shape in found.items() if n}


def inputs(data: Step) -> dict[str, Any]:
    """What the expressions of the network's own steps can read."""
    known = {n: p["default"] for n, p in data.get("params", {}).items()}
    classes = {"classes": data["classes"]} if "classes" in data else {}
    return {**known, **classes, "in_channels": data["input"]["channels"]}


def spatial(shape: Step) -> tuple[int, ...]:
    """The spatial axes of a field ``input``."""
    return tuple(shape[axis] for axis in ("length", "depth", "height", "width") if axis in shape)


def block(data: Step) -> Block:
    """A block of the base with its changes."""
    return Block(data["steps"], {n: declared(p) for n, p in data.get("params", {}).items()})


def declared(written: Any) -> Parameter:
    """A parameter as it is written in a spec: a type, or a type and a default."""
    if isinstance(written, str):
        return Parameter(written, CHOICES[written][0], CHOICES[written], False)
    kind, value = written["type"], written["default"]
    return Parameter(kind, value, (value, *CHOICES[kind]), True)


def starts(step: Step) -> list[str]:
    """The first parts of the paths in a step, other than its position."""
    named = step.get("name", step.get("use"))
    return list(step.get("branches", ())) if named is None else [str(named)]


def different(steps: list[Step]) -> None:
    """Raises :class:`Misfit` if two steps of a chain have the same path."""
    seen: list[str] = []
    for step in steps:
        seen += starts(step)
    if len(set(seen)) < len(seen):
        raise Misfit


def places(
    base: list[Step], over: Any, steps: list[Step], path: Path, context: Context
) -> Iterator[Place]:
    """The steps of a chain that an overlay has not replaced or removed, with those of branches.

    ``steps`` is the chain ``base`` with the changes ``over``.
    """
    if isinstance(over, list) or over is None:
        return
    position = 0
    for index, step in enumerate(base):
        key = index if index in over else selector(step, index)
        change = over.get(key, {})
        if isinstance(change, list):
            position += len(change)
            continue
        if change is None:
            continue
        found = steps[position]
        position += 1
        yield Place((*path, key), found, context)
        inner = change.get("branches", {})
        for branch, chain in step.get("branches", {}).items():
            if branch in found["branches"]:
                where = (*path, key, "branches", branch)
                yield from places(
                    chain, inner.get(branch, {}), found["branches"][branch], where, context
                )
