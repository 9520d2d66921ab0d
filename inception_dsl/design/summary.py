"""Shapes, parameters and MACs of a network, as a table or as plain data."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..analysis.cost import cost, layers
from ..analysis.size_words import axes_of, described, together
from ..analysis.sizes import RunningSizes, Sizes, minimum_input, running_sizes
from ..analysis.ties import all_tied, with_own_sizes
from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import printable
from ..ir.program import INPUT, input_shapes
from ..ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import applications
from ..ops import Sliding
from ..types.tensor import AXES, TensorType


class Row(NamedTuple):
    """A row of the table.

    ``layer`` is false for a heading, whose numbers are the sums of the rows below it.
    """

    depth: int
    name: str
    op: str
    y: TensorType
    parameters: int
    macs: int
    layer: bool = True

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts in the columns of the table."""
        numbers = (f"{n:,}" if n else "" for n in (self.parameters, self.macs))
        return self.name or f"({self.op})", self.op, str(self.y), *numbers


COLUMNS: Final = ("layer", "op", "output", "parameters", "MACs")


class Summary:
    """The summary of a typed program: ``print`` it, or call :meth:`to_dict`.

    Notebooks show it as an HTML table.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.layers = list(layers(typed))
        self.cost = cost(self.layers)

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl summary --json``.

        Shapes are lists, channels last, without the batch. ``macs`` are multiply-adds per sample.
        """
        typed, total = self.typed, self.cost
        return {
            "name": typed.program.id,
            "title": typed.program.about.title.plain,
            "modified_from": typed.program.about.modified_from.plain,
            **input_shapes(typed.program),
            "outputs": {name: list(y.shape) for name, y in typed.outputs.items()},
            "parameters": {
                "total": total.total,
                "trainable": total.trainable,
                "non_trainable": total.non_trainable,
                "auxiliary": total.auxiliary,
            },
            "macs": total.macs,
            **self._sizes(),
            "layers": [
                {
                    "path": layer.path,
                    "op": layer.op,
                    "input": list(layer.x.shape),
                    "output": list(layer.y.shape),
                    "parameters": layer.parameters,
                    "weights_of": layer.weights_of,
                    "macs": layer.macs,
                }
                for layer in self.layers
            ],
        }

    def _sizes(self) -> dict[str, Any]:
        """The sizes that run, by the name of the input if there are several."""
        inputs = self.typed.program.inputs
        least = {name: list(minimum_input(self.typed, name)) for name in inputs}
        sizes = {name: _running(running_sizes(self.typed, name)) for name in inputs}
        if not self.typed.program.several:
            return {"minimum_input": least[INPUT], "sizes": sizes[INPUT]}
        tied = [
            {"inputs": list(names), "axes": [AXES[self.typed.program.rank][a] for a in axes]}
            for names, axes in all_tied(self.typed).items()
        ]
        return {"minimum_inputs": least, "sizes": sizes, "same_sizes": tied}

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        total = self.cost
        name = self.typed.program.id
        return f"<Summary of {name}: {total.total:,} parameters, {total.macs:,} MACs>"

    def _repr_html_(self) -> str:
        """The table and the totals, for notebooks."""
        from . import html  # only notebooks need it

        lines = (html.Line(row.cells, row.depth, not row.layer) for row in self.rows())
        return html.page(self.heading(), html.table(COLUMNS, lines), html.facts(self.facts()))

    def render(self, style: Style = PLAIN) -> str:
        """The table and the totals, coloured by ``style``."""
        title, about, *more = map(printable, self.heading())
        head = [f"{style.strong(title)}  {about}", *more]
        found = self.facts()
        width = max(len(name) for name, _ in found)
        facts = [f"{style.strong(name.ljust(width))} {value}" for name, value in found]
        return "\n".join([*head, "", *_table(self.rows(), style), "", *facts])

    def heading(self) -> list[str]:
        """The title, what it is, and what it is modified from."""
        program = self.typed.program
        title = program.about.title.plain or program.id
        what = "inputs" if program.several else "input"
        head = [title, f"({program.kind} {program.id}, {what} {program.taken})"]
        original = program.about.modified_from.plain
        return [*head, f"Modified from {original}"] if original else head

    def rows(self) -> list[Row]:
        """The rows of the table."""
        found: list[Row] = []
        for chain in self.typed.sections.values():
            found += _chain(chain, 0)
        for head, chain in self.typed.heads:
            kind = "auxiliary head" if head.auxiliary else "output"
            found += _heading(0, head.name, f"{kind} after {head.after}", chain.y, _chain(chain, 1))
        return found

    def facts(self) -> list[tuple[str, str]]:
        """The outputs, the totals and the sizes that run, each with its name."""
        total, heads = self.cost, bool(self.typed.auxiliary)
        outputs = ", ".join(f"{name} {y}" for name, y in self.typed.outputs.items())
        lines = [
            ("outputs", outputs),
            ("parameters", f"{total.total:,}"),
            ("  trainable", f"{total.trainable:,}"),
        ]
        lines.append(("  non-trainable", f"{total.non_trainable:,}"))
        if heads:
            lines.append(("  in auxiliary heads", f"{total.auxiliary:,} of the trainable"))
        without = " without auxiliary heads" if heads else ""
        lines.append(("MACs (multiply-adds)", f"{total.macs:,}{without}"))
        lines.append(("FLOPs (2 x MACs)", f"{2 * total.macs:,}{without}"))
        for name in with_own_sizes(self.typed):
            sizes = running_sizes(self.typed, name)
            label = f"smallest input{f' {name}' * self.typed.program.several}"
            lines.append((label, described(sizes.inference)))
            lines += [("  in training", described(sizes.training))] if heads else []
        for names, axes in all_tied(self.typed).items():
            lines.append(("same sizes", f"{axes_of(self.typed, axes)} of {together(names)}"))
        return lines


