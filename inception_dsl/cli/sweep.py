"""The command that compiles many variants of a spec and compares their costs."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import click

from .colour import print_table
from .given import spec_of
from .help import Command
from .progress import Progress
from .shared import SPEC, check_settings, chosen_format, fail, formats, merged, spec_options
from .sweep_files import Files
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..design.measured import Spec
    from ..design.partial import Partial
    from ..design.sweep import Limits, Sweep
    from ..design.variations import Variations
    from ..diagnostics.report import Report

_FORMAT: Final = formats(
    "csv", "markdown", "latex", help="text (default), json, csv, markdown or latex."
)
_SHOWN: Final = 10  # different errors, if all variants fail


def amount(_: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """The value of an option that is a number with a unit: ``1.5G``."""
    if text is None:
        return None
    from ..design.variations import VariationError
    from ..design.variations import amount as parsed

    try:
        return parsed(text)
    except VariationError as error:
        message = f"invalid value for `{option.opts[-1]}`: {error.message}"
        raise UsageError(message, error.help) from None


def _axis(_: click.Context, option: click.Parameter, name: str) -> str:
    """The value of an option that is one of the numbers of a variant."""
    from ..design.measured import AXES
    from ..diagnostics.words import suggestion

    if name not in AXES:
        message = f"invalid value `{name}` for `{option.opts[-1]}`"
        raise UsageError(message, suggestion(name, AXES, what="numbers"))
    return name


@click.command(
    cls=Command,
    examples=(
        "inception-dsl sweep v4 --vary width=0.5..2:0.25",
        "inception-dsl sweep v4 --vary width=0.5,1 --vary input=224,299",
        "inception-dsl sweep v4 --vary body.2.repeat=1..8 --max-macs 9G",
        "inception-dsl sweep v4 --vary width=0.5..2:0.01 -o v4.csv",
        "inception-dsl sweep v4 --vary width=0.5,1,2 --plot v4.svg",
    ),
)
@click.argument("spec", metavar="SPEC", **SPEC)
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="Vary this: a,b or first..last:step.",
)
@click.option("--max-macs", callback=amount, metavar="N", help="Leave out more MACs: 600M, 1.5G.")
@click.option("--max-parameters", callback=amount, metavar="N", help="Leave out more parameters.")
@click.option(
    "--min-receptive-field",
    type=click.IntRange(min=1),
    metavar="N",
    help="Leave out smaller ones, in pixels.",
)
@click.option("--front", is_flag=True, help="Print the Pareto front only.")
@click.option(
    "--x",
    default="macs",
    callback=_axis,
    metavar="NAME",
    help="Less of this is better.  [default: macs]",
)
@click.option(
    "--y",
    default="parameters",
    callback=_axis,
    metavar="NAME",
    help="More of this is better.  [default: parameters]",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Write all rows as CSV; print only the front.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE.svg",
    help="Write a plot of all variants and the front.",
)
@click.option("--force", is_flag=True, help="Replace files that have other content.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: all cores]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@partial(spec_options, form=_FORMAT)
def sweep(
    spec: str,
    vary: tuple[str, ...],
    max_macs: int | None,
    max_parameters: int | None,
    min_receptive_field: int | None,
    front: bool,
    x: str,
    y: str,
    out: Path | None,
    plot: Path | None,
    force: bool,
    jobs: int | None,
    as_json: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Compare the costs of all variants of SPEC.

    Every combination of the values of all --vary is compiled; NAME is input, or one that --set
    takes. A variant that is not valid is a row with its first error. The Pareto front (*) has the
    variants with the least of --x for the most of --y: macs, parameters, receptive-field,
    activations or training. With -o, an interrupted sweep goes on if it is run again.
    """
    from ..design.measured import Spec
    from ..design.partial import key
    from ..design.sweep import Limits, Sweep
    from ..diagnostics.report import Report

    report, given = Report(), merged(settings, size)
    variations = _variations(vary)
    if x == y:
        raise UsageError(f"`--x` and `--y` are both `{x}`", "choose another one for `--y`")
    files, order = Files(out, plot, force), Spec(spec_of(spec), None, given)
    limits = Limits(max_macs, max_parameters, min_receptive_field)
    check_settings(order.path, given, dict(variations.varied))
    texts = checked(order, variations.settings(0, given), report)
    files.reject_read(texts)
    own = key(order, variations, texts, limits, (x, y))
    files.check(own, report)
    with closing(files.started(variations, own, report)) as found:
        _run(order, variations, found, jobs, files, limits, report)
        result = Sweep(spec, variations.names, found, limits, x, y)
        if result.counts.failed == result.counts.variants:
            _include_errors(order, variations, found, report)
        if report.ok:  # before printing, which a closed pipe ends
            written = files.write(result, found, own, report)
        if files.partial:
            files.partial.unlink()
        if not report.ok:
            fail(report)
        form = "json" if as_json else chosen_format()
        _print(result, form, written, front=front or out is not None)


