"""Where the size in ``--input`` does not compile: names the nearest sizes that do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ..analysis.size_conditions import AxisSizes
from ..analysis.sizes import compiling_sizes
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from ..types.tensor import MAX_SIZE, TensorType

_CODES: Final = {"E401", "E402"}
"""Errors of sizes."""


def without_input(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that do not change the input."""
    return {name: value for name, value in settings.items() if name.split(".")[0] != "input"}


def name_sizes(own: TypedProgram, wanted: TensorType, report: Report, before: int) -> None:
    """Change the help of the errors since ``before``, if all come from the size of the input.

    ``own`` is the program with the input of the spec, ``wanted`` is the input with the errors.
    """
    found = report.diagnostics[before:]
    if own.program.input.rank != wanted.rank or {d.code for d in found} - _CODES:
        return
    sizes = compiling_sizes(own)
    if all(axis.fits(size) for axis, size in zip(sizes, wanted.spatial, strict=True)):
        return
    pairs = [_nearest(*pair) for pair in zip(sizes, wanted.spatial, strict=True)]
    named = ("x".join(map(str, (*axes, wanted.channels))) for axes in zip(*pairs, strict=True))
    inputs = [f"`--input {size}`" for size in dict.fromkeys(named)]
    help = f"write {' or '.join(inputs)}, the nearest that {'fit' if inputs[1:] else 'fits'}"
    report.diagnostics[before:] = [replace(d, help=help, fix=()) for d in found]


def _nearest(sizes: AxisSizes, size: int) -> tuple[int, int]:
    """The nearest sizes that compile, below and above; twice the same if there is only one."""
    if sizes.fits(size):
        return size, size
    below = next((n for n in range(size, 0, -1) if sizes.fits(n)), None)
    above = next((n for n in range(size, MAX_SIZE + 1) if sizes.fits(n)), None)
    return below or above or size, above or below or size
