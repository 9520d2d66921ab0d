"""The commands for weight files."""

from __future__ import annotations

from pathlib import Path

import click

from .colour import print_table
from .help import Command, Group
from .progress import Progress
from .shared import (
    SPEC,
    as_json_text,
    fail,
    format_option,
    merged,
    need_packages,
    reject_link,
    spec_options,
)
from .weights_import import dtype_option, import_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from click.shell_completion import CompletionItem

    from ..ir.typed import TypedProgram

    Dtype = Literal["float32", "float64"]


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
        metavar="NAME",
        shell_complete=_formats,
        help=what,
    )


_any_network = click.option(
    "--any-network",
    is_flag=True,
    help="Accept a neutral file of another network or input size.",
)


def _program(spec: str, settings: dict[str, str], size: dict[str, str]) -> TypedProgram:
    """The typed program of a spec; exits if it has errors. Its warnings are those of `check`."""
    from ..compiler import compile_spec
    from ..diagnostics.report import Report

    report = Report()
    from ..passes.budget import check_memory

    typed = compile_spec(spec, merged(settings, size, spec), report)
    if typed is None or not check_memory(typed, 0, report):
        fail(report)
        raise AssertionError
    from ..analysis.weights import weight_shapes

    if not weight_shapes(typed):
        message = f"`{typed.program.id}` has no weights"
        report.error("E702", message, typed.program.origin.span(typed.program.kind))
        fail(report)
    return typed


@click.group(
    cls=Group,
    examples=(
        "inception-dsl weights init net.yaml -o a.safetensors",
        "inception-dsl weights convert net.yaml a.safetensors b.weights.h5 --to keras",
        "inception-dsl weights inspect a.safetensors",
    ),
)
def weights() -> None:
    """Create, import, convert and inspect weight files."""


@weights.command(
    cls=Command,
    examples=(
        "inception-dsl weights init net.yaml # net.safetensors",
        "inception-dsl weights init net.yaml --seed 7 -o a.safetensors",
    ),
)
@click.argument("spec", **SPEC)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="INTEGER",
    help="Seed of the random numbers.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write.  [default: SPEC.safetensors]",
)
@dtype_option
@spec_options
def init(
    spec: str,
    seed: int,
    out: Path | None,
    dtype: Dtype,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Write random test weights for SPEC to a neutral file.

    The weights are for tests, not for training: the same seed gives the same bytes, batch-norm
    statistics are far from 0 and 1, kernels have no symmetry. An existing file is replaced.
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
        reject_link(path, report)
    with Progress(2) as bar:
        bar.step(f"{spec}: random weights")
        found = seeded(typed, seed)
        bar.step(f"write {path}")
        written = write(path, typed, found, report, dtype)
    if not written:
        fail(report)
    click.echo(_line(path, found, f"seed {seed}, {dtype}"))


@weights.command(
    cls=Command,
    examples=(
        "inception-dsl weights inspect net.safetensors",
        "inception-dsl weights inspect net.safetensors --json",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@format_option
def inspect(file: Path, as_json: bool) -> None:
    """List the tensors and the metadata of FILE, any safetensors file."""
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    from ..weights.listing import inspect as found_in

    with Progress(1) as bar:
        bar.step(f"read {file}")
        found = found_in(file, report)
    if found is None:
        fail(report)
    elif as_json:
        click.echo(as_json_text(found.to_dict()))
    else:
        print_table(found.render)


@weights.command(
    cls=Command,
    examples=(
        "inception-dsl weights convert net.yaml a.safetensors b.weights.h5 --to keras",
        "inception-dsl weights convert net.yaml a.keras b.safetensors --from keras",
    ),
)
@click.argument("spec", **SPEC)
@click.argument("source", type=click.Path(path_type=Path, readable=False))
@click.argument("target", type=click.Path(path_type=Path, readable=False))
@_format("--from", "origin", "Format of SOURCE: neutral (default), torch or keras.")
@_format("--to", "goal", "Format of TARGET: neutral (default), torch or keras.")
@_any_network
@dtype_option
@spec_options
def convert(
    spec: str,
    source: Path,
    target: Path,
    origin: str,
    goal: str,
    any_network: bool,
    dtype: Dtype,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Convert weights of SPEC from one format to another.

    Reads SOURCE and writes TARGET. Neutral files and PyTorch state dicts (torch) end in
    .safetensors; Keras files (keras) end in .weights.h5 or .keras. An existing TARGET is replaced;
    on an error it stays unchanged.
    """
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    typed = _program(spec, settings, size)
    from ..weights.convert import convert as converted

    with Progress(2) as bar:
        found = converted(
            typed,
            (source, origin),
            (target, goal),
            report,
            dtype,
            bar.step,
            any_network=any_network,
        )
    if found is None:
        fail(report)
    else:
        click.echo(_line(target, found, dtype))


@weights.command(
    cls=Command,
    examples=(
        "inception-dsl weights check net.yaml net.safetensors",
        "inception-dsl weights check net.yaml net.weights.h5 --from keras",
    ),
)
@click.argument("spec", **SPEC)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@_format("--from", "origin", "Format of FILE: neutral (default), torch or keras.")
@_any_network
@spec_options
def check(
    spec: str,
    file: Path,
    origin: str,
    any_network: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Check that FILE holds the weights of SPEC; list all differences."""
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report)
    typed = _program(spec, settings, size)
    from ..weights.convert import read

    with Progress(1) as bar:
        bar.step(f"read {file}")
        found = read(file, origin, typed, report, any_network=any_network)
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
