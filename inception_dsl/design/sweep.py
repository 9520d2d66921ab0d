"""A sweep: variants of a spec with their costs, those within limits, and the Pareto front."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..diagnostics.text import printable
from .measured import Measured, Variant
from .pareto import Front
from .summary import megabytes
from .tables import Line, Table, comma_separated
from .variations import plain

FIELDS: Final = (
    "parameters",
    "macs",
    "receptive_field",
    "activations_inference",
    "activations_training",
    "minimum_input",
    "front",
    "code",
    "message",
)
"""The columns of CSV after the values."""
COLUMNS: Final = (
    "parameters",
    "MACs",
    "receptive field",
    "activations",
    "in training",
    "smallest input",
)


class Limits(NamedTuple):
    """The most MACs and parameters, and the least receptive field, that variants may have."""

    macs: int | None = None
    parameters: int | None = None
    receptive_field: int | None = None

    def allow(self, found: Measured) -> bool:
        """Whether a variant is within the limits; without a map it has no receptive field."""
        return (
            (self.macs is None or found.macs <= self.macs)
            and (self.parameters is None or found.parameters <= self.parameters)
            and (self.receptive_field is None or (found.pixels or 0) >= self.receptive_field)
        )


@dataclass(frozen=True)
class Counts:
    """How many variants there are, failed, are beyond the limits, and are on the front."""

    variants: int = 0
    failed: int = 0
    beyond: int = 0
    front: int = 0

    def __str__(self) -> str:
        said = f"{self.variants:,} variant{'' if self.variants == 1 else 's'}"
        parts = [f"{self.front:,} on the Pareto front"]
        parts += [f"{self.failed:,} not valid"] * bool(self.failed)
        parts += [f"{self.beyond:,} beyond the limits"] * bool(self.beyond)
        return f"{said}: {', '.join(parts)}"


class Sweep:
    """The variants of a spec: ``print`` it, iterate over it, or call :meth:`to_dict`.

    ``names`` are what is varied. The front has the variants with the least of ``x`` for the most of
    ``y``, of those within the ``limits``; variants beyond them are left out. ``found`` is read
    several times and not kept.
    """

    def __init__(
        self,
        spec: str,
        names: tuple[str, ...],
        found: Iterable[Variant],
        limits: Limits | None = None,
        x: str = "macs",
        y: str = "parameters",
    ) -> None:
        self.spec, self.names, self.x, self.y = spec, names, x, y
        self.limits = limits or Limits()
        self._found, self._front = found, Front()
        variants = failed = beyond = 0
        for one in found:
            variants += 1
            failed += one.measured is None
            beyond += one.measured is not None and not self.limits.allow(one.measured)
            if point := self.point(one):
                self._front.add(*point)
        self.counts = Counts(variants, failed, beyond, sum(1 for _ in self.front()))

    def point(self, one: Variant) -> tuple[int, int] | None:
        """Where a variant is; ``None`` if it failed, is beyond the limits, or lacks a number."""
        found = one.measured
        if found is None or not self.limits.allow(found):
            return None
        x, y = found.on(self.x), found.on(self.y)
        return None if x is None or y is None else (x, y)

    def __iter__(self) -> Iterator[Variant]:
        """The variants within the limits, and those that failed."""
        return (
            one for one in self._found if one.measured is None or self.limits.allow(one.measured)
        )

    def __str__(self) -> str:
        return "\n".join([*self.table().text(), "", str(self.counts)])

    def on_front(self, one: Variant) -> bool:
        """Whether a variant is on the Pareto front."""
        point = self.point(one)
        return point is not None and point in self._front

    def front(self) -> Iterator[Variant]:
        """The variants on the Pareto front."""
        return filter(self.on_front, self)

    def rows(self, *, front: bool = False) -> Iterator[Variant]:
        """All variants that are shown, or those on the front."""
        return self.front() if front else iter(self)

    def table(self, *, front: bool = False) -> Table:
        """The variants as texts; those on the front have an asterisk."""
        failed = bool(self.counts.failed) and not front
        columns = (*self.names, *COLUMNS, "front", *["error"] * failed)
        lines = [
            Line(self._cells(one)[: len(columns)], heading=self.on_front(one) and not front)
            for one in self.rows(front=front)
        ]
        return Table(columns, lines, len(self.names), 1 + failed)

    def _cells(self, one: Variant) -> tuple[str, ...]:
        error = "" if one.measured else f"{one.code}: {one.message}"
        return (*cells(one), "*" if self.on_front(one) else "", error)

    def csv(self, *, front: bool = False) -> Iterator[str]:
        """Comma-separated values, line by line; memory in bytes, ``front`` is true or false."""
        yield csv_head(self.names)
        for one in self.rows(front=front):
            yield csv_row(one, self.on_front(one))

    def json(self, *, front: bool = False) -> Iterator[str]:
        """The text of :meth:`to_dict` as JSON, row by row."""
        head = json.dumps(self._head(), indent=2, ensure_ascii=False).removesuffix("\n}")
        yield f'{head},\n  "rows": ['
        between = "\n    "
        for one in self.rows(front=front):
            yield between + json.dumps(self._data(one), ensure_ascii=False)
            between = ",\n    "
        yield "\n  ]\n}\n"

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl sweep -f json``; memory in bytes."""
        return {**self._head(), "rows": [self._data(one) for one in self]}

    def _head(self) -> dict[str, Any]:
        counts = self.counts
        return {
            "spec": self.spec,
            "varied": list(self.names),
            "x": self.x,
            "y": self.y,
            "variants": counts.variants,
            "not_valid": counts.failed,
            "beyond_limits": counts.beyond,
        }

    def _data(self, one: Variant) -> dict[str, Any]:
        values = {"values": dict(zip(self.names, map(plain, one.values), strict=True))}
        if one.measured is None:
            return {**values, "error": {"code": one.code, "message": one.message}}
        numbers = dict(zip(FIELDS, one.measured[:-1], strict=False))
        return {**values, **numbers, "front": self.on_front(one)}


def cells(one: Variant) -> tuple[str, ...]:
    """The values of a variant, then its costs as :data:`COLUMNS` has them; empty if it failed."""
    if (found := one.measured) is None:
        return (*one.values, *[""] * len(COLUMNS))
    numbers = f"{found.parameters:,}", f"{found.macs:,}", found.receptive_field
    memory = megabytes(found.activations), megabytes(found.training)
    return (*one.values, *numbers, *memory, found.minimum_input)


def csv_head(names: Iterable[str]) -> str:
    """The first line of CSV: what is varied, and :data:`FIELDS`."""
    return comma_separated((*names, *FIELDS), ())


def csv_row(one: Variant, front: bool) -> str:
    """The line of a variant in CSV."""
    numbers = one.measured[:-1] if one.measured else [""] * len(COLUMNS)
    values, message = map(printable, one.values), printable(one.message)
    return comma_separated((*values, *numbers, str(front).lower(), one.code, message), ())


def is_result(line: str) -> bool:
    """Whether the first line of a file is that of a CSV file that a sweep wrote."""
    return f",{line.rstrip()}".endswith(f",{','.join(FIELDS)}")
