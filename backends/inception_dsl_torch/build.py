"""From the sites of a chain to the body of a class: attributes and the lines of ``forward``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inception_dsl.backend import (
    Apply,
    Branch,
    ChainSite,
    Code,
    Expression,
    ForkNode,
    ForkSite,
    Item,
    Join,
    LayerSite,
    Locals,
    Names,
    OpNode,
    Piece,
    Record,
    Scope,
    Slot,
    StepSite,
    Symbol,
    TensorType,
    call,
    layout,
    listing,
    literal,
    rows,
    statements,
)

from .layers import Layer
from .modules import Shared, once, sequence, shape_note
from .places import Held, Place
from .reserved import FORBIDDEN

WIDTH = 88
NOUNS = {
    "max_pool": "pool",
    "avg_pool": "pool",
    "adaptive_avg_pool": "pool",
    "conv_bn": "conv",
    "separable_conv": "conv",
    "depthwise_conv": "conv",
    "batch_norm": "bn",
    "layer_norm": "norm",
    "group_norm": "norm",
    "local_response_norm": "norm",
    "dense": "fc",
    "zero_pad": "pad",
}


class Line(NamedTuple):
    """``target = value`` in ``forward``, with the shape of the result."""

    target: str
    value: Expression
    note: str = ""


class Attribute(NamedTuple):
    """``self.name = module`` in ``__init__``; ``suffix`` stands behind the module."""

    name: str
    module: Expression
    suffix: str = ""

    def text(self) -> Code:
        """The statement as source, its suffix in parentheses where it is long."""
        source = layout(f"self.{self.name} = ", self.module, self.suffix, indent=8)
        if not self.suffix or ("\n" not in source and len(source) <= WIDTH):
            return source
        inner = layout("", self.module, self.suffix, indent=12)
        if "\n" in inner or len(inner) > WIDTH:
            condition, _, other = self.suffix.strip().partition(" else ")
            module = layout("", self.module, indent=12)
            inner = Code(f"{module}\n            {condition}\n            else {other}")
        return Code(f"        self.{self.name} = (\n{inner}\n        )")


@dataclass(slots=True)
class ClassBody:
    """A class under construction.

    ``saved`` maps arguments that ``forward`` reads to the attributes that keep them; ``same``
    variables to others that hold the same. ``names`` are those of attributes.
    """

    shared: Shared
    scope: Scope
    chains: tuple[ChainSite, ...] = ()
    commented: bool = False
    setup: list[Attribute] = field(default_factory=list)
    forward: list[Line] = field(default_factory=list)
    saved: dict[str, str] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    local: Locals = field(default_factory=lambda: Locals(Names(FORBIDDEN)))
    wanted: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.names = Names(FORBIDDEN)
        counts = Counter(name for chain in self.chains for name in wanted_names(chain))
        self.wanted = set(counts)
        self.repeated = {name for name, count in counts.items() if count > 1}

    def line(self, target: str, value: Expression, y: TensorType) -> None:
        """Add a line to ``forward``."""
        self.same.pop(target, None)
        self.forward.append(Line(target, value, shape_note(y) if self.commented else ""))

    def named(self, wanted: str, path: tuple[str, ...]) -> str:
        """A free name: ``wanted``, or with the path before it where the class has several of that
        name.
        """
        words = [part for part in path if not part.isdigit()]
        full = "_".join([*words, wanted, *(part for part in path if part.isdigit())])
        outer = words[0] if words else ""
        short = wanted.removeprefix("branch_") if outer.startswith("branch_") else wanted
        first = f"{outer}_{short}" if wanted in self.repeated and outer else wanted
        return self.names.unique(*(f"{c}_" if c in FORBIDDEN else c for c in (first, full)))

    def store(self, name: str, module: Expression) -> str:
        """Store a module under a name that is taken already."""
        self.setup.append(Attribute(name, module))
        return name

    def chain(
        self, chain: ChainSite, x: str, target: str, path: tuple[str, ...]
    ) -> tuple[str, Record[Place]]:
        """Every step in turn, from the variable ``x`` to ``target``: the variable with the result,
        and the record.
        """
        found = statements(chain, x, target, path, self.local)
        record = tuple(map(self.statement, found))
        return self.read(target if found else x), record

    def statement(self, planned: Apply | Join) -> tuple[Piece[Place], ...]:
        """The attributes and lines of a step."""
        if isinstance(planned, Join):
            return (self.join(planned),)
        step, x = planned.step, self.read(planned.source)
        if not step.repeated and isinstance(site := step.site, LayerSite):
            state = self.shared.helpers.state()
            lowered = self.shared.one(site, self.scope)
            if lowered.layer is not None and lowered.layer.inline is not None:
                self.shared.helpers.restore(state)
                self.shared.helpers.needs(*lowered.layer.needs)
                self.inline(lowered.layer, x, planned.target, site)
                return (Piece(0),)
            made = once(lowered, site.typed[-1].y)
        else:
            made = self.shared.items(step, self.scope)
        path = planned.path[: len(planned.path) - len(step.node.segments)]
        held = Held(self.named(wanted_name(step), path), step.repeated or len(made.items) > 1)
        self.store(held.name, joined([*made.items], sequential=held.sequence))
        self.line(planned.target, f"self.{held.name}({x})", made.types[-1])
        return made.record(held)

    def read(self, variable: str) -> str:
        """The variable that holds what ``variable`` would; a layer may do nothing."""
        return self.same.get(variable, variable)

    def inline(self, layer: Layer, x: str, target: str, site: LayerSite) -> None:
        """A layer without a module: a line of ``forward``."""
        assert layer.inline is not None
        text = layer.inline(x, self.in_forward)
        if text == x:
            self.same[target] = x
        else:
            self.line(target, text, site.typed[0].y)

    def in_forward(self, slot: Slot) -> Code:
        """A slot as ``forward`` says it, in parentheses where it is a sum."""
        return self.scope.text(slot, spelled=self.kept, tight=True)

    def kept(self, symbol: Symbol, name: Code) -> Code:
        """An argument as ``forward`` reads it, from an attribute."""
        if name not in self.saved:
            free = [n for n in (name, f"{name}_value") if n not in self.wanted]
            self.saved[name] = self.names.unique(*free, f"{name}_argument")
        return Code(f"self.{self.saved[name]}")

    def join(self, planned: Join) -> Piece[Place]:
        """Branches side by side, then the merge."""
        results, records = [], []
        merge, y = planned.fork.node.merge, planned.fork.typed[0].y
        for branch in planned.branches:
            records.append(self.branch(branch, planned.path))
            result = self.read(branch.end)
            if not branch.chain.typed[0].y.rank and y.rank:
                result += f"[{', '.join([':', ':', *['None'] * y.rank])}]"
            results.append(result)
        if merge == "concat":
            merged: Expression = call("torch.cat", listing(results), dim=literal(1))
            self.shared.helpers.needs("torch")
        else:
            merged = (" + " if merge == "add" else " * ").join(results)
        self.line(planned.target, merged, y)
        return Piece(0, branches=tuple(records))

    def branch(self, branch: Branch, path: tuple[str, ...]) -> Record[Place]:
        """The attributes and lines of a branch: one of each, where it is a plain sequence."""
        chain = branch.chain
        if not chain.steps or not chain.simple or self.all_inline(chain):
            return tuple(map(self.statement, branch.statements))
        items, found = sequence(self.shared, self.scope, chain.steps, notes=False)
        several = len(items) > 1 or chain.steps[0].repeated
        held = Held(self.named(branch.name, path), several)
        self.store(held.name, joined([i.value for i in items], sequential=several))
        x = self.read(branch.source)
        self.line(branch.target, f"self.{held.name}({x})", chain.typed[0].y)
        return tuple(made.record(held) for made in found)

    def all_inline(self, branch: ChainSite) -> bool:
        """Whether no step of a branch stores anything."""
        state = self.scope.state(), self.shared.helpers.state()
        try:
            return all(self._is_inline(step) for step in branch.steps)
        finally:
            self.scope.restore(state[0])
            self.shared.helpers.restore(state[1])

    def _is_inline(self, step: StepSite) -> bool:
        if step.repeated or not isinstance(site := step.site, LayerSite):
            return False
        if site.typed[0].weights:  # stored: no need to write it to find out
            return False
        layer = self.shared.one(site, self.scope).layer
        return layer is not None and layer.inline is not None

    def init(self) -> list[Code]:
        """The lines of ``__init__`` that keep arguments and make modules."""
        stored = [Code(f"        self.{kept} = {name}") for name, kept in self.saved.items()]
        return [*stored, *(attribute.text() for attribute in self.setup)]


def written(lines: Sequence[Line], *, result: str) -> list[Code]:
    """The lines of a method as source; the last one returns ``result``."""
    found = [layout(f"{n.target} = ", n.value, indent=8, note=n.note) for n in lines]
    if lines and lines[-1].target == result:
        last = lines[-1]
        found[-1] = layout("return ", last.value, indent=8, note=last.note)
        return found
    return [*found, Code(f"        return {result}")]


def joined(items: list[Expression | Item], *, sequential: bool) -> Expression:
    """Items as one module."""
    if sequential:
        return rows("nn.Sequential", *items)
    first = items[0]
    return first.value if isinstance(first, Item) else first


def wanted_name(step: StepSite) -> str:
    """The name that an attribute should have: the step's own, or a noun for what it is."""
    last = step.node.segments[-1] if step.node.segments else ""
    if isinstance(step.node, OpNode) and (not last or last.isdigit()):
        return NOUNS.get(step.node.op.op, step.node.op.op)
    return last or step.node.block  # type: ignore[union-attr]


def wanted_names(chain: ChainSite) -> Iterator[str]:
    """The names that the steps and branches of a chain ask for."""
    for step in chain.steps:
        if not isinstance(step.node, ForkNode):
            yield wanted_name(step)
        for name, branch in branches(step):
            yield name
            if not branch.simple:
                yield from wanted_names(branch)


def branches(step: StepSite) -> tuple[tuple[str, ChainSite], ...]:
    """The branches of a fork; none of another step."""
    return step.site.branches if isinstance(step.site, ForkSite) else ()
