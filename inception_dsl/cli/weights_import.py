"""The command that reads published weights."""

from __future__ import annotations

from pathlib import Path

import click

from .shared import fail, merged, need_packages, refuse_link, spec_options, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from click.shell_completion import CompletionItem

    Dtype = Literal["float32", "float64"]


def _sources(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ..language.checkpoints import SOURCES

    return [CompletionItem(name) for name in SOURCES if name.startswith(start)]


@click.command("import")
@click.argument("spec", type=click.Path())
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    required=True,
    metavar="torchvision|timm|keras-applications",
    shell_complete=_sources,
    help="Where FILE comes from.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write.  [default: SPEC.safetensors, here]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Type of numbers.",
)
@spec_options
def import_weights(
    spec: str,
    file: Path,
    source: str,
    out: Path | None,
    dtype: Dtype,
    settings: dict[str, str],
    size: str | None,
) -> None:
    """Write the weights of a published FILE to a neutral file for SPEC, one of specs/published.

    FILE is a state dict in safetensors (torchvision, timm), or one that ends in .h5, .weights.h5 or
    .keras (keras-applications). Layers are found by name; every difference is listed, and nothing
    is written then. What a source calls optional may stand in FILE alone: auxiliary heads, or a
    classifier.
    """
    from ..compiler import compile_spec
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report, ("numpy", "safetensors", "h5py"))
    typed = compile_spec(spec, merged(settings, size), report)
    if typed is None:
        fail(report)
        raise AssertionError
    from ..build.build import file_stem
    from ..weights.published import read
    from ..weights.store import ending, write

    path = out or Path(f"{file_stem(spec, typed)}.safetensors")
    if out is None:
        refuse_link(path, report)
    found = read(file, typed, source, report) if ending(path, report) else None
    if found is None or not write(path, typed, found, report, dtype):
        fail(report)
        raise AssertionError
    count = sum(array.size for array in found.values())
    click.echo(f"{path}: {len(found):,} weights, {count:,} parameters, {dtype}, from {source}")
    warn(report)
