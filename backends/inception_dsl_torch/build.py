"""From a typed chain to the body of a class.

Attributes, the lines of ``forward``, and where each weight lands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Expression,
    ForkNode,
    Item,
    Names,
    OpNode,
    Symbolic,
    TensorType,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedStep,
    Value,
    call,
    layout,
    listing,
    literal,
    rows,
)

from .layers import Layer
from .modules import Ref, Shared, sequence, shape_note, simple
from .reserved import FORBIDDEN

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


@dataclass(slots=True)
class ClassBody:
    """A class under construction."""

    shared: Shared
    parameters: tuple[str, ...]
    chains: tuple[TypedChain, ...] = ()
    commented: bool = False
    setup: list[Code] = field(default_factory=list)
    forward: list[Line] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    repeated: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.names = Names({*FORBIDDEN, *self.parameters})
        self.repeated = {
            n
            for n, count in Counter(n for c in self.chains for n in wanted_names(c)).items()
            if count > 1
        }

    def line(self, target: str, value: Expression, y: TensorType) -> None:
        self.forward.append(Line(target, value, shape_note(y) if self.commented else ""))

    def named(self, wanted: str, path: tuple[str, ...]) -> str:
        """A free name: ``wanted``, or with the path before it where the class has several of that
        name.
        """
        words = [part for part in path if not part.isdigit()]
        full = "_".join([*words, wanted, *(part for part in path if part.isdigit())])
        outer = words[0] if words else ""
        short = wanted.removeprefix("branch_") if outer.startswith("branch_") else wanted
        choices = (
            (f"{outer}_{short}" if outer else wanted, full)
            if wanted in self.repeated
            else (wanted, full)
        )
        return self.names.unique(*(f"{c}_" if c in FORBIDDEN else c for c in choices))

    def attribute(self, name: str, module: Expression, refs: tuple[Ref, ...]) -> str:
        """Store a module under a name that is taken already."""
        self.setup.append(layout(f"self.{name} = ", module, indent=8))
        self.refs += [Ref(r.path, (name, *r.key), r.layout) for r in refs]
        return name

    def chain(self, chain: TypedChain, x: str, target: str, path: tuple[str, ...]) -> str:
        """Every step in turn, from the variable ``x`` to ``target``.

        The variable that holds the result.
        """
        for step in chain.steps:
            x = self.step(step, x, target, path)
        return x

    def step(self, step: TypedStep, x: str, target: str, path: tuple[str, ...]) -> str:
        if isinstance(step.node, ForkNode):
            for index, typed in enumerate(_unrolled(step)):
                assert isinstance(typed, TypedFork)
                repetition = (str(index),) if step.repeated else ()
                x = self.fork(typed, x, target, (*path, *step.node.segments, *repetition))
            return x
        if not step.repeated and isinstance(typed := step.runs[0].typed, TypedOp):
            lowered = self.shared.one(typed)
            if lowered.layer is not None and lowered.layer.inline is not None:
                return self.inline(lowered.layer, x, target, typed.y)
        items, refs, types = self.shared.items(step)
        module, refs = self.joined(items, refs, repeated=step.repeated)
        name = self.named(wanted_name(step), path)
        self.attribute(name, module, tuple(r.below(path, ()) for r in refs))
        self.line(target, f"self.{name}({x})", types[-1])
        return target

    def joined(
        self, items: list[Expression], refs: tuple[Ref, ...], *, repeated: bool
    ) -> tuple[Expression, tuple[Ref, ...]]:
        """Items as one module."""
        if len(items) == 1 and not repeated:
            return items[0], tuple(Ref(r.path, r.key[1:], r.layout) for r in refs)
        return rows("nn.Sequential", *items), refs

    def inline(self, layer: Layer, x: str, target: str, y: TensorType) -> str:
        """An op without a module: a line of ``forward``."""
        assert layer.inline is not None
        text = layer.inline(x)
        if text == x:
            return x
        for name in self.parameters_in(layer.reads):
            text = re.sub(rf"\b{name}\b", f"self.{name}", text)
        self.line(target, text, y)
        return target

    def parameters_in(self, values: tuple[Value, ...]) -> Iterator[str]:
        """The parameters of the class that ``values`` read; they are stored for ``forward``."""
        for name in (*self.parameters, "in_channels"):
            if any(isinstance(v, Symbolic) and re.search(rf"\b{name}\b", str(v)) for v in values):
                if name not in self.saved:
                    self.saved.append(name)
                yield name

    def fork(self, fork: TypedFork, x: str, target: str, path: tuple[str, ...]) -> str:
        """Branches side by side, then the merge."""
        results = []
        for name, branch in fork.branches:
            result = self.branch(name, branch, x, (*path, name))
            if not branch.y.rank and fork.y.rank:
                result += f"[{', '.join([':', ':', *['None'] * fork.y.rank])}]"
            results.append(result)
        if fork.node.merge == "concat":
            merged: Expression = call("torch.cat", listing(results), dim=literal(1))
        else:
            merged = (" + " if fork.node.merge == "add" else " * ").join(results)
        self.line(target, merged, fork.y)
        return target

    def branch(self, name: str, branch: TypedChain, x: str, path: tuple[str, ...]) -> str:
        """One branch; the variable that holds its result."""
        if not branch.steps:
            return x
        if simple(branch) and not self.all_inline(branch):
            items, refs = sequence(self.shared, branch.steps)
            bare = [Item(i.value) for i in items]
            expressions = [i.value for i in bare]
            repeated = len(branch.steps) == 1 and branch.steps[0].repeated
            module, refs = self.joined(expressions, refs, repeated=repeated)
            stored = self.named(name, path[:-1])
            self.attribute(stored, module, tuple(r.below(path, ()) for r in refs))
            self.line(stored, f"self.{stored}({x})", branch.y)
            return stored
        return self.chain(branch, x, self.named(name, path[:-1]), path)

    def all_inline(self, branch: TypedChain) -> bool:
        """Whether no step of a branch stores anything."""
        layers = [
            self.shared.one(s.runs[0].typed).layer
            for s in branch.steps
            if isinstance(s.runs[0].typed, TypedOp)
        ]
        stateless = [a for a in layers if a is not None and a.inline is not None]
        return len(stateless) == len(branch.steps) and not any(s.repeated for s in branch.steps)

    def lines(self, *, result: str, indent: int = 8) -> list[Code]:
        """``forward`` as source; its last line returns ``result``."""
        lines = [
            layout(f"{n.target} = ", n.value, indent=indent, note=n.note) for n in self.forward
        ]
        if self.forward and self.forward[-1].target == result:
            last = self.forward[-1]
            lines[-1] = layout("return ", last.value, indent=indent, note=last.note)
            return lines
        return [*lines, Code(f"{' ' * indent}return {result}")]


def wanted_name(step: TypedStep) -> str:
    """The name that an attribute should have: the step's own, or a noun for what it is."""
    last = step.node.segments[-1] if step.node.segments else ""
    if isinstance(step.node, OpNode) and (not last or last.isdigit()):
        return NOUNS.get(step.node.op.op, step.node.op.op)
    return last or step.node.block  # type: ignore[union-attr]


def wanted_names(chain: TypedChain) -> Iterator[str]:
    """The names that the steps and branches of a chain ask for."""
    for step in chain.steps:
        if not isinstance(step.node, ForkNode):
            yield wanted_name(step)
        for name, branch in getattr(step.runs[0].typed, "branches", ()):
            yield name
            if not simple(branch):
                yield from wanted_names(branch)


def branch_names(chain: TypedChain) -> Iterator[str]:
    """The names of all branches of a chain, blocks not entered."""
    for step in chain.steps:
        for name, branch in getattr(step.runs[0].typed, "branches", ()):
            yield name
            yield from branch_names(branch)


def _unrolled(step: TypedStep) -> Iterator[object]:
    for run in step.runs:
        for _ in range(run.count):
            yield run.typed
