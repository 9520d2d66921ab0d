"""Writes the body of a class from the sites of a chain: attributes and lines of ``forward``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inception_dsl.backend import (
    Apply,
    Branch,
    ChainSite,
    Code,
    Expression,
    Item,
    Join,
    LayerSite,
    Locals,
    Names,
    Piece,
    Record,
    Scope,
    Slot,
    StepSite,
    Symbol,
    TensorType,
    call,
    listing,
    literal,
    rows,
    statements,
)

from .attributes import attribute, given_names, noun, unnamed
from .fresh import is_fresh
from .layers import Layer
from .lines import Attribute, Line
from .modules import Shared, once, sequence, shape_note
from .places import Held, Place
from .reserved import FORBIDDEN, READ_BY_FORWARD

OPERATORS = {"add": " + ", "multiply": " * "}  # of merges; `concat` is a call


@dataclass(slots=True)
class ClassBody:
    """A class under construction.

    ``saved`` maps arguments that ``forward`` reads to the attributes that store them; ``same`` maps
    variables to other variables with the same value, as identity layers write no line. ``names``
    are the names of attributes, ``local`` the variables of ``forward``. ``given`` are the
    attributes of steps and branches that the spec names, which nothing else may take. ``owners``
    are the attributes of steps whose weights others share, by path.
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
    local: Locals = field(default_factory=lambda: Locals(Names(READ_BY_FORWARD)))
    given: frozenset[str] = frozenset()
    owners: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = Names(FORBIDDEN)
        self.given = frozenset(name for chain in self.chains for name in given_names(chain, ()))

    def line(self, target: str, value: Expression, y: TensorType) -> None:
        """Add the line ``target = value``, whose result has the type ``y``."""
        self.same.pop(target, None)
        self.forward.append(Line(target, value, shape_note(y) if self.commented else ""))

    def named(self, path: tuple[str, ...], noun: str = "") -> str:
        """A free attribute name for a step or a branch at ``path``; ``noun`` if it has no name."""
        if not noun:
            return self.names.unique(attribute(path))
        name, number = attribute((*path, noun)), 2
        while name in self.given or name in self.names.taken:
            name = attribute((*path, f"{noun}_{number}"))
            number += 1
        return self.names.take(name)

    def store(self, name: str, module: Expression) -> str:
        """Store a module in an attribute whose name is reserved already."""
        self.setup.append(Attribute(name, module))
        return name

    def chain(
        self, chain: ChainSite, x: str, target: str, path: tuple[str, ...]
    ) -> tuple[str, Record[Place]]:
        """Write all steps from the variable ``x`` to ``target``.

        Returns the variable that holds the result, and the record.
        """
        found = statements(chain, x, target, path, self.local)
        record = self.statements(found)
        return self.read(found[-1].target if found else x), record

    def statements(self, planned: Sequence[Apply | Join]) -> Record[Place]:
        """Write the attributes and lines of the steps of a chain; returns the record."""
        fresh = [False, *(is_fresh(p.step) and not p.kept for p in planned)]
        pairs = zip(planned, fresh, strict=False)
        return tuple(self.statement(p, fresh=new) for p, new in pairs)

    def statement(self, planned: Apply | Join, *, fresh: bool) -> tuple[Piece[Place], ...]:
        """Write the attributes and lines of a step; returns its record.

        ``fresh``: the step may overwrite its input.
        """
        if isinstance(planned, Join):
            return (self.join(planned),)
        if planned.step.absent:
            return ()
        step, x = planned.step, self.read(planned.source)
        if step.again:
            self.again(planned, self.owners[step.again.of(planned.path)])
            return (Piece(0),)
        if not step.repeated and isinstance(site := step.site, LayerSite):
            state = self.shared.helpers.state()
            lowered = self.shared.one(site, self.scope, fresh=fresh)
            if lowered.layer is not None and lowered.layer.inline is not None:
                self.shared.helpers.restore(state)
                self.shared.helpers.needs(*lowered.layer.needs)
                self.inline(lowered.layer, x, planned, site)
                return (Piece(0),)
            made = once(lowered, site.typed[-1].y)
        else:
            made = self.shared.items(step, self.scope, fresh=fresh)
        outer = planned.path[: len(planned.path) - len(step.node.segments)]
        own = "" if unnamed(step) else step.node.segments[-1]
        name = self.named((*outer, own)) if own else self.named(outer, noun(step))
        held = Held(name, step.repeated or len(made.items) > 1)
        self.owners |= {planned.path: name} if step.shared else {}
        self.store(held.name, joined([*made.items], sequential=held.sequence))
        self.line(planned.target, call(f"self.{held.name}", x), made.types[-1])
        return made.record(held)

    def again(self, planned: Apply, owner: str) -> None:
        """Write the line that calls the module in the attribute ``owner`` once more, or a loop."""
        step, x = planned.step, self.read(planned.source)
        y, times = step.typed[-1].y, ""
        if step.repeated:
            slot = step.frame.slot(tuple(t.count for t in step.typed), step.node.repeat, "repeat")
            times = self.in_forward(slot)
            if x != planned.target:
                self.line(planned.target, x, step.typed[-1].x)
            x = planned.target
        self.line(planned.target, call(f"self.{owner}", x), y)
        self.forward[-1] = self.forward[-1]._replace(times=times)

    def read(self, variable: str) -> str:
        """The variable that holds the value of ``variable``; see ``same``."""
        return self.same.get(variable, variable)

    def inline(self, layer: Layer, x: str, planned: Apply, site: LayerSite) -> None:
        """Write a layer without a module, as a line of ``forward``."""
        assert layer.inline is not None
        text = layer.inline(x, self.in_forward)
        if text == x and not planned.kept:  # else ``x`` changes before the target is read
            self.same[planned.target] = x
        else:
            self.line(planned.target, text, site.typed[0].y)

    def in_forward(self, slot: Slot) -> Code:
        """A slot as source in ``forward``; sums are in parentheses."""
        return self.scope.text(slot, spelled=self.argument_attribute, tight=True)

    def argument_attribute(self, symbol: Symbol, name: Code) -> Code:
        """An argument as ``forward`` reads it: ``self.name``."""
        if name not in self.saved:
            free = [n for n in (name, f"{name}_value") if n not in self.given]
            self.saved[name] = self.names.unique(*free, f"{name}_argument")
        return Code(f"self.{self.saved[name]}")

    def join(self, planned: Join) -> Piece[Place]:
        """Write the branches of a fork, then the merge; returns its record."""
        self.split(planned)
        results, records, fork = [], [], planned.fork
        merge, y = fork.node.merge, fork.typed[0].y
        for branch in planned.branches:
            records.append(self.branch(branch, planned.path))
            result = self.read(branch.end)
            if not branch.chain.typed[0].y.rank and y.rank:
                result += f"[{', '.join([':', ':', *['None'] * y.rank])}]"
            results.append(result)
        if len(results) == 1:
            merged: Expression = results[0]
        elif merge == "concat":
            merged = call("torch.cat", listing(results), dim=literal(1))
            self.shared.helpers.needs("torch")
        else:
            merged = OPERATORS[merge].join(results)
        if merged != planned.target:
            self.line(planned.target, merged, y)
        return Piece(0, branches=tuple(records))

    def split(self, planned: Join) -> None:
        """Write the line that divides the input of a fork between its branches, if it does."""
        fork, targets = planned.fork, tuple(branch.source for branch in planned.branches)
        if not fork.split:
            return
        x, dim = self.read(planned.source), literal(1)
        if fork.equal:
            value = call("torch.chunk", x, literal(len(targets)), dim=dim)
        else:
            spelled = self.argument_attribute
            sizes = [self.scope.text(slot, spelled=spelled) for slot in fork.split]
            value = call("torch.split", x, listing(sizes), dim=dim)
        self.shared.helpers.needs("torch")
        for target in targets:
            self.same.pop(target, None)
        self.forward.append(Line(targets, value))

    def branch(self, branch: Branch, path: tuple[str, ...]) -> Record[Place]:
        """The attributes and lines of a branch: one of each, where it is a plain sequence of steps
        without names.
        """
        chain = branch.chain
        plain = chain.simple and all(map(unnamed, chain.steps))
        if not chain.steps or not plain or self.all_inline(chain):
            return self.statements(branch.statements)
        items, found = sequence(self.shared, self.scope, chain.steps, notes=False)
        several = len(items) > 1 or chain.steps[0].repeated
        held = Held(self.named((*path, branch.name)), several)
        self.store(held.name, joined([i.value for i in items], sequential=several))
        x = self.read(branch.source)
        self.line(branch.target, call(f"self.{held.name}", x), chain.typed[0].y)
        return tuple(made.record(held) for made in found)

    def all_inline(self, branch: ChainSite) -> bool:
        """Whether no step of a branch needs an attribute."""
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

    def init(self, within: str = "") -> list[Code]:
        """The lines of ``__init__`` that store arguments and modules.

        The modules are made ``within`` a context, if one is given.
        """
        stored = [Code(f"        self.{kept} = {name}") for name, kept in self.saved.items()]
        stored += [Code(f"        with {within}:")] if within and self.setup else []
        indent = 12 if within else 8
        return [*stored, *(attribute.text(indent) for attribute in self.setup)]


def joined(items: list[Expression | Item], *, sequential: bool) -> Expression:
    """Items as one module, an ``nn.Sequential`` if ``sequential``."""
    if sequential:
        return rows("nn.Sequential", *items)
    first = items[0]
    return first.value if isinstance(first, Item) else first
