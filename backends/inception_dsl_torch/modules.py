"""Writes steps as modules of a class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import (
    Argument,
    Definition,
    Expression,
    Item,
    LayerSite,
    ModulePlan,
    Part,
    Repeated,
    Scope,
    StepSite,
    TensorType,
    UseSite,
    call,
    first_that_fits,
    rows,
)

from .helpers import Helpers
from .layers import Layer
from .lowering import lower
from .places import Place, Rest


class Written(NamedTuple):
    """The class of a definition, with its arguments and the places of its modules."""

    name: str
    definition: Definition
    arguments: tuple[Argument, ...]
    places: tuple[Place, ...]


Element: TypeAlias = "Layer | Written"


class Lowered(NamedTuple):
    """A layer or a use of a block as modules."""

    modules: tuple[Expression, ...]
    element: Element

    def single(self) -> Expression:
        """All modules as one module."""
        return self.modules[0] if len(self.modules) == 1 else rows("nn.Sequential", *self.modules)


class Items(NamedTuple):
    """A step with its repetitions as items of a sequence.

    ``types`` are the output types of the items, ``width`` is the number of modules of the first
    repetition and ``element`` what it was written from; ``rests`` are repetitions that differ.
    """

    items: tuple[Expression, ...]
    types: tuple[TensorType, ...]
    width: int
    element: Element
    rests: tuple[Rest, ...] = ()


@dataclass(slots=True)
class Shared:
    """State shared by all classes of a file. ``written`` maps the ids of instances' bodies to
    their classes.
    """

    plan: ModulePlan
    helpers: Helpers
    written: dict[int, Written] = field(default_factory=dict)

    def callee(self, use: UseSite) -> Written:
        """The class of a use; raises :class:`SplitError` if its rows need several."""
        found = [self.written[id(t.body)] for t in use.typed]
        if any(written is not found[0] for written in found):
            raise use.frame.split(use.node, [written.name for written in found])
        return found[0]

    def one(self, site: LayerSite | UseSite, scope: Scope) -> Lowered:
        """A layer or a use of a block as modules."""
        if isinstance(site, LayerSite):
            layer = lower(site, scope, self.helpers)
            return Lowered(layer.modules, layer)
        written = self.callee(site)
        channels, keywords = [], {}
        for argument in written.arguments:
            value = scope.passed(site, argument, written.definition)
            if argument.symbol is written.definition.channels:
                channels.append(value)
            else:
                keywords[argument.name] = value
        return Lowered((call(written.name, *channels, **keywords),), written)

    def items(self, step: StepSite, scope: Scope) -> Items:
        """A step as the items of a sequence."""

        def write(parts: tuple[Part, ...]) -> Items:
            found = [self._part(step, part, scope) for part in parts]
            items = tuple(i for f in found for i in f.items)
            types = tuple(t for f in found for t in f.types)
            rests = tuple(
                Rest(part.start, made.width, made.element)
                for part, made in zip(parts[1:], found[1:], strict=True)
            )
            return Items(items, types, found[0].width, found[0].element, rests)

        found: Items = first_that_fits(step, write, scope, self.helpers)
        return found

    def _part(self, step: StepSite, part: Part, scope: Scope) -> Items:
        assert isinstance(part.site, LayerSite | UseSite)
        y = part.site.typed[-1].y
        with scope.loop(part.index, INDEX):
            lowered = self.one(part.site, scope)
            if not step.repeated:
                return once(lowered, y)
            read = part.index in scope.reads
        module = lowered.single()
        count = scope.text(part.count)
        if part.index is None or (count == "1" and not read):
            return Items((module,), (y,), len(lowered.modules), lowered.element)
        if read:
            start = f"{part.start}, " if part.start else ""
            item = Repeated(module, f"{start}{scope.text(part.stop)}", INDEX)
        else:
            item = Repeated(module, count)
        return Items((item,), (y,), len(lowered.modules), lowered.element)


INDEX = "i"


def once(lowered: Lowered, y: TensorType) -> Items:
    """A step that is not repeated."""
    width = len(lowered.modules)
    return Items(lowered.modules, (y,) * width, width, lowered.element)


def sequence(
    shared: Shared, scope: Scope, steps: Iterable[StepSite], *, notes: bool
) -> tuple[list[Item], list[Items]]:
    """Steps as the items of an ``nn.Sequential``; ``notes`` adds shapes as comments."""
    items: list[Item] = []
    found: list[Items] = []
    for step in steps:
        made = shared.items(step, scope)
        found.append(made)
        for expression, y in zip(made.items, made.types, strict=True):
            items.append(Item(expression, comment=shape_note(y) if notes else ""))
    return items, found


def shape_note(t: TensorType) -> str:
    """The shape as a comment; empty for a vector."""
    return str(t) if t.rank else ""
