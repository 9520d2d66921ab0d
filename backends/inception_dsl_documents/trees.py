"""Makes the trees of figures from a typed program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from inception_dsl.backend import (
    Run,
    TensorType,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedStep,
    TypedUse,
    chain_cost,
    field_text,
    fields,
    flow,
    receptive_fields,
)

from .labels import Label, label, role_of, written
from .sizes import times
from .tree import Branch, Chain, Fork, Group, Head, Item, Leaf, Path, identifier, repeated

T = TypeVar("T", bound=TypedOp | TypedFork | TypedUse)


@dataclass(frozen=True)
class Trees:
    """Makes trees of a program; ``expand``: blocks are drawn in detail, as frames.

    What is drawn once for several uses of a block shows the expressions in which they differ.
    """

    typed: TypedProgram
    expand: bool = False
    seen: Mapping[tuple[Path, int], str] = field(default_factory=dict)

    @staticmethod
    def of(typed: TypedProgram) -> Trees:
        """The trees of a program, with the receptive fields of its layers."""
        network = flow(typed)
        seen = fields(typed, network, receptive_fields(network))
        return Trees(typed, seen={key: field_text(found) for key, found in seen.items()})

    def detailed(self) -> Trees:
        """The same with all blocks in detail."""
        return replace(self, expand=True)

    def network(self) -> Chain:
        """The input, the sections in a row, and the output; the heads are at their side."""
        program = self.typed.program
        items: list[Item] = []
        if not self.typed.entry:
            shape = times(program.input)
            items.append(Leaf("input", Label("input", shape), "terminal", shape))
        ends: dict[str, int] = {}
        for chain in self.typed.sections.values():
            found, last = self._items([chain], (), len(items))
            items += found
            ends |= last
        items.append(self._output(self.typed.output_name, "output"))
        heads = [
            Head(ends[head.after], self.chain([chain], (head.name,)), self._output(head.name))
            for head, chain in self.typed.heads
        ]
        heads += [
            Head(ends[after], Chain(()), self._output(name))
            for name, after in program.outputs.items()
        ]
        return Chain(tuple(items), tuple(heads))

    def block(self, uses: Sequence[TypedChain]) -> Chain:
        """A block between its input and its output; the first use has most layers."""
        items, _ = self._items(uses, (), 1)
        ends = [_shape_of([use.x for use in uses]), _shape_of([use.y for use in uses])]
        first, last = (
            Leaf(name, Label(name, shape), "terminal", shape)
            for name, shape in zip(("input", "output"), ends, strict=True)
        )
        return Chain((first, *items, last))

    def _output(self, name: str, id: str = "") -> Leaf:
        y = times({**self.typed.outputs, **{h.name: c.y for h, c in self.typed.heads}}[name])
        return Leaf(id or f"output {name}", Label(name, y), "terminal", y)

    def chain(self, uses: Sequence[TypedChain], path: Path) -> Chain:
        """A chain, drawn once for all ``uses``, the first of which has every step."""
        return Chain(tuple(self._items(uses, path, 0)[0]))

    def _items(
        self, uses: Sequence[TypedChain], path: Path, first: int
    ) -> tuple[list[Item], dict[str, int]]:
        """The items of a chain, and the index of the last item of each step, from ``first``."""
        items: list[Item] = []
        ends: dict[str, int] = {}
        for number, step in enumerate(uses[0].steps):
            alike = [use.steps[number] for use in uses]
            items += self._step(alike, path, ends, first + len(items) - 1)
            ends |= dict.fromkeys(step.node.segments[-1:], first + len(items) - 1)
        return items, ends

    def _step(
        self, uses: Sequence[TypedStep], path: Path, ends: Mapping[str, int], last: int
    ) -> Iterator[Item]:
        """The items of a step, one for repetitions that look alike; ``last`` is the item before."""
        step, index = uses[0], 0
        made: list[list[tuple[int, Item]]] = []
        for run in step.runs:
            here = (*path, *step.node.segments, *([str(index)] if step.repeated else []))
            typed = [run.typed, *(_like(run, use, index) for use in uses[1:])]
            item = self._node(typed, here, step.node.segments, ends, last)
            if made and _text(made[-1][-1][1]) == _text(item):
                made[-1].append((run.count, item))
            else:
                made.append([(run.count, item)])
            index += run.count
        drawn = [(sum(count for count, _ in alike), self._together(alike)) for alike in made]
        counts = {use.count for use in uses if use.count}
        if len(drawn) == 1 and len(counts) > 1:
            yield repeated(drawn[0][1], written(step.node.repeat))
            return
        for count, item in drawn:
            yield repeated(item, str(count)) if count > 1 else item

    def _together(self, alike: Sequence[tuple[int, Item]]) -> Item:
        """What is drawn for repetitions that look alike, so many of each."""
        return replace(alike[0][1], y=alike[-1][1].y)

    def _node(
        self,
        uses: Sequence[TypedOp | TypedFork | TypedUse],
        path: Path,
        segments: Path,
        ends: Mapping[str, int],
        last: int,
    ) -> Item:
        first = uses[0]
        if isinstance(first, TypedOp):
            return self._layer(_of(uses, first), path)
        if isinstance(first, TypedFork):
            return self._fork(_of(uses, first), path, ends, last)
        return self._use(_of(uses, first), path, segments)

    def _layer(self, uses: Sequence[TypedOp], path: Path) -> Leaf:
        layer = uses[0]
        found = label(uses)
        if layer.node.shares:
            found = found._replace(detail=_owner(layer.node.shares.down))
        parameters = sum(w.size for w in layer.weights)
        about = self._about(path, uses, parameters, layer.macs)
        return Leaf(identifier(path), found, role_of(layer.op.op), _shape(uses), about)

    def _use(self, uses: Sequence[TypedUse], path: Path, segments: Path) -> Leaf | Group:
        use = uses[0]
        block, name = use.node.block, segments[0] if segments else ""
        inside = self.chain([u.body for u in uses], path)
        text = Label(block) if name in ("", block) else Label(name, block)
        if use.node.shares:
            text = text._replace(detail=", ".join([*text.lines[1:], _owner(use.node.shares.down)]))
        if self.expand:
            return Group(identifier(path), ": ".join(text.lines), inside, _shape(uses))
        cost = chain_cost(use.body)
        about = self._about(path, uses, cost.parameters, cost.macs)
        return Leaf(identifier(path), text, "block", _shape(uses), about, inside)

    def _fork(
        self, uses: Sequence[TypedFork], path: Path, ends: Mapping[str, int], last: int
    ) -> Fork:
        fork = uses[0]
        branches = []
        for number, (name, chain) in enumerate(fork.branches):
            after = ends.get(fork.node.after.get(name, ""), last)
            inputs = [use.branches[number][1].x for use in uses]
            note = ""
            if fork.node.inputs:
                note = f"{name} {times(chain.x)}"
            elif fork.node.split:
                note = str(chain.x.channels) if len({x.channels for x in inputs}) == 1 else name
            inner = self.chain([use.branches[number][1] for use in uses], (*path, name))
            branches.append(Branch(name, inner, None if after == last else after, note))
        about = self._about(path, uses, 0, 0)
        merge, entry = fork.node.merge, fork.node.inputs
        name = identifier((*path, merge))
        return Fork(name, merge, tuple(branches), _shape(uses), about, entry)

    def field_of(self, path: Path, node: TypedOp | TypedFork | TypedUse) -> str:
        """The receptive field of a node, as text; empty if it is not known."""
        return self.seen.get((path, id(node)), "")

    def _about(self, path: Path, uses: Sequence[T], parameters: int, macs: int) -> tuple[str, ...]:
        """What there is to know of one node; of several only what they have in common."""
        if len(uses) > 1:
            return ("/".join(path),)
        node = uses[0]
        lines = ["/".join(path), f"{times(node.x)} → {times(node.y)}"]
        if parameters:
            lines.append(f"{parameters:,} parameters")
        if macs:
            lines.append(f"{macs:,} MACs")
        if seen := self.field_of(path, node):
            lines.append(f"receptive field {seen}")
        return tuple(line for line in lines if line)


def _of(uses: Sequence[TypedOp | TypedFork | TypedUse], like: T) -> list[T]:
    return [use for use in uses if isinstance(use, type(like))]


def _like(run: Run, step: TypedStep, index: int) -> TypedOp | TypedFork | TypedUse:
    """The repetition of the same index in another use of the block, if it has that."""
    for other in step.runs:
        if index < other.count:
            return other.typed
        index -= other.count
    return run.typed


def _shape(uses: Sequence[TypedOp | TypedFork | TypedUse]) -> str:
    return _shape_of([use.y for use in uses])


def _shape_of(types: Sequence[TensorType]) -> str:
    """The shape, if all types are the same; else empty."""
    found = {str(one) for one in types}
    return times(found.pop()) if len(found) == 1 else ""


def _text(item: Item) -> object:
    """What two repetitions must have in common to be drawn once."""
    if isinstance(item, Leaf):
        return item.label, item.inside and _text_of(item.inside)
    if isinstance(item, Group):
        return item.title, _text_of(item.chain)
    starts = tuple((b.name, b.after, b.note, _text_of(b.chain)) for b in item.branches)
    return item.merge, starts


def _text_of(chain: Chain) -> object:
    return tuple(map(_text, chain.items))


def _owner(path: Path) -> str:
    """Whose weights a step has."""
    return f"weights of {'/'.join(path)}"
