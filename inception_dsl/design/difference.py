"""The differences between two networks: definitions are compared once, then their uses.

A change inside a block is one change, however often the block is used, and the same change in
several layers is one change with several places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..analysis.step_costs import StepCost, StepCosts, Written
from ..ir.program import Chain, ForkNode, Head, Node, OpNode, Program, UseNode
from ..ir.typed import TypedProgram
from ..ops import Fields
from .alignment import (
    aligned,
    attribute,
    by_name,
    name_of,
    names,
    plain,
    same_names,
    single,
)
from .changes import TOP, At, Change, Kind, Place, Step, place_text, with_moves
from .readers import read_parameters, reading
from .words import described, label, section_fields, value_text


def changes(old: TypedProgram, new: TypedProgram) -> list[Change]:
    """All changes from one program to another; texts (titles, notes) are not compared."""
    compare = _Compare(old, new)
    compare.programs(old.program, new.program)
    found: dict[tuple[Kind, str, str, str], list[Place]] = {}
    for change in with_moves(compare.found):
        found.setdefault(change[:4], []).extend(change.places)
    return [Change(*key, tuple(places)) for key, places in found.items()]


class _Compare:
    """Collects changes; ``blocks`` are pairs of blocks that stand for each other."""

    def __init__(self, old: TypedProgram, new: TypedProgram) -> None:
        self.old, self.new = self.both = old.program, new.program
        self.costs = StepCosts(old), StepCosts(new)
        self.ranks = old.program.rank, new.program.rank
        self.found: list[Change | Step] = []
        self.blocks: dict[tuple[str, str], None] = {}

    def programs(self, old: Program, new: Program) -> None:
        self.fields("input", old.inputs, new.inputs)
        read = read_parameters(old) | read_parameters(new)
        own, others = ({k: v for k, v in p.values.items() if k in read} for p in (old, new))
        for name in dict.fromkeys([*own, *others]):
            self.read_by(f"parameter {name}", own.get(name), others.get(name), name)
        for name, value in new.width._asdict().items():
            self.read_by(f"width {name}", getattr(old.width, name), value, "")
        for name in dict.fromkeys([*old.sections, *new.sections]):
            self.chain(old.sections.get(name, ()), new.sections.get(name, ()), TOP)
        self.heads(old.heads, new.heads)
        self.fields("output", old.outputs, new.outputs)
        losses = ({n: (x.kind, x.weight) for n, x in p.losses.items()} for p in (old, new))
        self.fields("loss of", *losses)
        for one, other in self.pairs():
            at = At((one, ()), (other, ()))
            self.chain(old.blocks[one].chain, new.blocks[other].chain, at)
        for name in ("preprocessing", "training"):
            self.fields(name, *section_fields(getattr(old, name), getattr(new, name)))

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
                    TOP.below((head.name,), (head.name,), self.head_costs(head.name, head.name)),
                )
                continue
            one, other = own[a[0]], others[b[0]]
            costs = self.head_costs(one.name, other.name)
            at = TOP.below((one.name,), (other.name,), costs)
            if one.name != other.name:
                self.add("renamed", "head", one.name, other.name, at)
            for field in ("after", "loss_weight", "auxiliary"):
                self.value(field, getattr(one, field), getattr(other, field), at)
            self.chain(one.chain, other.chain, at)

    def chain(self, old: Chain, new: Chain, at: At) -> None:
        """Compare two chains; the step before one that only one has says where it is."""
        before = ["", ""]
        for a, b in aligned(old, new):
            node = a or b
            assert node is not None
            here = at.below((a or node).segments, (b or node).segments, self.step_costs(a, b))
            if a is None or b is None:
                kind: Kind = "added" if a is None else "removed"
                text, place = (
                    described(node, self.ranks[a is None]),
                    self.one_place(a is None, here),
                )
                self.found.append(
                    Step(Change(kind, text, "", "", (place,)), node, at, before[a is None])
                )
            else:
                self.node(a, b, here)
            before = [_landmark(x, at.written[i]) if x else before[i] for i, x in enumerate((a, b))]

    def node(self, a: Node, b: Node, at: At) -> None:
        """Compare two steps that stand for each other."""
        if same_names(a, b) is False:
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
            self.add(
                "changed", "step", described(a, self.ranks[0]), described(b, self.ranks[1]), at
            )

    def ops(self, a: OpNode, b: OpNode, at: At) -> None:
        """Compare the op and the attributes that both have; others are in the text of the op."""
        old, new = ({k: attribute(node, k) for k in names(node)} for node in (a, b))
        if a.op.op != b.op.op:
            fields = type(b.op).model_fields
            own = {k: v for k, v in new.items() if k not in old and _differs(v, fields[k].default)}
            extra = ", ".join(f"{k}: {value_text(v)}" for k, v in own.items())
            self.add("changed", "op", a.op.op, f"{b.op.op}{f' ({extra})' if extra else ''}", at)
        for name in [k for k in new if k in old]:
            self.value(name, old[name], new[name], at)

    def uses(self, a: UseNode, b: UseNode, at: At) -> None:
        if a.block != b.block:
            self.add("changed", "block", a.block, b.block, at)
        if a.block == b.block or not (a.block in self.new.blocks or b.block in self.old.blocks):
            self.blocks[a.block, b.block] = None
        old, new = (
            {k: single([n.arguments.get(k) for n in node.each or (node,)]) for k in node.arguments}
            for node in (a, b)
        )
        for name in dict.fromkeys([*old, *new]):
            if name in old and name in new:
                self.value(name, old[name], new[name], at)
            else:
                kind: Kind = "added" if name in new else "removed"
                text = f"argument {name}: {value_text(new.get(name, old.get(name)))}"
                self.add(kind, text, "", "", at)

    def forks(self, a: ForkNode, b: ForkNode, at: At) -> None:
        for field in ("merge", "split", "after"):
            self.value(field, getattr(a, field), getattr(b, field), at)
        stand: dict[str, str] = {}
        for one, two in by_name(a.branches, b.branches):
            if one is None or two is None:
                name, chain = one or two or ("", ())
                self.single(
                    one is None,
                    f"branch of {described(chain, self.ranks[one is None])}",
                    at.below((name,), (name,), self.step_costs(a, b, name, name)),
                )
                continue
            stand[one[0]] = two[0]
            if one[0] != two[0]:
                self.add("renamed", "branch", one[0], two[0], at)
            costs = self.step_costs(a, b, one[0], two[0])
            self.chain(one[1], two[1], at.below(one[:1], two[:1], costs))
        order = [stand[name] for name, _ in a.branches if name in stand]
        if order != [name for name, _ in b.branches if name in stand.values()]:
            before, after = (", ".join(n for n, _ in node.branches) for node in (a, b))
            self.add("changed", "order of branches", before, after, at)

    def fields(self, what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Compare fields of the network itself."""
        for name in dict.fromkeys([*old, *new]):
            self.value(f"{what} {name}".strip(), old.get(name), new.get(name), None)

    def read_by(self, field: str, old: Any, new: Any, name: str) -> None:
        """Compare a parameter of the network, or its width, whose ``name`` is empty: the places are
        the steps that read it in both networks.
        """
        if _collapsed(old) == _collapsed(new):
            return
        old_steps, new_steps = (reading(program, name) for program in self.both)
        found: list[At | None] = [
            At(at, at, self.step_costs(*nodes))
            for at, own in new_steps.items()
            for nodes in zip(old_steps.get(at, []), own, strict=False)
        ]
        for place in found or [None]:
            self.add("changed", field, value_text(old), value_text(new), place)

    def value(self, field: str, old: Any, new: Any, at: At | None) -> None:
        if isinstance(old, Fields) and isinstance(new, Fields):
            for name in type(new).model_fields:
                self.value(f"{field}.{name}", getattr(old, name), getattr(new, name), at)
        elif _collapsed(old) != _collapsed(new):
            self.add("changed", field, value_text(old), value_text(new), at)

    def step_costs(
        self, a: Node | None, b: Node | None, *branches: str
    ) -> tuple[StepCost, StepCost]:
        """What two steps cost, or one branch of each; nothing for one that there is not."""
        own, other = branches or ("", "")
        one, two = self.costs
        return (
            one.of(a, own) if a is not None else StepCost(),
            two.of(b, other) if b is not None else StepCost(),
        )

    def head_costs(self, old: str, new: str) -> tuple[StepCost, StepCost]:
        """What two heads cost."""
        return self.costs[0].of_head(old), self.costs[1].of_head(new)

    def single(self, added: bool, text: str, at: At) -> None:
        """Something other than a step that only one network has."""
        kind: Kind = "added" if added else "removed"
        self.found.append(Change(kind, text, "", "", (self.one_place(added, at),)))

    def one_place(self, added: bool, at: At) -> Place:
        cost, sign = at.costs[added], 1 if added else -1
        return Place(
            place_text(at.written[added]), cost.uses, sign * cost.parameters, sign * cost.macs
        )

    def add(self, kind: Kind, field: str, old: str, new: str, at: At | None) -> None:
        places: tuple[Place, ...] = ()
        if at is not None:
            a, b = at.costs
            more = (b.parameters - a.parameters, b.macs - a.macs)
            places = (Place(place_text(at.new), max(a.uses, b.uses), *more),)
        self.found.append(Change(kind, field, old, new, places))


def _landmark(node: Node, at: Written) -> str:
    """What to call a step next to another one: its name; without one, what it is and its path."""
    if name_of(node):
        return label(node)
    kind = node.op.op if isinstance(node, OpNode) else getattr(node, "merge", "step")
    return f"{kind} {place_text((at[0], (*at[1], *node.segments)))}".rstrip()


def _chains(heads: Iterable[Head]) -> list[tuple[str, Chain]]:
    return [(head.name, head.chain) for head in heads]


def _shared(node: Node) -> str:
    return "/".join(node.shares.down) if node.shares else ""


def _differs(value: Any, default: Any) -> bool:
    """Whether an attribute was set; a group of fields is by default as if none of them were."""
    if isinstance(value, Fields):
        return bool(value.model_fields_set)
    return bool(plain(value) != plain(default))


def _collapsed(value: Any) -> Any:
    """A value to be compared: ``[3, 3]`` is 3."""
    found = plain(value)
    alike = isinstance(found, tuple) and found and len(set(found)) == 1
    return found[0] if alike and isinstance(found[0], int) else found
