"""Where a changed size of the input does not compile: names the nearest sizes that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ..analysis.size_conditions import AxisSizes
from ..analysis.sizes import compiling_sizes
from ..diagnostics.report import Diagnostic
from ..ir.program import INPUT
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
    wanted: Mapping[str, TensorType],
    settings: Mapping[str, str],
    own: Callable[[], TypedProgram | None],
) -> list[Diagnostic]:
    """The errors with the nearest sizes as help, if all come from the size of the input.

    ``wanted`` are the inputs with the errors, ``own`` compiles the spec with the input that it has
    without the command line, or without the file that the command names.
    """
    blamed = all(d.span.file.startswith("--set input") for d in found)
    if {d.code for d in found} - _CODES and not blamed:
        return found
    program = own()
    if program is None:
        return found
    first, *more = wanted.values()
    order = () if more else _reordered(first, program.program.input)
    if blamed and order:
        help = f"sizes are channels last: write `--input {'x'.join(map(str, order))}`"
        return [replace(d, help=help, fix=()) for d in found]
    ranks = {name: x.rank for name, x in wanted.items()}
    if {d.code for d in found} - _CODES:
        return found
    if ranks != {name: x.rank for name, x in program.program.inputs.items()}:
        return found
    below, above = {}, {}
    for name, x in wanted.items():
        pairs = [_nearest(*p) for p in zip(compiling_sizes(program, name), x.spatial, strict=True)]
        below[name] = x._replace(spatial=tuple(low for low, _ in pairs))
        above[name] = x._replace(spatial=tuple(high for _, high in pairs))
    if below == above == wanted:
        return found
    on_command_line = without_input(settings) != settings
    inputs = dict.fromkeys(_written(wanted, x, on_command_line) for x in (below, above))
    help = f"write {' or '.join(inputs)}, the nearest that {'fit' if len(inputs) > 1 else 'fits'}"
    return [replace(d, help=help, fix=()) for d in found]


def _reordered(wanted: TensorType, own: TensorType) -> tuple[int, ...]:
    """Sizes that were given without channels, or channels first; empty for others."""
    given = (*wanted.spatial, wanted.channels)
    if len(given) == own.rank:
        return (*given, own.channels)
    first = given[0] == own.channels != wanted.channels and len(given) == own.rank + 1
    return (*given[1:], given[0]) if first else ()


def _written(
    wanted: Mapping[str, TensorType], inputs: Mapping[str, TensorType], on_command_line: bool
) -> str:
    """Inputs of other sizes as the user writes them, those of several that are not ``wanted``."""
    changed = {n: x for n, x in inputs.items() if len(inputs) == 1 or x != wanted[n]}
    if on_command_line:
        names = {n: f"{n}=" if len(inputs) > 1 else "" for n in changed}
        return f"`{' '.join(f'--input {names[n]}{x}' for n, x in changed.items())}`"
    sizes = {
        name: {"channels": x.channels, **dict(zip(AXES[x.rank], x.spatial, strict=True))}
        for name, x in changed.items()
    }
    return f"`input: {flow(sizes if len(inputs) > 1 else sizes[INPUT])}`"


def _nearest(sizes: AxisSizes, size: int) -> tuple[int, int]:
    """The nearest sizes that compile, below and above; twice the same if there is only one."""
    if sizes.fits(size):
        return size, size
    below = next((n for n in range(size, 0, -1) if sizes.fits(n)), None)
    above = next((n for n in range(size, MAX_SIZE + 1) if sizes.fits(n)), None)
    return below or above or size, above or below or size
