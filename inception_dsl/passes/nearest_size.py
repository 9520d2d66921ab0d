"""Where a changed size of the input does not compile: names the nearest sizes that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ..analysis.size_conditions import AxisSizes
from ..analysis.sizes import compiling_sizes
from ..diagnostics.report import Diagnostic
from ..ir.typed import TypedProgram
from ..types.tensor import AXES, MAX_SIZE, TensorType
from ..yaml.edits import flow

_CODES: Final = {"E401", "E402"}
"""Errors of sizes."""


def without_input(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that do not change the input."""
    return {name: value for name, value in settings.items() if name.split(".")[0] != "input"}


def with_nearest_sizes(
    found: list[Diagnostic],
    wanted: TensorType,
    settings: Mapping[str, str],
    own: Callable[[], TypedProgram | None],
) -> list[Diagnostic]:
    """The errors with the nearest sizes as help, if all come from the size of the input.

    ``wanted`` is the input with the errors, ``own`` compiles the spec with the input that it has
    without the command line, or without the file that the command names.
    """
    blamed = all(d.span.file.startswith("--set input") for d in found)
    if {d.code for d in found} - _CODES and not blamed:
        return found
    program = own()
    if program is None:
        return found
    order = _reordered(wanted, program.program.input) if blamed else ()
    if order:
        help = f"sizes are channels last: write `--input {'x'.join(map(str, order))}`"
        return [replace(d, help=help, fix=()) for d in found]
    if program.program.input.rank != wanted.rank or {d.code for d in found} - _CODES:
        return found
    sizes = compiling_sizes(program)
    if all(axis.fits(size) for axis, size in zip(sizes, wanted.spatial, strict=True)):
        return found
    pairs = [_nearest(*pair) for pair in zip(sizes, wanted.spatial, strict=True)]
    nearest = dict.fromkeys(zip(*pairs, strict=True))
    on_command_line = without_input(settings) != settings
    inputs = [f"`{_written(wanted, axes, on_command_line)}`" for axes in nearest]
    help = f"write {' or '.join(inputs)}, the nearest that {'fit' if inputs[1:] else 'fits'}"
    return [replace(d, help=help, fix=()) for d in found]


def _reordered(wanted: TensorType, own: TensorType) -> tuple[int, ...]:
    """Sizes that were given without channels, or channels first; empty for others."""
    given = (*wanted.spatial, wanted.channels)
    if len(given) == own.rank:
        return (*given, own.channels)
    first = given[0] == own.channels != wanted.channels and len(given) == own.rank + 1
    return (*given[1:], given[0]) if first else ()


def _written(wanted: TensorType, axes: tuple[int, ...], on_command_line: bool) -> str:
    """An input of other sizes as the user writes it."""
    if on_command_line:
        return f"--input {'x'.join(map(str, (*axes, wanted.channels)))}"
    sizes = dict(zip(AXES[len(axes)], axes, strict=True))
    return f"input: {flow({'channels': wanted.channels, **sizes})}"


def _nearest(sizes: AxisSizes, size: int) -> tuple[int, int]:
    """The nearest sizes that compile, below and above; twice the same if there is only one."""
    if sizes.fits(size):
        return size, size
    below = next((n for n in range(size, 0, -1) if sizes.fits(n)), None)
    above = next((n for n in range(size, MAX_SIZE + 1) if sizes.fits(n)), None)
    return below or above or size, above or below or size
