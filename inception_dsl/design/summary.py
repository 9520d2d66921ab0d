"""Shapes, parameters, MACs, receptive fields and memory of a network: a table, or plain data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any, Final

from ..analysis.cost import cost, layers
from ..analysis.memory import kept_values, live_values
from ..analysis.receptive import Seen, receptive_fields
from ..analysis.receptive_words import ends_in_pixels, field_text, last_map, stride_and_padding
from ..analysis.size_words import axes_of, described, together
from ..analysis.sizes import RunningSizes, Sizes, minimum_input, running_sizes
from ..analysis.ties import all_tied, with_own_sizes
from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import printable
from ..ir.flow import Flow, ValueId, flow
from ..ir.program import INPUT, input_shapes
from ..ir.typed import TypedProgram
from ..types.tensor import AXES, many
from .layer_data import field_data, layer_data
from .rows import Row, rows, shown
from .tables import Line, Table, comma_separated

BYTES: Final = 4
"""Of a value in float32."""
COLUMNS: Final = ("layer", "op", "output", "parameters", "MACs", "% MACs", "receptive field")
_NUMBERS: Final = 3  # the first column of numbers
_ALL: Final = 10**6
_BAR: Final = 20


class Summary:
    """The summary of a typed program: ``print`` it, or call :meth:`to_dict`.

    The table has the rows above ``depth`` (by default: the top-level steps of a network, all of a
    block) and all rows inside the blocks that ``expand`` names. The memory is that of ``batch``
    samples. Notebooks show it as an HTML table.
    """

    def __init__(
        self,
        typed: TypedProgram,
        depth: int | None = None,
        expand: Collection[str] = (),
        batch: int = 1,
    ) -> None:
        self.typed, self.expand, self.batch = typed, expand, batch
        self.depth = depth or (1 if typed.program.kind == "network" else _ALL)
        self.layers = list(layers(typed))
        self.cost = cost(self.layers)

    @cached_property
    def network(self) -> Flow:
        """The flow of the program with its heads."""
        return flow(self.typed)

    @cached_property
    def fields(self) -> dict[ValueId, Seen]:
        """The receptive fields of all values of the flow."""
        return receptive_fields(self.network)

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl summary --json``.

        Shapes are lists, channels last, without the batch. ``macs`` are multiply-adds per sample.
        Memory is in bytes.
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
            "receptive_field": self._field(),
            "activations": {"batch": self.batch, **self.memory},
            **self._sizes(),
            "layers": layer_data(self.layers, self.network, self.fields),
        }

    @property
    def memory(self) -> dict[str, int]:
        """The bytes of the activations in float32, in inference and in training.

        Inference needs the most values that exist at once, without auxiliary heads; training
        counts the outputs of all layers, as they are kept for the backward pass.
        """
        alone = flow(self.typed, heads=False) if self.typed.auxiliary else self.network
        values = {
            "inference": live_values(alone),
            "training": kept_values(self.network),
        }
        return {name: BYTES * self.batch * count for name, count in values.items()}

    @property
    def last_map(self) -> tuple[str, Seen] | None:
        """The path and the receptive field of the last feature map."""
        return last_map(self.typed, self.network, self.fields)

    def _field(self) -> dict[str, Any] | None:
        """The receptive field of the last feature map, and the path of that."""
        found = self.last_map
        return found and {"of": found[0], **field_data(found[1])}

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

        return html.page(self.heading(), html.table(self.table()), html.facts(self.facts()))

    def render(self, style: Style = PLAIN, width: int = 0) -> str:
        """The table and the totals, coloured by ``style``.

        Up to ``width`` columns, bars show the shares of the MACs.
        """
        title, about, *more = map(printable, self.heading())
        head = [f"{style.strong(title)}  {about}", *more]
        return "\n".join([*head, "", *self._lines(style, width), "", *totals(self.facts(), style)])

    def _lines(self, style: Style, width: int) -> list[str]:
        table = self.table()
        lines = table.text(style)
        plain = [len(line) for line in table.text()]
        room = min(width - max(plain) - 2, _BAR)
        if room < _BAR // 2 or not self.cost.macs:
            return lines
        found = lines[:2]
        for row, line, used in zip(self.rows(), lines[2:], plain[2:], strict=True):
            bar = "" if row.auxiliary else "#" * round(room * row.macs / self.cost.macs)
            space = " " * (max(plain) - used + 2) if bar else ""
            found.append(f"{line}{space}{bar}")
        return found

    def table(self) -> Table:
        """The table of the rows, as texts."""
        lines = [Line(self._cells(row), row.depth, not row.layer) for row in self.rows()]
        return Table(COLUMNS, lines, _NUMBERS)

    def _cells(self, row: Row) -> tuple[str, ...]:
        share = 0.0 if row.auxiliary or not row.macs else 100 * row.macs / self.cost.macs
        numbers = (f"{n:,}" if n else "" for n in (row.parameters, row.macs))
        name = row.name or f"({row.op})"
        return name, row.op, str(row.y), *numbers, f"{share:.1f}" if share else "", row.field

    def csv(self) -> str:
        """The rows as comma-separated values, with plain numbers and paths."""
        return comma_separated(
            ("path", "op", "output", "parameters", "macs", "receptive_field", "layer"),
            (
                ("/".join(r.path), r.op, r.y, r.parameters, r.macs, r.field, str(r.layer).lower())
                for r in self.rows()
            ),
        )

    def heading(self) -> list[str]:
        """The title, what it is, and what it is modified from."""
        program = self.typed.program
        title = program.about.title.plain or program.id
        what = "inputs" if program.several else "input"
        head = [title, f"({program.kind} {program.id}, {what} {program.taken})"]
        original = program.about.modified_from.plain
        return [*head, f"Modified from {original}"] if original else head

    def rows(self) -> list[Row]:
        """The rows of the table: those above the depth, and what is expanded."""
        return shown(self._rows, self.depth, self.expand)

    @property
    def expandable(self) -> set[str]:
        """The names and paths that ``expand`` can have."""
        paths = [row.path for row in self._rows if not row.layer and row.path]
        return {path[-1] for path in paths} | {"/".join(path) for path in paths}

    @cached_property
    def _rows(self) -> list[Row]:
        return rows(self.typed, self.network, self.fields)

    def facts(self) -> list[tuple[str, str]]:
        """The outputs, the totals, and the sizes that run, each with its name."""
        typed, total, heads = self.typed, self.cost, bool(self.typed.auxiliary)
        outputs = ", ".join(f"{name} {y}" for name, y in self.typed.outputs.items())
        without = " without auxiliary heads" if heads else ""
        lines = [
            ("outputs", outputs),
            ("parameters", f"{total.total:,}"),
            ("  trainable", f"{total.trainable:,}"),
            ("  non-trainable", f"{total.non_trainable:,}"),
        ]
        lines += [("  in auxiliary heads", f"{total.auxiliary:,} of the trainable")] * heads
        lines.append(("MACs (multiply-adds)", f"{total.macs:,}{without}"))
        lines.append(("FLOPs (2 x MACs)", f"{2 * total.macs:,}{without}"))
        if found := self.last_map:
            small = ", the last map of more than one pixel" * ends_in_pixels(typed, self.network)
            lines.append(("receptive field", f"{field_text(found[1])} of {found[0]}{small}"))
            lines.append(("  stride, padding", stride_and_padding(found[1])))
        samples = many(self.batch, "sample")
        for name, count in self.memory.items():
            lines.append((f"activations, {name}", f"{megabytes(count)} for {samples} in float32"))
        return [*lines, *self._size_facts()]

    def _size_facts(self) -> list[tuple[str, str]]:
        lines = []
        for name in with_own_sizes(self.typed):
            sizes = running_sizes(self.typed, name)
            label = f"smallest input{f' {name}' * self.typed.program.several}"
            lines.append((label, described(sizes.inference)))
            if self.typed.auxiliary:
                lines.append(("  in training", described(sizes.training)))
        for names, axes in all_tied(self.typed).items():
            lines.append(("same sizes", f"{axes_of(self.typed, axes)} of {together(names)}"))
        return lines


def megabytes(count: int) -> str:
    """Bytes as text; a megabyte has 1,000,000 bytes, as in torchinfo."""
    return f"{count / 1e6:,.1f} MB"


def totals(facts: Sequence[tuple[str, str]], style: Style = PLAIN) -> list[str]:
    """Aligned lines of names and values."""
    width = max(len(name) for name, _ in facts)
    return [f"{style.strong(name.ljust(width))} {value}" for name, value in facts]


def _running(sizes: RunningSizes) -> dict[str, Any]:
    return {"inference": _listed(sizes.inference), "training": _listed(sizes.training)}


def _listed(sizes: Sizes) -> list[dict[str, Any]]:
    """The sizes of each axis that run."""
    return [
        {"least": a.least, "most": a.most, "without": [gap._asdict() for gap in a.gaps]}
        for a in sizes
    ]
