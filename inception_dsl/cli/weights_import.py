"""The command that imports published weights."""

from __future__ import annotations

from pathlib import Path

import click

from .help import Command
from .progress import Progress
from .shared import SPEC, fail, merged, need_packages, reject_link, spec_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from click.shell_completion import CompletionItem

    from ..diagnostics.report import Report
    from ..ir.typed import TypedProgram

    Dtype = Literal["float32", "float64"]


dtype_option = click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    metavar="TYPE",
    help="float32 (default) or float64.",
)


def _sources(context: click.Context, _: click.Parameter, start: str) -> list[CompletionItem]:
    """The sources of the spec, for shell completion."""
    from click.shell_completion import CompletionItem

    from ..compiler import compile_spec
    from ..diagnostics.report import Report

    spec = context.params.get("spec")
    typed = compile_spec(spec, {}, Report()) if spec else None
    known = typed.program.checkpoints if typed is not None else ()
    return [CompletionItem(name) for name in known if name.startswith(start)]


def _again(
    spec: str, settings: Mapping[str, str]
) -> Callable[[Mapping[str, str]], TypedProgram | None]:
    """A function that compiles a spec with further settings, and reports nothing."""
    from ..compiler import compile_spec
    from ..diagnostics.report import Report

    def again(more: Mapping[str, str]) -> TypedProgram | None:
        whole = "input" in more  # in place of single sizes, too
        kept = {k: v for k, v in settings.items() if not whole or k.split(".")[0] != "input"}
        return compile_spec(spec, {**kept, **more}, Report(), named=True)

    return again


def _reject_same(path: Path, source: Path, report: Report) -> None:
    """Exit with an error if the output is the published file, which is often the only copy."""
    from ..diagnostics.report import Span

    try:
        same = path.samefile(source)
    except OSError:
        return
    if same:
        message = f"the output {path} is the file to import, which would be replaced"
        span = Span(str(path), 1, 1, 1, 2)
        report.error("E601", message, span, help="name another file with `--out`")
        fail(report)


@click.command(
    "import",
    cls=Command,
    examples=("inception-dsl weights import published/timm_inception_v4 FILE --from timm",),
)
@click.argument("spec", **SPEC)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
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
@dtype_option
@click.option(
    "--prefix",
    metavar="TEXT",
    help="Use only tensors whose names begin with TEXT.",
)
@click.option(
    "--drop",
    multiple=True,
    metavar="LAYER",
    help="Give LAYER new initial values, or leave it out.",
)
@click.option(
    "--drop-class",
    type=click.IntRange(min=0),
    metavar="N",
    help="Leave out class N of the file, from 0.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="INTEGER",
    help="Seed of new initial values.",
)
@spec_options
def import_weights(
    spec: str,
    file: Path,
    source: str,
    out: Path | None,
    dtype: Dtype,
    prefix: str | None,
    drop: tuple[str, ...],
    drop_class: int | None,
    seed: int,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Import published weights into a neutral file.

    SPEC is a published network of `inception-dsl list`, or a spec with `checkpoints`. FILE is a
    state dict in safetensors, or a file of Keras that ends in .h5, .weights.h5 or .keras. Layers
    are matched by name; what all names begin with, such as `module.`, does not matter. If anything
    differs, nothing is written, and the error says what to type. FILE may have optional layers
    that SPEC does not have, for example auxiliary heads. RGB weights fit a SPEC for gray images.

    `--drop` takes the path of a layer in SPEC, which gets new initial values, or the name of a
    layer in FILE, which is left out. Sources of your own are under `checkpoints` in SPEC.
    """
    from ..compiler import compile_spec
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report, ("numpy", "safetensors", "h5py"))
    own = merged(settings, size, spec)
    typed = compile_spec(spec, own, report, named=True)
    if typed is None:
        fail(report)
        raise AssertionError
    from ..build.build import file_stem
    from ..diagnostics.text import printable
    from ..weights.published import Choices, read
    from ..weights.store import ending, write

    path = out or Path(f"{file_stem(spec, typed)}.safetensors")
    if out is None:
        reject_link(path, report)
    _reject_same(path, file, report)
    with Progress(2) as bar:
        bar.step(f"read {file}")
        choices = Choices(_again(spec, own), prefix, drop, drop_class, seed)
        found = read(file, typed, source, report, choices) if ending(path, report) else None
        bar.step(f"write {path}")
        written = found is not None and write(path, typed, found.weights, report, dtype)
    if found is None or not written:
        fail(report)
        raise AssertionError
    count = sum(array.size for array in found.weights.values())
    weights = f"{len(found.weights):,} weights, {count:,} parameters"
    said = map(printable, (f"{path}: {weights}, {dtype}, from {source}", *found.said))
    click.echo("\n  ".join(said))
