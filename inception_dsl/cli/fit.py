"""The command that finds the largest network within a budget."""

from __future__ import annotations

from functools import partial
from typing import Final

import click

from .colour import print_table
from .given import spec_of
from .help import Command
from .progress import Progress
from .shared import (
    SPEC,
    as_json_text,
    check_settings,
    chosen_format,
    fail,
    formats,
    given_root,
    merged,
    spec_options,
)
from .sweep import amount, checked
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..design.fit import Fit, Range
    from ..design.measured import Spec
    from ..diagnostics.report import Report

_FORMAT: Final = formats(
    "markdown", "latex", help="Print a text (default), json, markdown or latex."
)
_TRIES: Final = 60
"""About as many values are tried, for the progress bar."""


@click.command(
    cls=Command,
    examples=(
        "inception-dsl fit v4 --macs 600M --vary width",
        "inception-dsl fit v4 --parameters 10M --vary width=0.25..2",
        "inception-dsl fit v4 --macs 9G --vary body.2.repeat=1..20",
        "inception-dsl fit v4 --macs 2G --vary input",
    ),
)
@click.argument("spec", metavar="SPEC", **SPEC)
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="NAME[=RANGE]",
    help="What to vary; RANGE is first..last:step.",
)
@click.option("--macs", callback=amount, metavar="N", help="The most MACs: 600M, 1.5G.")
@click.option("--parameters", callback=amount, metavar="N", help="The most parameters: 10M.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@partial(spec_options, form=_FORMAT)
def fit(
    spec: str,
    vary: tuple[str, ...],
    macs: int | None,
    parameters: int | None,
    as_json: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Find the largest value with which SPEC fits into a budget.

    NAME is input, or one that --set takes. The next larger value is printed too. The default
    range is 0.01..8:0.01 for width and float parameters, and 1..4096 for others. Exit status: 0 if
    a value fits, else 1.
    """
    from ..design.fit import fit as found
    from ..design.measured import Spec
    from ..design.sweep import Limits
    from ..diagnostics.report import Report

    report, given = Report(), merged(settings, size)
    if macs is None and parameters is None:
        raise UsageError("missing option `--macs` or `--parameters`", "example: `--macs 600M`")
    if len(vary) > 1:
        help = "`fit` varies one; `sweep` varies several"
        raise UsageError(f"`--vary` is given {len(vary)} times", help)
    order = Spec(spec_of(spec), given_root(), given)
    varied = _range(vary[0], order)
    check_settings(order.path, given, dict([varied]))
    checked(order, {**given, varied.name: varied.values[-1]}, report)
    with Progress(_TRIES) as bar:
        result = found(order, varied, Limits(macs, parameters), bar.step)
    if not result and result.above is None:
        _fail(order, varied, report)
    _print(result, "json" if as_json else chosen_format())
    if not result:
        raise click.exceptions.Exit(1)


def _range(vary: str, spec: Spec) -> Range:
    """What is varied; a usage error if it is not valid."""
    from ..design.fit import range_of
    from ..design.variations import VariationError

    try:
        return range_of(vary, spec)
    except VariationError as error:
        raise UsageError(f"invalid value for `--vary`: {error.message}", error.help) from None


def _fail(spec: Spec, varied: Range, report: Report) -> None:
    """Report why no value is valid."""
    from ..compiler import check_spec

    settings = {**spec.settings, varied.name: varied.values[0]}
    check_spec(spec.path, settings, report, alone=True)
    fail(report)


def _print(found: Fit, form: str) -> None:
    """Print what was found; that nothing fits is said on standard error."""
    if form == "json":
        click.echo(as_json_text(found.to_dict()))
    elif form in ("markdown", "latex"):
        click.echo(getattr(found.table(), form)(), nl=False)
    else:
        print_table(lambda style: "\n".join([*found.table().text(style), ""]))
        if found:
            click.echo(f"{found.sentence()}\n{found.command}")
    if not found:
        click.echo(f"error: {found.sentence()}", err=True)
