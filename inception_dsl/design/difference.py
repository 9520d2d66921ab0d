"""The differences between two networks: definitions are compared once, then their uses.

A change inside a block is one change, however often the block is used, and the same change in
several layers is one change with several places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from ..analysis.step_costs import StepCost, Written, step_costs
from ..ir.program import Chain, ForkNode, Head, Node, OpNode, Program, UseNode
from ..ir.typed import TypedProgram
from ..ops import Fields
from .alignment import aligned, by_name, content, name_of, names, plain
from .words import described, label, section_fields, value_text

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


def changes(old: TypedProgram, new: TypedProgram) -> list[Change]:
    """All changes from one program to another; texts (titles, notes) are not compared."""
    compare = _Compare(old, new)
    compare.programs(old.program, new.program)
    found: dict[tuple[Kind, str, str, str], list[Place]] = {}
    for change in _with_moves(compare.found):
        found.setdefault(change[:4], []).extend(change.places)
    return [Change(*key, tuple(places)) for key, places in found.items()]


class _Step(NamedTuple):
    """A step that only one of the networks has."""

    change: Change
    node: Node


class _At(NamedTuple):
    """Where two steps that stand for each other are written."""

    old: Written
    new: Written

    def below(self, old: Iterable[str], new: Iterable[str]) -> _At:
        (owner, path), (other, path_b) = self
        return _At((owner, (*path, *old)), (other, (*path_b, *new)))


TOP = _At(("", ()), ("", ()))


class _Compare:
    """Collects changes; ``blocks`` are pairs of blocks that stand for each other."""

    def __init__(self, old: TypedProgram, new: TypedProgram) -> None:
        self.old, self.new = old.program, new.program
        self.costs = step_costs(old), step_costs(new)
        self.rank = new.program.rank
        self.found: list[Change | _Step] = []
        self.blocks: dict[tuple[str, str], None] = {}

    def programs(self, old: Program, new: Program) -> None:
        self.fields("input", old.inputs, new.inputs)
        self.fields("parameter", old.values, new.values)
        self.fields("width", old.width._asdict(), new.width._asdict())
        for name in dict.fromkeys([*old.sections, *new.sections]):
            self.chain(old.sections.get(name, ()), new.sections.get(name, ()), TOP)
        self.heads(old.heads, new.heads)
        self.fields("output", old.outputs, new.outputs)
        losses = ({n: (x.kind, x.weight) for n, x in p.losses.items()} for p in (old, new))
        self.fields("loss of", *losses)
        for one, other in self.pairs():
            at = _At((one, ()), (other, ()))
            self.chain(old.blocks[one].chain, new.blocks[other].chain, at)
        for name in ("preprocessing", "training"):
            self.fields(name, *(section_fields(getattr(p, name)) for p in (old, new)))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The pairs of blocks, also those that their comparison adds."""
        done: set[tuple[str, str]] = set()
        while left := [pair for pair in self.blocks if pair not in done]:
            done.add(left[0])
            yield left[0]

    def heads(self, old: tuple[Head, ...], new: tuple[Head, ...]) -> None:
        own, others = ({head.name: head for head in heads} for heads in (old, new))
        for a, b in by_name(_chains(old), _chains(new)):
            if a is None or b is None:
                head = own[a[0]] if a else others[b[0]] if b else None
                assert head is not None
                kind = "auxiliary head" if head.auxiliary else "output with steps"
                self.single(
                    b is not None,
                    f"{kind} after {head.after}",
                    TOP.below((head.name,), (head.name,)),
                )
                continue
            one, other = own[a[0]], others[b[0]]
            at = TOP.below((one.name,), (other.name,))
            if one.name != other.name:
                self.add("renamed", "head", one.name, other.name, at)
            for field in ("after", "loss_weight", "auxiliary"):
                self.value(field, getattr(one, field), getattr(other, field), at)
            self.chain(one.chain, other.chain, at)

    def chain(self, old: Chain, new: Chain, at: _At) -> None:
        """Compare two chains."""
        for a, b in aligned(old, new):
            node = a or b
            assert node is not None
            here = at.below((a or node).segments, (b or node).segments)
            if a is None or b is None:
                kind: Kind = "added" if a is None else "removed"
                change = Change(
                    kind, described(node, self.rank), "", "", (self.one_place(a is None, here),)
                )
                self.found.append(_Step(change, node))
            else:
                self.node(a, b, here)

    def node(self, a: Node, b: Node, at: _At) -> None:
        """Compare two steps that stand for each other."""
        if name_of(a) != name_of(b):
            self.add("renamed", "step", label(a), label(b), at)
        self.value("repeat", a.repeat, b.repeat, at)
        self.value("weights", _shared(a), _shared(b), at)
        if isinstance(a, OpNode) and isinstance(b, OpNode):
            self.ops(a, b, at)
        elif isinstance(a, UseNode) and isinstance(b, UseNode):
            self.uses(a, b, at)
        elif isinstance(a, ForkNode) and isinstance(b, ForkNode):
            self.forks(a, b, at)
        else:
            self.add("changed", "step", described(a, self.rank), described(b, self.rank), at)

    def ops(self, a: OpNode, b: OpNode, at: _At) -> None:
        """Compare the op and the attributes that both have; others are in the text of the op."""
        old, new = ({k: _each(node, k) for k in names(node)} for node in (a, b))
        usual: dict[str, tuple[Any, Any]] = {}
        if a.op.op != b.op.op:
            before, after = (type(node.op).model_fields for node in (a, b))
            own = {k: v for k, v in new.items() if k not in old and _differs(v, after[k].default)}
            extra = ", ".join(f"{k}: {value_text(v)}" for k, v in own.items())
            self.add("changed", "op", a.op.op, f"{b.op.op}{f' ({extra})' if extra else ''}", at)
            usual = {k: (before[k].default, after[k].default) for k in old if k in new}
        for name in [k for k in new if k in old]:
            if plain((old[name], new[name])) != plain(usual.get(name)):
                self.value(name, old[name], new[name], at)

    def uses(self, a: UseNode, b: UseNode, at: _At) -> None:
        if a.block != b.block:
            self.add("changed", "block", a.block, b.block, at)
        if a.block == b.block or not (a.block in self.new.blocks or b.block in self.old.blocks):
            self.blocks[a.block, b.block] = None
        old, new = (
            {k: _one([n.arguments.get(k) for n in node.each or (node,)]) for k in node.arguments}
            for node in (a, b)
        )
        for name in dict.fromkeys([*old, *new]):
            self.value(name, old.get(name), new.get(name), at)

    def forks(self, a: ForkNode, b: ForkNode, at: _At) -> None:
        for field in ("merge", "split", "after"):
            self.value(field, getattr(a, field), getattr(b, field), at)
        stand: dict[str, str] = {}
        for one, two in by_name(a.branches, b.branches):
            if one is None or two is None:
                name, chain = one or two or ("", ())
                self.single(
                    one is None,
                    f"branch of {described(chain, self.rank)}",
                    at.below((name,), (name,)),
                )
                continue
            stand[one[0]] = two[0]
            if one[0] != two[0]:
                self.add("renamed", "branch", one[0], two[0], at)
            self.chain(one[1], two[1], at.below(one[:1], two[:1]))
        order = [stand[name] for name, _ in a.branches if name in stand]
        if order != [name for name, _ in b.branches if name in stand.values()]:
            before, after = (", ".join(n for n, _ in node.branches) for node in (a, b))
            self.add("changed", "order of branches", before, after, at)

    def fields(self, what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Compare fields of the network itself."""
        for name in dict.fromkeys([*old, *new]):
            self.value(f"{what} {name}".strip(), old.get(name), new.get(name), None)

    def value(self, field: str, old: Any, new: Any, at: _At | None) -> None:
        if isinstance(old, Fields) and isinstance(new, Fields):
            for name in type(new).model_fields:
                self.value(f"{field}.{name}", getattr(old, name), getattr(new, name), at)
        elif plain(old) != plain(new):
            self.add("changed", field, value_text(old), value_text(new), at)

    def single(self, added: bool, text: str, at: _At) -> None:
        """Something other than a step that only one network has."""
        kind: Kind = "added" if added else "removed"
        self.found.append(Change(kind, text, "", "", (self.one_place(added, at),)))

    def one_place(self, added: bool, at: _At) -> Place:
        cost = self.costs[added].get(at[added], StepCost())
        sign = 1 if added else -1
        return Place(_text(at[added]), cost.uses, sign * cost.parameters, sign * cost.macs)

    def add(self, kind: Kind, field: str, old: str, new: str, at: _At | None) -> None:
        places: tuple[Place, ...] = ()
        if at is not None:
            a, b = (costs.get(at[i], StepCost()) for i, costs in enumerate(self.costs))
            more = (b.parameters - a.parameters, b.macs - a.macs)
            places = (Place(_text(at.new), max(a.uses, b.uses), *more),)
        self.found.append(Change(kind, field, old, new, places))


def _with_moves(found: Iterable[Change | _Step]) -> Iterator[Change]:
    """The changes, with a removed and an added step of the same content and name as one move."""
    steps = [one for one in found if isinstance(one, _Step)]
    gone = [step for step in steps if step.change.kind == "removed"]
    sources: dict[int, _Step] = {}
    for step in steps:
        same = (
            s
            for s in gone
            if name_of(s.node) == name_of(step.node) and content(s.node) == content(step.node)
        )
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
            yield Change("moved", one.change.field, old.path, new.path, (place,))
        elif id(one) not in moved:
            yield one.change


def _chains(heads: Iterable[Head]) -> list[tuple[str, Chain]]:
    return [(head.name, head.chain) for head in heads]


def _text(at: Written) -> str:
    owner, path = at
    return "/".join(filter(None, (owner, *path)))


def _shared(node: Node) -> str:
    return "/".join(node.shares.down) if node.shares else ""


def _differs(value: Any, default: Any) -> bool:
    """Whether an attribute was set; a group of fields is by default as if none of them were."""
    if isinstance(value, Fields):
        return bool(value.model_fields_set)
    return bool(plain(value) != plain(default))


def _each(node: OpNode, name: str) -> Any:
    """An attribute, or its values in all repetitions."""
    return _one([getattr(one.op, name) for one in node.each or (node,)])


def _one(values: list[Any]) -> Any:
    return values[0] if len(set(map(plain, values))) == 1 else tuple(values)