def _running(sizes: RunningSizes) -> dict[str, Any]:
    return {"inference": _listed(sizes.inference), "training": _listed(sizes.training)}


def _listed(sizes: Sizes) -> list[dict[str, Any]]:
    """The sizes of each axis that run."""
    return [
        {"least": a.least, "most": a.most, "without": [gap._asdict() for gap in a.gaps]}
        for a in sizes
    ]


def _sizes(spatial: tuple[int, ...]) -> str:
    return "x".join(map(str, spatial))


def _chain(chain: TypedChain, depth: int) -> list[Row]:
    rows: list[Row] = []
    for step in chain.steps:
        for segments, typed in applications(step):
            found = _node(typed, "/".join(segments), depth)
            if shares := step.node.shares:  # the weights are counted where they belong
                first, *inner = (row._replace(parameters=0) for row in found)
                of = f"{first.op}, weights of {'/'.join(shares.down)}"
                found = [first._replace(op=of), *inner]
            rows += found
    return rows


def _node(typed: Typed, name: str, depth: int) -> list[Row]:
    if isinstance(typed, TypedOp):
        parameters = sum(w.size for w in typed.weights)
        return [Row(depth, name, with_window(typed), typed.y, parameters, typed.macs)]
    if isinstance(typed, TypedUse):
        block, inner = typed.node.block, _chain(typed.body, depth + 1)
        return _heading(depth, name or block, block, typed.y, inner)
    if not name:
        return [*_fork(typed, depth), Row(depth, "", typed.node.merge, typed.y, 0, 0)]
    return _heading(depth, name, typed.node.merge, typed.y, _fork(typed, depth + 1))


@lru_cache(maxsize=1024)
def with_window(typed: TypedOp) -> str:
    """The op with its window and stride: ``conv 3x3 /2``."""
    if not isinstance(typed.op, Sliding):
        return typed.op.op
    windows = typed.op.windows(typed.x.rank)
    strides = [w.stride for w in windows]
    text = f"{typed.op.op} {_sizes(tuple(w.kernel for w in windows))}"
    if set(strides) == {1}:
        return text
    return f"{text} /{_sizes(tuple(strides)) if len(set(strides)) > 1 else strides[0]}"


def _fork(fork: TypedFork, depth: int) -> list[Row]:
    rows: list[Row] = []
    for name, branch in fork.branches:
        inner = _chain(branch, depth + 1)
        start = fork.node.after.get(name)
        after = f"after {start}" if start else ""
        if not inner:
            rows.append(Row(depth, name, after or "shortcut", branch.y, 0, 0))
        elif len(inner) == 1 and not inner[0].name:
            op = f"{inner[0].op} {after}".rstrip()
            rows.append(Row(depth, name, op, branch.y, inner[0].parameters, inner[0].macs))
        else:
            rows += _heading(depth, name, after, branch.y, inner)
    return rows


def _heading(depth: int, name: str, op: str, y: TensorType, inner: list[Row]) -> list[Row]:
    leaves = [row for row in inner if row.layer]
    parameters, macs = sum(r.parameters for r in leaves), sum(r.macs for r in leaves)
    return [Row(depth, name, op, y, parameters, macs, layer=False), *inner]


def _table(rows: list[Row], style: Style) -> list[str]:
    """The table with aligned columns; headings are bold, the header has the colour of frames."""
    cells = [("  " * row.depth + row.cells[0], *row.cells[1:]) for row in rows]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    lines = []
    for i, row in enumerate((COLUMNS, tuple("-" * w for w in widths), *cells)):
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
        right = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
        line = "  ".join([*left, *right]).rstrip()
        if i < 2:
            line = style.frame(line)
        elif not rows[i - 2].layer:
            line = style.strong(line)
        lines.append(line)
    return lines
