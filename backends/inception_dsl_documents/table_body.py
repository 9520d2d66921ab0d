"""The columns and lines of a table of a network, as plain texts."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import Cost, TypedOp, TypedProgram, cost, layers

from .latex_columns import Column
from .sizes import times
from .table_branches import Branches, branches_of
from .table_cells import Count, label, row_window, short
from .table_rows import Row, Rows, rows

OPS = Count(2)
"""Multiply-adds are written in millions."""


class Chosen(NamedTuple):
    """What users choose: a column for the branches, sizes of inputs, counts as in GoogLeNet's
    paper (parameters without biases, where 1K is 1024).
    """

    branches: bool = False
    inputs: bool = False
    googlenet: bool = False


class Body:
    """The lines of a table: a text for each column, or one text that is a heading."""

    def __init__(self, typed: TypedProgram, chosen: Chosen) -> None:
        self.typed, self.chosen = typed, chosen
        self.rows: Rows = rows(typed)
        self.cost: Cost = cost(list(layers(typed)))
        self.form: Branches | None = branches_of(self.rows.network) if chosen.branches else None
        self.count = Count(1, 1024 if chosen.googlenet else 1000)
        after = (head.after for head, _ in typed.heads)
        self.read = frozenset((*typed.program.outputs.values(), *after))

    @property
    def parts(self) -> list[list[list[str]]]:
        """The steps of the network, its heads, and the totals."""
        network = [self.row(row) for row in self.rows.network]
        heads = [self.head(row) for row in self.rows.heads]
        return [part for part in (network, heads, [self.total()]) if part]

    @property
    def columns(self) -> list[Column]:
        """The columns with their texts, without headings in between."""
        size = "input" if self.chosen.inputs else "output"
        found = [Column("", "type", least=50), Column("patch/", "stride", least=34)]
        found += [Column(size, "size"), Column("", "depth", "r", dropped=True)]
        if self.form:
            found += [Column(*head, "r") for head in self.form.heads]
        elif self.chosen.branches:
            found.append(Column("", "branches", least=100))
        found += [Column("", "params", "r"), Column("", "ops", "r")]
        lines = (line for part in self.parts for line in part if len(line) > 1)
        texts = zip(*lines, strict=True)
        return [c._replace(cells=cells) for c, cells in zip(found, texts, strict=True)]

    @property
    def joined(self) -> bool:
        """Whether a row stands for several equal steps."""
        return any(len(row.steps) > 1 and not row.reduced for row in self.rows.network)

    def row(self, row: Row) -> list[str]:
        """The line of a step of the network, of a merge of branches, or a heading."""
        if not row.steps and not row.layers:
            return [row.title.replace("_", " ")]
        first = label(row, self.read) if row.steps else row.title
        window = row_window(row, self.typed.program) if row.steps else ""
        return self.line(first, window, row)

    def head(self, row: Row) -> list[str]:
        """The line of a head, with the step that it reads."""
        names = {r.name: label(r, self.read) for r in self.rows.network if r.steps}
        after = names.get(row.title, row.title).replace("_", " ")
        return self.line(f"{row.name.replace('_', ' ')}, after {after}", "", row)

    def line(self, first: str, window: str, row: Row) -> list[str]:
        """A line with the size, the depth, the branches and the costs of a row."""
        size = times(row.x if self.chosen.inputs else row.y)
        parameters = row.kernels if self.chosen.googlenet else row.parameters
        numbers = [self.count.short(parameters), OPS.short(row.macs)]
        return [first, window, size, str(row.depth or ""), *self.branches(row), *numbers]

    def branches(self, row: Row) -> list[str]:
        """The texts of the columns for branches."""
        if self.form:
            return self.form.cells(row)
        block = bool(row.steps) and not isinstance(row.steps[0], TypedOp)
        return [short(row.steps[0]) if block else ""] * self.chosen.branches

    def total(self) -> list[str]:
        """The line of the totals: without the multiply-adds of auxiliary heads."""
        kernels = sum(row.kernels for row in (*self.rows.network, *self.rows.heads))
        parameters = kernels if self.chosen.googlenet else self.cost.total
        between = [""] * (len(self.form.heads) if self.form else self.chosen.branches)
        numbers = [self.count.digits(parameters), OPS.digits(self.cost.macs)]
        return ["total", "", "", str(self.rows.depth or ""), *between, *numbers]