def _variations(vary: tuple[str, ...]) -> Variations:
    """What is varied; a usage error if it is not valid."""
    from ..design.variations import VariationError, Variations, variation

    try:
        return Variations([variation(text) for text in vary])
    except VariationError as error:
        raise UsageError(f"invalid value for `--vary`: {error.message}", error.help) from None


def checked(spec: Spec, settings: dict[str, str], report: Report) -> dict[str, str]:
    """The texts of all files of the spec; fails if it has errors that no value can remove."""
    from ..compiler import check_spec
    from ..diagnostics.report import Report

    first, plain = Report(), Report()
    check_spec(spec.path, settings, first, alone=True)
    check_spec(spec.path, spec.settings, plain, alone=True)
    lasting = [
        one
        for one in first.diagnostics
        if one.code in ("E209", "E301", "E310")
        or (one.code.startswith("E1") and not one.span.on_command_line)
    ]
    if lasting:
        report.include(lasting, first.texts)
        fail(report)
    return {**plain.texts, **first.texts}


def _run(
    spec: Spec,
    variations: Variations,
    found: Partial,
    jobs: int | None,
    files: Files,
    limits: Limits,
    report: Report,
) -> None:
    """Compile the variants that are not there yet."""
    from ..design.processes import cores, variants
    from ..diagnostics.signals import stopped_by_signals

    if found.count:
        click.echo(f"resumed: {found.count:,} of {variations.count:,} variants", err=True)
    try:
        with (
            stopped_by_signals(),
            closing(files.finished(variations.names, limits)) as earlier,
            Progress(variations.count) as bar,
            closing(variants(spec, variations, jobs or cores(), found.count)) as chunks,
        ):
            bar.done = found.count
            for chunk in chunks if earlier.compare(found) else ():
                if not earlier.compare(chunk):
                    break
                found.add(chunk)
                for one in chunk:
                    named = zip(variations.names, one.values, strict=True)
                    bar.step(", ".join(f"{name}={value}" for name, value in named))
    except (KeyboardInterrupt, SystemExit):
        files.hint(found)
        raise
    if not earlier.same:
        files.refuse(files.out, found, report)


def _include_errors(spec: Spec, variations: Variations, found: Partial, report: Report) -> None:
    """Add the different errors of the variants, all of which failed."""
    from ..compiler import check_spec
    from ..diagnostics.report import Report

    kinds: dict[tuple[str, str], int] = {}
    for index, one in enumerate(found):
        if len(kinds) < _SHOWN:
            kinds.setdefault((one.code, one.message), index)
    for index in kinds.values():
        own = Report()
        check_spec(spec.path, variations.settings(index, spec.settings), own, alone=True)
        if len(kinds) > 1:  # each has another text of what is varied: none is shown
            for name in variations.names:
                own.texts.pop(f"--set {name}", None)
        report.include(own.diagnostics, own.texts)


def _print(result: Sweep, form: str, written: list[Path], *, front: bool) -> None:
    """Print the rows, and how many there are: in formats for programs, to standard error."""
    if form in ("csv", "json"):
        for part in getattr(result, form)(front=front):
            click.echo(part, nl=False)
    elif form in ("markdown", "latex"):
        click.echo(getattr(result.table(front=front), form)(), nl=False)
    else:
        table = result.table(front=front)
        print_table(lambda style: "\n".join([*table.text(style), ""]))
        return click.echo("\n".join(map(str, (result.counts, *written))))
    return click.echo(result.counts, err=True)
