"""The commands that compile specs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .shared import (
    as_json_text,
    backend_names,
    chosen_backends,
    fail,
    format_asked_for,
    format_option,
    merged,
    refuse_link,
    show,
    spec_options,
    warn,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _op_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ..ops import OPS

    return [
        CompletionItem(name, help=op.summary) for name, op in OPS.items() if name.startswith(start)
    ]


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path(), metavar="SPEC...")
@click.option(
    "--backend",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=backend_names,
    help="May be repeated.",
)
@click.option(
    "--all-backends",
    is_flag=True,
    help="Every installed backend that loads (so too without --backend).",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write to.  [default: generated]"
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace files that were not generated or were edited since, and links.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; print how the files differ, and fail if they do."
)
@spec_options
def build(
    specs: tuple[str, ...],
    names: tuple[str, ...],
    all_backends: bool,
    out: Path | None,
    force: bool,
    check: bool,
    settings: dict[str, str],
    size: str | None,
) -> None:
    """Write the source of every SPEC, as OUT/BACKEND/SPEC.py. One mistake anywhere, and nothing is
    written.
    """
    if names and all_backends:
        raise click.UsageError("--backend and --all-backends exclude each other")
    from ..build.build import Order, compare, save
    from ..build.build import build as run
    from ..diagnostics.report import Report

    report = Report()
    folder = out or Path("generated")
    if out is None and not check:
        refuse_link(folder, report)
    files = run(
        Order(specs, merged(settings, size), chosen_backends(names, report), folder), report
    )
    if files is None or not report.ok:
        fail(report)
    elif check:
        click.echo(compare(files, report), nl=False)
    else:
        written = save(files, report, force=force)
        for path in files if report.ok else ():
            click.echo(f"{path}{'' if path in written else ' (unchanged)'}")
    if not report.ok:
        fail(report)
    warn(report)


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path(), metavar="SPEC...")
@click.option("--strict", is_flag=True, help="Leave with 1 where there are warnings, too.")
@spec_options
def check(specs: tuple[str, ...], strict: bool, settings: dict[str, str], size: str | None) -> None:
    """Report every mistake in every SPEC, and warnings.

    In text they go to standard error; in another format they, and nothing else, go to standard
    output.
    """
    from ..compiler import compile_spec
    from ..diagnostics.report import Report
    from ..diagnostics.text import printable

    report = Report()
    for spec in specs:
        if (
            compile_spec(spec, merged(settings, size), report) is not None
            and format_asked_for() == "text"
        ):
            click.echo(f"{printable(spec)}: ok")
    show(report, err=False)
    if not report.ok or (strict and report.warnings):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("spec", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@spec_options
def summary(spec: str, as_json: bool, settings: dict[str, str], size: str | None) -> None:
    """Print every layer of SPEC with shape, parameters and multiply-adds, and the totals."""
    from ..compiler import compile_spec
    from ..design.summary import Summary
    from ..diagnostics.report import Report

    report = Report()
    typed = compile_spec(spec, merged(settings, size), report)
    if typed is None:
        fail(report)
    else:
        found = Summary(typed)
        click.echo(as_json_text(found.to_dict()) if as_json else str(found))
        if not as_json:
            warn(report)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def backends(as_json: bool) -> None:
    """List the installed backends; one that is broken with the reason."""
    from ..diagnostics.text import printable
    from ..plugins import BrokenPluginError, installed, load

    found = installed()
    rows = []
    for plugin in found:
        row = {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        try:
            row |= {"title": load(plugin, found).title, "error": ""}
        except BrokenPluginError as error:
            row |= {"title": "", "error": str(error)}
        rows.append(row)
    if as_json:
        click.echo(as_json_text(rows))
        return
    for row in rows:
        state = f"broken: {row['error']}" if row["error"] else row["title"]
        click.echo(printable(f"{row['name']:12} {row['distribution']} {row['version']}  {state}"))
    if not rows:
        click.echo("no backend is installed", err=True)


@click.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors and checkers."""
    from ..language.schema import schema as found

    click.echo(as_json_text(found()))


@click.command()
@click.argument("name", required=False, shell_complete=_op_names)
@click.option("--markdown", is_flag=True, help="The whole language reference, as Markdown.")
def ops(name: str | None, markdown: bool) -> None:
    """List the ops, or describe the one called NAME."""
    from ..design.guide import describe, markdown_reference
    from ..ops import OPS

    if markdown:
        click.echo(markdown_reference(), nl=False)
    elif name is None:
        for kind, op in OPS.items():
            click.echo(f"{kind:20} {op.summary}")
    elif name in OPS:
        click.echo(describe(OPS[name]))
    else:
        from ..diagnostics.words import suggestion

        raise click.UsageError(f"there is no op `{name}`; {suggestion(name, OPS, what='ops')}")


@click.command()
@click.argument("name")
@click.option("--out", default=".", type=click.Path(path_type=Path), help="Folder to write to.")
@format_option
def new(name: str, out: Path) -> None:
    """Write NAME.yaml, a commented spec to start from."""
    from ..build.write import portable, write_all
    from ..design.starter import starter
    from ..diagnostics.report import Report
    from ..ops.fields.kinds import identifier

    try:
        identifier(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    path = out / f"{portable(name)}.yaml"
    if os.path.exists(path):
        raise click.UsageError(f"{path} exists already")
    report = Report()
    if not write_all({path: starter(name)}, report):
        fail(report)
    click.echo(f"{path}  (next: inception-dsl summary {path})")
