"""The command line. Every import that takes time stands in the command that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from .diagnostics import Report
    from .plugins import Plugin

OPTIONS = {"help_option_names": ["-h", "--help"]}


def _backend_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from .plugins import installed

    return [CompletionItem(p.name) for p in installed() if p.name.startswith(start)]


def _op_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from .ops import OPS

    return [CompletionItem(name, help=op.summary) for name, op in OPS.items() if name.startswith(start)]


def _settings(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{one!r} is not name=value")
        if name in settings:
            raise click.BadParameter(f"{name!r} is given twice")
        settings[name] = value
    return settings


def _spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads specs."""
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_settings,
        help="Give a parameter or a field another value (fields inside others with dots). May be repeated.",
    )
    size = click.option("--input", "size", metavar="SIZES", help="Another input, channels last: 299x299x3.")
    return setting(size(command))


def _merged(settings: dict[str, str], size: str | None) -> dict[str, str]:
    return settings if size is None else {**settings, "input": size}


def _fail(report: Report) -> None:
    """Print every mistake and leave with 1."""
    click.echo(report.render(), err=True)
    count = len(report.diagnostics)
    click.echo(f"\n{count} error{'' if count == 1 else 's'}", err=True)
    raise click.exceptions.Exit(1)


@click.group(context_settings=OPTIONS)
@click.version_option(__version__, "-V", "--version", prog_name="inception-dsl", message="%(prog)s %(version)s")
def main() -> None:
    """Inception networks from one page of YAML: a spec in, PyTorch or Keras source out."""


@main.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path(), metavar="SPEC...")
@click.option(
    "--backend", "names", multiple=True, metavar="NAME", shell_complete=_backend_names, help="May be repeated."
)
@click.option("--all-backends", is_flag=True, help="Every installed backend that loads (so too without --backend).")
@click.option(
    "--out", default="generated", type=click.Path(path_type=Path), show_default=True, help="Folder to write to."
)
@click.option("--check", is_flag=True, help="Write nothing; print how the files differ, and fail if they do.")
@_spec_options
def build(
    specs: tuple[str, ...],
    names: tuple[str, ...],
    all_backends: bool,
    out: Path,
    check: bool,
    settings: dict[str, str],
    size: str | None,
) -> None:
    """Write the source of every SPEC, as OUT/BACKEND/SPEC.py. One mistake anywhere, and nothing is written."""
    if names and all_backends:
        raise click.UsageError("--backend and --all-backends exclude each other")
    from .build import Order, compare, save
    from .build import build as run
    from .diagnostics import Report

    report = Report()
    files = run(Order(specs, _merged(settings, size), _backends(names, report), out), report)
    if files is None or not report.ok:
        _fail(report)
    elif check:
        click.echo(compare(files, report), nl=False)
    else:
        written = save(files, report)
        for path in files if report.ok else ():
            click.echo(f"{path}{'' if path in written else ' (unchanged)'}")
    if not report.ok:
        _fail(report)


def _backends(names: tuple[str, ...], report: Report) -> list[tuple[Plugin, Any]]:
    """The backends to build for: those asked for, else all that load."""
    from . import plugins
    from .diagnostics import Span

    if names:
        return plugins.chosen(names, report)
    found, broken = plugins.usable()
    for line in broken:
        click.echo(f"warning: {line}", err=True)
    if not found:
        report.error("E501", "no backend is installed that can be used", Span("--all-backends", 1, 1, 1, 2))
    return found


@main.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path(), metavar="SPEC...")
@_spec_options
def check(specs: tuple[str, ...], settings: dict[str, str], size: str | None) -> None:
    """Report every mistake in every SPEC."""
    from .compiler import compile_spec
    from .diagnostics import Report

    report = Report()
    for spec in specs:
        if compile_spec(spec, _merged(settings, size), report) is not None:
            click.echo(f"{spec}: ok")
    if not report.ok:
        _fail(report)


@main.command()
@click.argument("spec", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_spec_options
def summary(spec: str, as_json: bool, settings: dict[str, str], size: str | None) -> None:
    """Print every layer of SPEC with shape, parameters and multiply-adds, and the totals."""
    from .compiler import compile_spec
    from .diagnostics import Report
    from .summary import Summary

    report = Report()
    typed = compile_spec(spec, _merged(settings, size), report)
    if typed is None:
        _fail(report)
    else:
        found = Summary(typed)
        click.echo(_json(found.to_dict()) if as_json else str(found))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def backends(as_json: bool) -> None:
    """List the installed backends; one that is broken with the reason."""
    from .plugins import BrokenPluginError, installed, load

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
        click.echo(_json(rows))
        return
    for row in rows:
        state = f"broken: {row['error']}" if row["error"] else row["title"]
        click.echo(f"{row['name']:12} {row['distribution']} {row['version']}  {state}")
    if not rows:
        click.echo("no backend is installed", err=True)


@main.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors and checkers."""
    from .spec.schema import schema as found

    click.echo(_json(found()))


@main.command()
@click.argument("name", required=False, shell_complete=_op_names)
@click.option("--markdown", is_flag=True, help="The whole language reference, as Markdown.")
def ops(name: str | None, markdown: bool) -> None:
    """List the ops, or describe the one called NAME."""
    from .ops import OPS
    from .reference import describe, markdown_reference

    if markdown:
        click.echo(markdown_reference(), nl=False)
    elif name is None:
        for kind, op in OPS.items():
            click.echo(f"{kind:20} {op.summary}")
    elif name in OPS:
        click.echo(describe(OPS[name]))
    else:
        from .diagnostics import suggestion

        raise click.UsageError(f"there is no op `{name}`; {suggestion(name, OPS, what='ops')}")


@main.command()
@click.argument("name")
@click.option("--out", default=".", type=click.Path(path_type=Path), help="Folder to write to.")
def new(name: str, out: Path) -> None:
    """Write NAME.yaml, a commented spec to start from."""
    from .diagnostics import Report
    from .ops.fields import identifier
    from .starter import starter
    from .write import write_all

    try:
        identifier(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    path = out / f"{name}.yaml"
    if path.exists():
        raise click.UsageError(f"{path} exists already")
    report = Report()
    if not write_all({path: starter(name)}, report):
        _fail(report)
    click.echo(f"{path}  (next: inception-dsl summary {path})")


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
