"""The rows of a table of a network: top-level steps, with their sizes, depth and cost."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import (
    Applied,
    Flow,
    Head,
    Layer,
    Merged,
    TensorType,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedUse,
    ValueId,
    applications,
    flow,
    layers,
    walk,
)

Typed: TypeAlias = TypedOp | TypedFork | TypedUse


class Row(NamedTuple):
    """Equal steps in a row, or a heading.

    ``steps`` are what it has: one, several if they are equal, two if the first is the ``_reduce``
    of the second; none in a heading. ``name`` is that of the first one. ``ends``: it is the last
    repetition of its step, which outputs and heads read. ``depth`` is by how much it makes the
    longest path of layers with multiply-adds longer.
    """

    name: str
    steps: tuple[Typed, ...]
    x: TensorType
    y: TensorType
    depth: int = 0
    layers: tuple[Layer, ...] = ()
    title: str = ""
    shared: bool = False
    reduced: bool = False
    ends: bool = True

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def kernels(self) -> int:
        """The parameters of convolutions and dense layers, without biases."""
        weights = (w for layer in self.layers for w in layer.weights)
        return sum(w.size for w in weights if w.name.rpartition("/")[2] == "kernel")

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)


class Rows(NamedTuple):
    """The rows of the network and those of its heads, and the depth of its output."""

    network: list[Row]
    heads: list[Row]
    depth: int


def rows(typed: TypedProgram) -> Rows:
    """The rows of a network or a block."""
    made, program = _Rows(typed), typed.program
    found: list[Row] = []
    end = made.network.input
    for chain in typed.sections.values():
        new, end = made.chain(chain, end)
        found += new
    heads = [made.head(head, chain) for head, chain in typed.heads]
    read = {*program.outputs.values(), *(head.after for head, _ in typed.heads)}
    return Rows(_joined(found, read), heads, made.depths[end])


class _Rows:
    """Makes rows in the order of execution: that of the layers, and of the statements of the flow.

    ``after`` has the output of every top-level step by its name.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self.typed, self.network = typed, flow(typed)
        self.depths = _depths(self.network)
        ends = (s.y for s in self.network.statements if isinstance(s, Applied | Merged))
        self.layers = zip(layers(typed), ends, strict=True)
        self.after: dict[str, ValueId] = {}

    def chain(self, chain: TypedChain, x: ValueId) -> tuple[list[Row], ValueId]:
        """The rows of a chain that begins with ``x``, and its last value."""
        found: list[Row] = []
        for step in chain.steps:
            repetitions = [typed for _, typed in applications(step)]
            for number, typed in enumerate(repetitions, 1):
                if isinstance(typed, TypedFork) and self.divided(chain, typed):
                    rows, x = self.fork(typed)
                    found += rows
                    continue
                own, y = self.own(typed, x)
                depth, shared = self.depth(typed, x, y), step.node.shares is not None
                row = Row("".join(step.node.segments[-1:]), (typed,), typed.x, typed.y, depth, own)
                found.append(row._replace(shared=shared, ends=number == len(repetitions)))
                x = y
            self.after |= dict.fromkeys(step.node.segments[-1:], x)
        return found, x

    def divided(self, chain: TypedChain, fork: TypedFork) -> bool:
        """Whether the branches of a fork have rows: those of several inputs, and of a block."""
        alone = self.typed.program.kind == "block" and len(chain.steps) == 1
        top = any(chain is section for section in self.typed.sections.values())
        return fork.node.inputs or (alone and top and not fork.node.split)

    def fork(self, fork: TypedFork) -> tuple[list[Row], ValueId]:
        """A heading for each branch with its rows, and the merge."""
        found: list[Row] = []
        for name, branch in fork.branches:
            inputs = self.network.inputs
            x = inputs[name] if fork.node.inputs else self.network.input
            found.append(Row(name, (), branch.x, branch.y, title=name))
            found += self.chain(branch, x)[0]
        (merge,), y = self.take(1, self.network.input)
        return [*found, Row("", (), fork.y, fork.y, 0, (merge,), title=fork.node.merge)], y

    def depth(self, typed: Typed, x: ValueId, y: ValueId) -> int:
        """The layers with multiply-adds on the longest path from the input of a step."""
        if isinstance(typed, TypedFork) and typed.node.after:  # begins elsewhere
            return _depth(typed)
        return self.depths[y] - self.depths[x]

    def own(self, typed: Typed, x: ValueId) -> tuple[tuple[Layer, ...], ValueId]:
        """The next layers, which are those of this step, and the last value."""
        return self.take(_count(typed), x)

    def take(self, count: int, x: ValueId) -> tuple[tuple[Layer, ...], ValueId]:
        """The next layers, and the output of the last of them; ``x`` if there are none."""
        taken = [*islice(self.layers, count)]
        return tuple(layer for layer, _ in taken), taken[-1][1] if taken else x

    def head(self, head: Head, chain: TypedChain) -> Row:
        """One row for all steps of a head."""
        x = y = self.after[head.after]
        own: tuple[Layer, ...] = ()
        for step in chain.steps:
            for _, typed in applications(step):
                more, y = self.own(typed, y)
                own += more
        depth = self.depths[y] - self.depths[x]
        return Row(head.name, (), chain.x, chain.y, depth, own, title=head.after)


