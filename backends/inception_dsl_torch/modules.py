"""Typed steps as modules, and where their weights land in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from inception_dsl.backend import (
    Defined,
    Expression,
    ForkNode,
    Item,
    Repeated,
    Symbolic,
    TensorType,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedStep,
    TypedUse,
    call,
    literal,
    rows,
)

from .helpers import Helpers
from .layers import Layer
from .lowering import lower


class Ref(NamedTuple):
    """A weight (or, where ``layout`` is empty, a block or an op) of the spec and its place in a
    module.
    """

    path: tuple[str, ...]
    key: tuple[str, ...]
    layout: str

    def below(self, path: tuple[str, ...], key: tuple[str, ...]) -> Ref:
        return Ref((*path, *self.path), (*key, *self.key), self.layout)


class Lowered(NamedTuple):
    """One use or op as modules, and the refs of what they hold (each key starts with the module's
    index).
    """

    modules: tuple[Expression, ...]
    refs: tuple[Ref, ...]
    layer: Layer | None = None

    def single(self) -> Lowered:
        """The same as one module."""
        if len(self.modules) == 1:
            return Lowered(
                self.modules, tuple(Ref(r.path, r.key[1:], r.layout) for r in self.refs), self.layer
            )
        return Lowered((rows("nn.Sequential", *self.modules),), self.refs, self.layer)


@dataclass(slots=True)
class Shared:
    """What all classes of a file have in common."""

    defined: Defined
    helpers: Helpers
    classes: Mapping[object, tuple[str, tuple[str, ...], bool]] = field(default_factory=dict)
    refs: dict[object, tuple[Ref, ...]] = field(default_factory=dict)

    def one(self, typed: TypedOp | TypedUse) -> Lowered:
        """An op or a use as modules."""
        if isinstance(typed, TypedOp):
            layer = lower(typed.op, typed.x, self.helpers)
            refs = [Ref((), (str(len(layer.modules) - 1),), "")]
            refs += [
                Ref(tuple(w.name.split("/")), (str(w.module), *w.key.split(".")), w.layout)
                for w in layer.weights
            ]
            return Lowered(layer.modules, tuple(refs), layer)
        key = self.defined.key(typed)
        name, parameters, takes_channels = self.classes[key]
        positional = (literal(typed.x.channels),) if takes_channels else ()
        keywords = {p: literal(typed.arguments[_original(p)]) for p in parameters}
        inside = tuple(r.below((), ("0",)) for r in self.refs[key])
        return Lowered((call(name, *positional, **keywords),), (Ref((), ("0",), ""), *inside))

    def items(self, step: TypedStep) -> tuple[list[Expression], tuple[Ref, ...], list[TensorType]]:
        """A step with its repetitions as the items of a sequence, their refs, and the type after
        each item.
        """
        items: list[Expression] = []
        refs: list[Ref] = []
        types: list[TensorType] = []
        index = repetition = 0
        for run in step.runs:
            assert not isinstance(run.typed, TypedFork)
            lowered = self.one(run.typed) if not step.repeated else self.one(run.typed).single()
            width = len(lowered.modules)
            for _ in range(run.count):
                path = (
                    (*step.node.segments, str(repetition)) if step.repeated else step.node.segments
                )
                repetition += 1
                for ref in lowered.refs:
                    key = ref.key if step.repeated else ref.key[1:]
                    offset = 0 if step.repeated else int(ref.key[0])
                    refs.append(Ref((*path, *ref.path), (str(index + offset), *key), ref.layout))
                index += width
            if run.count > 1:
                items.append(Repeated(lowered.modules[0], run.count))
                types.append(run.typed.y)
            else:
                items += lowered.modules
                types += [run.typed.y] * width
        return items, tuple(refs), types


def _original(parameter: str) -> str:
    return "classes" if parameter == "num_classes" else parameter


def simple(chain: TypedChain) -> bool:
    """Whether a chain is a plain sequence: no forks in it."""
    return not any(isinstance(step.node, ForkNode) for step in chain.steps)


def sequence(shared: Shared, steps: tuple[TypedStep, ...]) -> tuple[list[Item], tuple[Ref, ...]]:
    """Steps as the items of an ``nn.Sequential``, with their shapes as comments."""
    items: list[Item] = []
    refs: list[Ref] = []
    width = 0
    for step in steps:
        found, below, types = shared.items(step)
        refs += [Ref(r.path, (str(int(r.key[0]) + width), *r.key[1:]), r.layout) for r in below]
        width += sum(run.count for run in step.runs) if step.repeated else len(found)
        items += [Item(e, comment=shape_note(t)) for e, t in zip(found, types, strict=True)]
    return items, tuple(refs)


def shape_note(t: TensorType) -> str:
    """The type as a comment, where all of it is known."""
    return "" if any(isinstance(d, Symbolic) for d in t.spatial) or not t.rank else str(t)
