"""The command that prints what networks are and cost."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from typing import Final

import click

from .colour import print_table
from .given import specs_of
from .help import Command
from .shared import (
    SPEC,
    as_json_text,
    chosen_format,
    fail,
    formats,
    merged,
    spec_options,
    warn,
)
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..design.summary import Summary
    from ..diagnostics.report import Report
    from ..ir.typed import TypedProgram
    from ..language.given import StandardInput

_FORMAT: Final = formats(
    "table",
    "csv",
    "markdown",
    "latex",
    help="Print a table (default), json, csv, markdown or latex.",
)


def _depth(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """A number of levels; ``None`` is the default, and 0 all of them."""
    if value is None:
        return None
    if value == "all":
        return sys.maxsize
    if not (value.isascii() and value.isdigit() and int(value)):
        message = f"invalid value for `--depth`: `{value}`"
        raise UsageError(message, "give a number from 1 up, or `all`")
    return int(value)


@click.command(
    cls=Command,
    examples=(
        "inception-dsl summary net.yaml # one line for each step",
        "inception-dsl summary net.yaml --depth all # all layers",
        "inception-dsl summary v3 --expand mixed_5b # all layers of a step",
        "inception-dsl summary v3 v4 -f latex # networks side by side",
        "inception-dsl summary net.yaml --json # for programs",
        "inception-dsl summary net.yaml --input 299x299x3 # at another input size",
    ),
)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", **SPEC)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; FLOPs are 2 x `macs`.")
@click.option(
    "--depth", callback=_depth, metavar="N", help="Levels to show: a number, or all.  [default: 1]"
)
@click.option(
    "--expand", multiple=True, metavar="NAME", help="Show all layers of this step; repeatable."
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Samples to count the memory of.  [default: 1]",
)
@partial(spec_options, form=_FORMAT)
def summary(
    specs: tuple[str, ...],
    as_json: bool,
    depth: int | None,
    expand: tuple[str, ...],
    batch: int,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Print shapes, parameters, MACs and FLOPs of each SPEC.

    One MAC is one multiply-add; FLOPs = 2 x MACs. Memory is that of the activations in float32.
    Several specs become one table with a line for each. SPEC can be `-`, standard input. If shapes
    have errors, the table ends before the first.
    """
    from ..design.summary import Summary
    from ..diagnostics.report import Report

    report = Report(several=len(specs) > 1)
    form = "json" if as_json else chosen_format()
    given = specs_of(specs, report)
    if len(given) > 1 and (expand or depth):
        raise UsageError(
            "`--depth` and `--expand` need a single SPEC", "leave them out, or name one spec"
        )
    make = partial(Summary, depth=depth, expand=expand, batch=batch)
    found = _summaries(given, report, merged(settings, size, *given), form, make)
    if not report.ok or not found:
        fail(report)
    for name in expand:
        _check_step(name, found[0])
    if form == "json":
        data = [one.to_dict() for one in found]
        click.echo(as_json_text(data if len(given) > 1 else data[0]))
    else:
        _print(found, form)
        warn(report)


def _summaries(
    given: Sequence[str | StandardInput],
    report: Report,
    settings: dict[str, str],
    form: str,
    make: Callable[[TypedProgram], Summary],
) -> list[Summary]:
    """The summaries; of a single spec with an error in shapes, the part before it is printed."""
    from ..compiler import check_spec

    found = []
    for spec in given:
        compiled = check_spec(spec, settings, report, alone=True)
        if compiled.typed is not None:
            found.append(make(compiled.typed))
        elif compiled.part is not None and len(given) == 1 and form in ("text", "table"):
            lines = make(compiled.part).table().text()
            click.echo("\n".join([*lines, "", "The rest has errors.", ""]))
    return found


def _check_step(name: str, found: Summary) -> None:
    """Report a name that is no step."""
    from ..diagnostics.words import suggestion

    names = found.expandable
    if name not in names:
        help = suggestion(name, names, what="steps with layers inside")
        raise UsageError(f"`--expand`: no step `{name}` has layers inside", help)


def _print(found: Sequence[Summary], form: str) -> None:
    """Print one summary, or several in a table."""
    from ..design import comparison

    one, many = found[0], len(found) > 1
    if form == "csv":
        click.echo(comparison.csv(found) if many else one.csv(), nl=False)
        return
    table = comparison.table(found) if many else one.table()
    if form in ("markdown", "latex"):
        click.echo(getattr(table, form)(), nl=False)
    elif many:
        print_table(lambda style: "\n".join(table.text(style)))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        print_table(lambda style: one.render(style, width))