def _depths(network: Flow) -> dict[ValueId, int]:
    """The layers with multiply-adds on the longest path to each value."""
    found = dict.fromkeys(network.inputs.values(), 0)
    for statement in network.statements:
        layer = isinstance(statement, Applied) and statement.typed.macs > 0
        found[statement.y] = max(found[x] for x in statement.inputs) + layer
    return found


def _depth(typed: Typed) -> int:
    """The same of a step alone, where every branch begins with the input."""
    if isinstance(typed, TypedOp):
        return int(typed.macs > 0)
    chains = [typed.body] if isinstance(typed, TypedUse) else [c for _, c in typed.branches]
    steps = (sum(r.count * _depth(r.typed) for s in c.steps for r in s.runs) for c in chains)
    return max(steps, default=0)


def _count(typed: Typed) -> int:
    """The number of layers and merges."""
    if isinstance(typed, TypedOp):
        return 1
    chains = [typed.body] if isinstance(typed, TypedUse) else [c for _, c in typed.branches]
    inner = sum(not isinstance(t, TypedUse) for chain in chains for _, t in walk(chain))
    return inner + isinstance(typed, TypedFork)


def _joined(found: list[Row], read: set[str]) -> list[Row]:
    """Equal steps as one row, and a step with its ``_reduce``; not across steps that are read."""
    kept: list[Row] = []
    for row in found:
        last = kept[-1] if kept else None
        apart = last is None or (last.ends and {last.name, row.name} & read)
        if last is None or apart or not (last.steps and row.steps):
            kept.append(row)
        elif last.name == f"{row.name}_reduce" and len(last.steps) == 1:
            kept[-1] = _both(last, row)._replace(name=row.name, reduced=True)
        elif (
            not last.reduced and last.shared == row.shared and _equal(last.steps[-1], row.steps[0])
        ):
            kept[-1] = _both(last, row)
        else:
            kept.append(row)
    return kept


def _both(first: Row, second: Row) -> Row:
    return first._replace(
        steps=(*first.steps, *second.steps),
        y=second.y,
        ends=second.ends,
        depth=first.depth + second.depth,
        layers=(*first.layers, *second.layers),
    )


def _equal(first: Typed, second: Typed) -> bool:
    """Whether two steps are written alike and have outputs of one type."""
    if first.y != second.y or first.x.spatial != second.x.spatial:
        return False
    if isinstance(first, TypedOp) and isinstance(second, TypedOp):
        return first.op.op == second.op.op and first.op.attributes() == second.op.attributes()
    if isinstance(first, TypedUse) and isinstance(second, TypedUse):
        return first.node.block == second.node.block and first.arguments == second.arguments
    return first is second
