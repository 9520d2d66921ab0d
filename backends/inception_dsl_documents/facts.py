"""What the page says of every layer, block and merge: shapes, cost, attributes, its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeAlias

from inception_dsl.backend import Sliding, TypedFork, TypedOp, TypedProgram, TypedUse

from .sizes import times
from .tree import Chain, Fork, Group, Item, Leaf, Path
from .trees import Trees

Typed: TypeAlias = TypedOp | TypedFork | TypedUse
_MOST_SHAPES: Final = 4
_MOST_TEXT: Final = 160
_NOT_SHOWN: Final = frozenset({"deviation", "allow", "branches", "steps"})
"""Fields of a step that are not on its line in the panel."""


@dataclass(frozen=True)
class Cost:
    """The parameters and the MACs for one sample."""

    parameters: int = 0
    macs: int = 0

    def __or__(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


class Noted(NamedTuple):
    """What a box stands for: its path, and how often each node is applied."""

    path: Path
    nodes: tuple[tuple[int, Typed], ...]

    @property
    def first(self) -> Typed:
        """The node whose label the box has."""
        return self.nodes[0][1]

    @property
    def times(self) -> int:
        """How often it is applied."""
        return sum(count for count, _ in self.nodes)


@dataclass(frozen=True)
class PageTrees(Trees):
    """Trees that note what every box stands for, by its id, which is unique also in blocks."""

    noted: dict[str, Noted] = field(default_factory=dict)

    @staticmethod
    def of(typed: TypedProgram) -> PageTrees:
        """The trees of a program, with the receptive fields of its layers."""
        return PageTrees(typed, seen=Trees.of(typed).seen)

    def _layer(self, uses: Sequence[TypedOp], path: Path) -> Leaf:
        found = super()._layer(uses, path)
        return replace(found, id=self._note(found.id, path, uses[0]))

    def _use(self, uses: Sequence[TypedUse], path: Path, segments: Path) -> Leaf | Group:
        found = super()._use(uses, path, segments)
        return replace(found, id=self._note(found.id, path, uses[0]))

    def _fork(
        self, uses: Sequence[TypedFork], path: Path, ends: Mapping[str, int], last: int
    ) -> Fork:
        found = super()._fork(uses, path, ends, last)
        return replace(found, id=self._note(found.id, path, uses[0]))

    def _note(self, id: str, path: Path, node: Typed) -> str:
        """The id of a box: its path; a block and the only layer in it may have the same."""
        while id in self.noted:
            id += "/"
        self.noted[id] = Noted(path, ((1, node),))
        return id

    def _together(self, alike: Sequence[tuple[int, Item]]) -> Item:
        found = super()._together(alike)
        for same in zip(*(_ids(item) for _, item in alike), strict=True):
            nodes = tuple(
                (count * applied, node)
                for id, (count, _) in zip(same, alike, strict=True)
                for applied, node in self.noted[id].nodes
            )
            self.noted[same[0]] = self.noted[same[0]]._replace(nodes=nodes)
        return found

    def cost(self, item: Item, *, shared: bool = False) -> Cost:
        """The cost of what an item stands for; ``shared``: its weights are counted elsewhere."""
        if isinstance(item, Fork):
            return total(self.cost_of(b.chain, shared=shared) for b in item.branches)
        if isinstance(item, Group):
            return self.cost_of(item.chain, shared=shared)
        shared = shared or self.shares(item)
        if item.inside:
            return self.cost_of(item.inside, shared=shared)
        nodes = self.noted[item.id].nodes if item.id in self.noted else ()
        layers = [(n, node) for n, node in nodes if isinstance(node, TypedOp)]
        macs = sum(n * node.macs for n, node in layers)
        sizes = 0 if shared else sum(n * w.size for n, node in layers for w in node.weights)
        return Cost(sizes, macs)

    def shares(self, item: Leaf) -> bool:
        """Whether a box has the weights of another one."""
        return item.id in self.noted and bool(self.noted[item.id].first.node.shares)

    def cost_of(self, chain: Chain, *, shared: bool = False) -> Cost:
        """The cost of all items of a chain."""
        return total(self.cost(item, shared=shared) for item in chain.items)

    def facts(self, id: str) -> dict[str, Any]:
        """What is known of a box: plain data for the page, empty for an input or an output."""
        if id not in self.noted:
            return {}
        found = self.noted[id]
        node = found.first.node
        span = node.origin.span()
        return {
            "path": "/".join(found.path),
            "op": _op(found.first),
            "shapes": _shapes(found),
            "count": found.times if found.times > 1 else 0,
            "field": times(self.field_of(found.path, found.first)),
            "weights": "/".join(node.shares.down) if node.shares else "",
            "attributes": attributes(found.first),
            "line": f"{PurePath(span.file).name}:{span.line}",
            "spec": written_step(found.first),
        }


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    found = Cost()
    for cost in costs:
        found |= cost
    return found


def attributes(typed: Typed) -> dict[str, str]:
    """The attributes of a layer or the arguments of a block, by name, as text."""
    if isinstance(typed, TypedUse):
        return {name: _plain(value) for name, value in typed.arguments.items()}
    if isinstance(typed, TypedFork):
        return {"split": _plain(typed.node.split)} if typed.node.split else {}
    op = typed.op
    given = op.model_dump(mode="json", include=set(op.attributes()))
    usual = {name for name in ("dilation", "groups") if given.get(name) == 1}
    found = {k: _plain(v) for k, v in given.items() if v not in (None, {}, []) and k not in usual}
    if isinstance(op, Sliding):
        windows = op.windows(typed.x.rank)
        found["kernel_size"] = "×".join(str(w.kernel) for w in windows)
        found["stride"] = "×".join(str(w.stride) for w in windows)
        pads = [w.pads(n) for w, n in zip(windows, typed.x.spatial, strict=True)]
        if any(n for pair in pads for n in pair):
            pixels = " × ".join(f"{before}+{after}" for before, after in pads)
            found["padding"] = f"{found['padding']} ({pixels} pixels)"
    return found


def written_step(typed: Typed) -> str:
    """The fields of a step as they are in the spec, without what is in its branches."""
    data = typed.node.origin.document.data
    try:
        for part in typed.node.origin.path:
            data = data[part]
        fields = [(k, v) for k, v in data.items() if k not in _NOT_SHOWN]
    except (AttributeError, IndexError, KeyError, TypeError):  # what an overlay changed
        return ""
    text = ", ".join(f"{name}: {_plain(value)}" for name, value in fields)
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"


def _plain(value: Any) -> str:
    """A value of a spec as YAML writes it in one line, without quotes."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {_plain(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return str(getattr(value, "text", value))


