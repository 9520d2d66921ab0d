"""The rows of a summary: layers, with headings for blocks, branches and heads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ..analysis.receptive import Seen
from ..analysis.receptive_words import Application, by_axis, field_text, fields
from ..ir.flow import Flow, ValueId
from ..ir.typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import applications
from ..ops import Sliding
from ..types.tensor import TensorType


class Row(NamedTuple):
    """A row of the table.

    ``layer`` is false for a heading, whose numbers are the sums of the rows below it. ``field`` is
    the receptive field, as text. ``auxiliary``: it is in an auxiliary head.
    """

    depth: int
    path: Path
    name: str
    op: str
    y: TensorType
    parameters: int
    macs: int
    field: str = ""
    layer: bool = True
    auxiliary: bool = False


def rows(typed: TypedProgram, network: Flow, known: Mapping[ValueId, Seen]) -> list[Row]:
    """All rows; ``network`` is the flow of the program with its heads, and ``known`` has the
    receptive fields of its values.
    """
    found: list[Row] = []
    make = _Rows(fields(typed, network, known))
    for chain in typed.sections.values():
        found += make.chain(chain, 0, ())
    for head, chain in typed.heads:
        kind = "auxiliary head" if head.auxiliary else "output"
        path = (head.name,)
        inner = make.chain(chain, 1, path)
        made = _heading(0, path, head.name, f"{kind} after {head.after}", chain.y, inner)
        found += (row._replace(auxiliary=head.auxiliary) for row in made)
    return found


def shown(found: Iterable[Row], depth: int, expand: Iterable[str] = ()) -> list[Row]:
    """The rows above ``depth``, and all inside of what ``expand`` names by its path or name."""
    names = {*expand}
    kept = []
    for row in found:
        above = (row.path[: i + 1] for i in range(len(row.path) - (0 if row.layer else 1)))
        if row.depth < depth or any("/".join(a) in names or a[-1] in names for a in above):
            kept.append(row)
    return kept


class _Rows:
    """Makes rows; ``seen`` are the receptive fields."""

    def __init__(self, seen: Mapping[Application, Seen]) -> None:
        self.seen = seen

    def chain(self, chain: TypedChain, depth: int, above: Path) -> list[Row]:
        found: list[Row] = []
        for step in chain.steps:
            for segments, typed in applications(step):
                made = self.node(typed, "/".join(segments), depth, (*above, *segments))
                if shares := step.node.shares:  # the weights are counted where they belong
                    first, *inner = (row._replace(parameters=0) for row in made)
                    of = f"{first.op}, weights of {'/'.join(shares.down)}"
                    made = [first._replace(op=of), *inner]
                found += made
        return found

    def node(self, typed: Typed, name: str, depth: int, path: Path) -> list[Row]:
        field = field_text(self.seen[path, id(typed)])
        if isinstance(typed, TypedOp):
            parameters = sum(w.size for w in typed.weights)
            op = with_window(typed)
            return [Row(depth, path, name, op, typed.y, parameters, typed.macs, field)]
        if isinstance(typed, TypedUse):
            block, inner = typed.node.block, self.chain(typed.body, depth + 1, path)
            return _heading(depth, path, name or block, block, typed.y, inner, field)
        merge = typed.node.merge
        if not name:
            end = Row(depth, path, "", merge, typed.y, 0, 0, field)
            return [*self.fork(typed, depth, path), end]
        inner = self.fork(typed, depth + 1, path)
        return _heading(depth, path, name, merge, typed.y, inner, field)

    def fork(self, fork: TypedFork, depth: int, above: Path) -> list[Row]:
        found: list[Row] = []
        for name, branch in fork.branches:
            path = (*above, name)
            inner = self.chain(branch, depth + 1, path)
            start = fork.node.after.get(name)
            after = f"after {start}" if start else ""
            if not inner:
                found.append(Row(depth, path, name, after or "shortcut", branch.y, 0, 0))
            elif len(inner) == 1 and not inner[0].name:
                op = f"{inner[0].op} {after}".rstrip()
                found.append(inner[0]._replace(depth=depth, path=path, name=name, op=op))
            else:
                last = inner[-1].field
                found += _heading(depth, path, name, after, branch.y, inner, last)
        return found


@lru_cache(maxsize=1024)
def with_window(typed: TypedOp) -> str:
    """The op with its window and stride: ``conv 3x3 /2``."""
    if not isinstance(typed.op, Sliding):
        return typed.op.op
    windows = typed.op.windows(typed.x.rank)
    strides = [w.stride for w in windows]
    text = f"{typed.op.op} {'x'.join(str(w.kernel) for w in windows)}"
    return text if set(strides) == {1} else f"{text} /{by_axis(strides)}"


def _heading(
    depth: int, path: Path, name: str, op: str, y: TensorType, inner: list[Row], field: str = ""
) -> list[Row]:
    leaves = [row for row in inner if row.layer]
    parameters, macs = sum(r.parameters for r in leaves), sum(r.macs for r in leaves)
    return [Row(depth, path, name, op, y, parameters, macs, field, layer=False), *inner]
