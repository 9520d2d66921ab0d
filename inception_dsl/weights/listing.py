"""The contents of any safetensors file, as a table or as plain data."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..analysis.weights import digest, sizes
from ..diagnostics.report import PLAIN, Report, Style
from ..diagnostics.text import aligned, printable, rule
from .files import FLOATS, Tensor, read_file
from .store import FORMAT, metadata_problems

HEAD = ("weight", "shape", "type", "numbers", "min", "max", "mean", "std")


class Row(NamedTuple):
    """A tensor with statistics of its finite values.

    They are ``None`` if there are no finite values or NumPy does not have the type.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    size: int
    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    not_finite: int


class Listing:
    """The contents of a file: ``print`` it, or call :meth:`to_dict`."""

    def __init__(self, path: Path, metadata: dict[str, str], tensors: dict[str, Tensor]) -> None:
        self.name, self.metadata = os.path.normpath(path), metadata
        self.ours = metadata.get("format") == FORMAT
        self.digest = digest({name: tensor.shape for name, tensor in tensors.items()})
        self.rows = [_row(name, tensor) for name, tensor in tensors.items()]

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl weights inspect --json``.

        ``spec`` is null if the file was not written by inception-dsl.
        """
        return {
            "file": self.name,
            "spec": self.metadata.get("spec") if self.ours else None,
            "digest": self.digest,
            "metadata": self.metadata,
            "tensors": len(self.rows),
            "parameters": self.parameters,
            "dtypes": self.dtypes,
            "not_finite": sum(row.not_finite for row in self.rows),
            "weights": [row._asdict() | {"shape": list(row.shape)} for row in self.rows],
        }

    @property
    def parameters(self) -> int:
        return sum(row.size for row in self.rows)

    @property
    def dtypes(self) -> list[str]:
        return sorted({row.dtype for row in self.rows})

    def __str__(self) -> str:
        return self.render()

    def render(self, style: Style = PLAIN) -> str:
        """The table and the totals, coloured by ``style``."""
        about = (
            f"weights of {self.metadata.get('spec', '')}" if self.ours else "a file without a spec"
        )
        head = f"{style.strong(printable(self.name))}  {printable(f'({about})')}"
        columns, rule, *rows = map(printable, _table(self.rows))
        lines = [head, "", style.frame(columns), style.frame(rule), *rows, ""]
        totals = [("tensors", f"{len(self.rows):,}"), ("parameters", f"{self.parameters:,}")]
        totals.append(("type", ", ".join(self.dtypes) or "none"))
        if bad := sum(row.not_finite for row in self.rows):
            totals.append(("not finite", f"{bad:,}"))
        totals.append(("digest", self.digest))
        totals += (
            []
            if self.ours
            else [(f"metadata {key}", value) for key, value in sorted(self.metadata.items())]
        )
        lines += [
            f"{style.strong(printable(f'{name:20}'))} {printable(value)}" for name, value in totals
        ]
        return "\n".join(lines)


def inspect(path: Path, report: Report) -> Listing | None:
    """The contents of the safetensors file at ``path``, or ``None`` with errors in the report."""
    file = read_file(path, report)
    if file is None or not metadata_problems(file, path, report):
        return None
    return Listing(path, file.metadata, file.tensors)


def _row(name: str, tensor: Tensor) -> Row:
    array = tensor.array()
    size = math.prod(tensor.shape)
    dtype = FLOATS.get(tensor.dtype, tensor.dtype)
    if array is None or not size:
        return Row(name, tensor.shape, dtype, size, None, None, None, None, 0)
    values = array.astype(np.float64)
    finite = np.isfinite(values)
    if bad := int(size - np.count_nonzero(finite)):
        values = values[finite]
        if not values.size:
            return Row(name, tensor.shape, dtype, size, None, None, None, None, bad)
    found = (float(values.min()), float(values.max()), float(values.mean()), float(values.std()))
    return Row(name, tensor.shape, dtype, size, *found, bad)


def _table(rows: list[Row]) -> list[str]:
    cells = [
        (
            row.name,
            sizes(row.shape),
            row.dtype,
            f"{row.size:,}",
            *("" if n is None else f"{n:.4g}" for n in (row.min, row.max, row.mean, row.std)),
        )
        for row in rows
    ]
    return aligned([HEAD, rule([HEAD, *cells]), *cells], range(3))