def _op(typed: Typed) -> str:
    if isinstance(typed, TypedOp):
        return typed.op.op
    return f"block {typed.node.block}" if isinstance(typed, TypedUse) else typed.node.merge


def _shapes(found: Noted) -> str:
    """``35×35×384 → 17×17×1024`` for each type, in their order."""
    pairs = list(dict.fromkeys(f"{_inputs(node)} → {node.y}" for _, node in found.nodes))
    more = f"; and {len(pairs) - _MOST_SHAPES} more" if len(pairs) > _MOST_SHAPES else ""
    return times("; ".join(pairs[:_MOST_SHAPES])) + more


def _inputs(typed: Typed) -> str:
    """The shape of the input, or those of several by name."""
    if isinstance(typed, TypedFork) and typed.node.inputs:
        return ", ".join(str(branch.x) for _, branch in typed.branches)
    return str(typed.x)


def _ids(item: Item) -> Iterator[str]:
    """The ids of all that is noted in an item, in the order of the flow."""
    if isinstance(item, Leaf):
        yield item.id
        yield from _ids_of(item.inside) if item.inside else ()
    elif isinstance(item, Group):
        yield from _ids_of(item.chain)
    else:
        for branch in item.branches:
            yield from _ids_of(branch.chain)
        yield item.id


def _ids_of(chain: Chain) -> Iterator[str]:
    return (id for item in chain.items for id in _ids(item))
