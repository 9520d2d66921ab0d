"""The commands on weights."""

from __future__ import annotations

from pathlib import Path

import click

from .shared import (
    Suggesting,
    as_json_text,
    fail,
    format_option,
    merged,
    need_packages,
    refuse_link,
    spec_options,
    warn,
)
from .weights_import import import_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from click.shell_completion import CompletionItem

    from ..ir.typed import TypedProgram

    Dtype = Literal["float32", "float64"]

_dtype = click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Type of numbers.",
)


def _formats(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ..plugins import installed

    return [
        CompletionItem(name)
        for name in ["neutral", *(p.name for p in installed())]
        if name.startswith(start)
    ]


def _format(
    option: str, name: str, what: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        option,
        name,
        default="neutral",
        show_default=True,
        metavar="neutral|BACKEND",
        shell_complete=_formats,
        help=what,
    )


def _program(spec: str, settings: dict[str, str], size: str | None) -> TypedProgram:
    """The typed program of a spec, its warnings printed; leaves with every mistake in it."""
    from ..compiler import compile_spec
    from ..diagnostics.report import Report

    report = Report()
    typed = compile_spec(spec, merged(settings, size), report)
    if typed is None:
        fail(report)
        raise AssertionError
    warn(report)
    return typed


@click.group(cls=Suggesting)
def weights() -> None:
    """Make, inspect, convert and check files of weights."""


@weights.command()
@click.argument("spec", type=click.Path())
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed, the same bytes.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write.  [default: SPEC.safetensors, here]",
)
@_dtype
@spec_options
def init(
    spec: str, seed: int, out: Path | None, dtype: Dtype, settings: dict[str, str], size: str | None
) -> None:
    """Write seeded weights for SPEC to a neutral file.

    They are made to show defects, not to train from: statistics far from 0 and 1, kernels without
    symmetry. A file that exists is replaced.
    """
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    typed = _program(spec, settings, size)
    from ..build.build import file_stem
    from ..reference.seeds import seeded
    from ..weights.store import write

    path = out or Path(f"{file_stem(spec, typed)}.safetensors")
    if out is None:
        refuse_link(path, report)
    found = seeded(typed, seed)
    if not write(path, typed, found, report, dtype):
        fail(report)
    click.echo(_line(path, found, f"seed {seed}, {dtype}"))


@weights.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@format_option
def inspect(file: Path, as_json: bool) -> None:
    """Print every tensor of FILE, a safetensors file of any origin, and what FILE says of
    itself.
    """
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    from ..weights.listing import inspect as found_in

    found = found_in(file, report)
    if found is None:
        fail(report)
    else:
        click.echo(as_json_text(found.to_dict()) if as_json else str(found))


@weights.command()
@click.argument("spec", type=click.Path())
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@_format("--from", "origin", "Format of SOURCE.")
@_format("--to", "goal", "Format of TARGET.")
@_dtype
@spec_options
def convert(
    spec: str,
    source: Path,
    target: Path,
    origin: str,
    goal: str,
    dtype: Dtype,
    settings: dict[str, str],
    size: str | None,
) -> None:
    """Write the weights of SPEC in SOURCE to TARGET, in another format.

    The neutral file ends in .safetensors; so does a PyTorch state dict (torch). Keras (keras) has
    .weights.h5 and .keras. A TARGET that exists is replaced once the new file is whole; on any
    mistake it stays as it is.
    """
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    typed = _program(spec, settings, size)
    from ..weights.convert import convert as converted

    found = converted(typed, (source, origin), (target, goal), report, dtype)
    if found is None:
        fail(report)
    else:
        click.echo(_line(target, found, dtype))


@weights.command()
@click.argument("spec", type=click.Path())
@click.argument("file", type=click.Path(path_type=Path))
@_format("--from", "origin", "Format of FILE.")
@spec_options
def check(spec: str, file: Path, origin: str, settings: dict[str, str], size: str | None) -> None:
    """Say whether FILE holds the weights of SPEC; if not, list every difference."""
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    typed = _program(spec, settings, size)
    from ..weights.convert import read

    found = read(file, origin, typed, report)
    if found is None:
        fail(report)
    else:
        click.echo(_line(file, found, "ok"))


def _line(path: Path, found: dict[str, object], more: str) -> str:
    """``v4.safetensors: 449 weights, 42,711,400 parameters, float32``."""
    count = sum(getattr(array, "size", 0) for array in found.values())
    from ..diagnostics.text import printable

    return f"{printable(str(path))}: {len(found):,} weights, {count:,} parameters, {more}"


weights.add_command(import_weights)
