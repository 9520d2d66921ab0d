"""The command that imports published weights."""

from __future__ import annotations

from pathlib import Path

import click

from .help import Command
from .progress import Progress
from .shared import fail, merged, need_packages, reject_link, spec_options, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from click.shell_completion import CompletionItem

    Dtype = Literal["float32", "float64"]


def _sources(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ..language.checkpoints import SOURCES

    return [CompletionItem(name) for name in SOURCES if name.startswith(start)]


@click.command(
    "import",
    cls=Command,
    examples=("inception-dsl weights import published/timm_inception_v4 FILE --from timm",),
)
@click.argument("spec", type=click.Path())
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    shell_complete=_sources,
    help="torchvision, timm or keras-applications.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write.  [default: SPEC.safetensors]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    metavar="TYPE",
    help="float32 (default) or float64.",
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
    """Import published weights into a neutral file.

    SPEC is a published network of `inception-dsl list`, or a spec with `checkpoints`. FILE is a
    state dict in safetensors (torchvision, timm), or a file that ends in .h5, .weights.h5 or
    .keras (keras-applications). Layers are matched by name. If anything differs, all differences
    are listed and nothing is written. FILE may have optional layers that SPEC does not have, for
    example auxiliary heads.
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
        reject_link(path, report)
    with Progress(2) as bar:
        bar.step(f"read {file}")
        found = read(file, typed, source, report) if ending(path, report) else None
        bar.step(f"write {path}")
        written = found is not None and write(path, typed, found, report, dtype)
    if found is None or not written:
        fail(report)
        raise AssertionError
    count = sum(array.size for array in found.values())
    click.echo(f"{path}: {len(found):,} weights, {count:,} parameters, {dtype}, from {source}")
    warn(report)
