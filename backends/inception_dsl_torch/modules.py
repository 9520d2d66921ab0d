"""Writes steps as modules of a class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from inception_dsl.backend import (
    Argument,
    Definition,
    Expression,
    Item,
    LayerSite,
    ModulePlan,
    Part,
    Piece,
    Record,
    Repeated,
    Scope,
    StepSite,
    TensorType,
    UseSite,
    call,
    first_that_fits,
    rows,
)

from .fresh import is_fresh
from .helpers import Helpers
from .layers import Layer
from .lowering import lower
from .places import Held, Place


class Written(NamedTuple):
    """The class of a definition, with its arguments and the places of its modules."""

    name: str
    definition: Definition
    arguments: tuple[Argument, ...]
    record: Record[Place]


class Lowered(NamedTuple):
    """A layer or a use of a block as modules."""

    modules: tuple[Expression, ...]
    layer: Layer | None = None

    def single(self) -> Expression:
        """All modules as one module."""
        return self.modules[0] if len(self.modules) == 1 else rows("nn.Sequential", *self.modules)


class Made(NamedTuple):
    """The repetitions of a step from ``start`` on: the modules that each has, and the layer (none
    for a use of a block).
    """

    start: int
    width: int
    layer: Layer | None


class Items(NamedTuple):
    """A step with its repetitions as items of a sequence; ``types`` are their output types."""

    items: tuple[Expression, ...]
    types: tuple[TensorType, ...]
    made: tuple[Made, ...]

    def record(self, held: Held) -> tuple[Piece[Place], ...]:
        """The record of the step, if the attribute ``held`` stores it."""
        return tuple(Piece(m.start, Place(held, m.width, m.layer)) for m in self.made)


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

    def records(self) -> dict[int, Record[Place]]:
        """The record of every instance of a block."""
        return {body: written.record for body, written in self.written.items()}

    def one(self, site: LayerSite | UseSite, scope: Scope, *, fresh: bool = False) -> Lowered:
        """A layer or a use of a block as modules; ``fresh``: it may overwrite its input."""
        if isinstance(site, LayerSite):
            layer = lower(site, scope, self.helpers)
            layer = layer.fresh if fresh and layer.fresh else layer
            return Lowered(layer.modules, layer)
        written = self.callee(site)
        channels, keywords = [], {}
        for argument in written.arguments:
            value = scope.passed(site, argument, written.definition)
            if argument.symbol is written.definition.channels:
                channels.append(value)
            else:
                keywords[argument.name] = value
        return Lowered((call(written.name, *channels, **keywords),))

    def items(self, step: StepSite, scope: Scope, *, fresh: bool = False) -> Items:
        """A step as the items of a sequence; ``fresh``: it may overwrite its input."""

        def write(parts: tuple[Part, ...]) -> Items:
            found = [self._part(step, part, scope, fresh) for part in parts]
            items = tuple(i for f in found for i in f.items)
            types = tuple(t for f in found for t in f.types)
            return Items(items, types, tuple(m for f in found for m in f.made))

        return first_that_fits(step, write, scope, self.helpers)

    def _part(self, step: StepSite, part: Part, scope: Scope, fresh: bool) -> Items:
        assert isinstance(part.site, LayerSite | UseSite)
        y = part.site.typed[-1].y
        with scope.loop(part.index, INDEX):
            lowered = self.one(part.site, scope, fresh=fresh and not step.repeated)
            if not step.repeated:
                return once(lowered, y)
            read = part.index in scope.reads
        module = lowered.single()
        count = scope.text(part.count)
        if part.index is None or (count == "1" and not read):
            return Items((module,), (y,), (Made(part.start, len(lowered.modules), lowered.layer),))
        if read:
            start = f"{part.start}, " if part.start else ""
            item = Repeated(module, f"{start}{scope.text(part.stop)}", INDEX)
        else:
            item = Repeated(module, count)
        return Items((item,), (y,), (Made(part.start, len(lowered.modules), lowered.layer),))


INDEX = "i"


def once(lowered: Lowered, y: TensorType) -> Items:
    """A step that is not repeated."""
    width = len(lowered.modules)
    return Items(lowered.modules, (y,) * width, (Made(0, width, lowered.layer),))


def sequence(
    shared: Shared, scope: Scope, steps: Iterable[StepSite], *, notes: bool
) -> tuple[list[Item], list[Items]]:
    """Steps as the items of an ``nn.Sequential``; ``notes`` adds shapes as comments."""
    items: list[Item] = []
    found: list[Items] = []
    previous = None
    for step in steps:
        made = shared.items(step, scope, fresh=is_fresh(previous))
        previous = step
        found.append(made)
        for expression, y in zip(made.items, made.types, strict=True):
            items.append(Item(expression, comment=shape_note(y) if notes else ""))
    return items, found


def shape_note(t: TensorType) -> str:
    """The shape as a comment; empty for a vector."""
    return str(t) if t.rank else ""
