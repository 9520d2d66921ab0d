"""Several networks in one table, one in each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ..analysis.receptive_words import field_text
from ..analysis.sizes import minimum_input
from ..analysis.ties import with_own_sizes
from ..ir.typed import TypedProgram
from .summary import Summary, megabytes
from .tables import Line, Table, comma_separated

COLUMNS: Final = (
    "network",
    "input",
    "parameters",
    "MACs",
    "FLOPs",
    "receptive field",
    "activations",
    "in training",
    "smallest input",
)


def table(found: Sequence[Summary]) -> Table:
    """The totals of summaries, each in a line."""
    return Table(COLUMNS, [Line(_cells(summary, "{:,}", megabytes)) for summary in found], 2)


def csv(found: Sequence[Summary]) -> str:
    """The table as comma-separated values, with plain numbers; memory in bytes."""
    return comma_separated(COLUMNS, (_cells(summary, "{}", str) for summary in found))


def _cells(summary: Summary, number: str, memory: Callable[[int], str]) -> tuple[str, ...]:
    typed, total = summary.typed, summary.cost
    last = summary.last_map
    return (
        typed.program.id,
        str(typed.program.taken),
        *(number.format(n) for n in (total.total, total.macs, 2 * total.macs)),
        field_text(last[1]) if last else "",
        *map(memory, summary.memory.values()),
        smallest_input(typed),
    )


def smallest_input(typed: TypedProgram) -> str:
    """The smallest sizes of the inputs that run in inference: ``75x75``."""
    sizes = (minimum_input(typed, name) for name in with_own_sizes(typed))
    return ", ".join("x".join(map(str, size)) for size in sizes)
