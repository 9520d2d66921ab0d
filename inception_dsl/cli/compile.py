"""The commands that compile specs."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import click

from .backends import backend_names, backend_options, chosen_backends, option_names
from .colour import print_table
from .given import spec_of, specs_of
from .help import Command
from .progress import Progress
from .shared import (
    SPEC,
    as_json_text,
    chosen_format,
    fail,
    merged,
    reject_link,
    show,
    spec_options,
    warn,
)
from .usage import UsageError

_LISTED: Final = 4
TYPE_CHECKING = False
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..backend import Backend
    from ..diagnostics.report import Report
    from ..language.given import StandardInput
    from ..plugins import Plugin


def _op_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ..ops import OPS

    return [
        CompletionItem(name, help=op.summary) for name, op in OPS.items() if name.startswith(start)
    ]


@click.command(
    cls=Command,
    examples=(
        "inception-dsl build net.yaml # all backends, to generated/",
        "inception-dsl build net.yaml -b torch # PyTorch only",
        "inception-dsl build net.yaml --documents # figures and tables",
        "inception-dsl build v3 --train # with training scripts",
        "inception-dsl build *.yaml -o src/models # another folder",
        "inception-dsl build net.yaml --set classes=10 # another number of classes",
        "inception-dsl build net.yaml --check # for CI: are files current?",
        "inception-dsl build specs --check # the built specs of a folder",
    ),
)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", **SPEC)
@click.option(
    "-b",
    "--backend",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=backend_names,
    help="Backend to build for, such as torch or svg; repeatable.",
)
@click.option("--all-backends", is_flag=True, help="All that write source (the default).")
@click.option("--documents", is_flag=True, help="All that write figures and tables.")
@click.option("--train", is_flag=True, help="Also scripts that train by the spec's recipe.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=option_names,
    help="Option of a backend (see `backends`); repeatable.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder to write to.  [default: generated]",
)
@click.option("--force", is_flag=True, help="Also replace edited files, foreign files and links.")
@click.option("--check", is_flag=True, help="Write nothing; print a diff and fail if files differ.")
@spec_options
def build(
    specs: tuple[str, ...],
    names: tuple[str, ...],
    all_backends: bool,
    documents: bool,
    train: bool,
    options: tuple[str, ...],
    out: Path | None,
    force: bool,
    check: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Write PyTorch and Keras source, figures and tables for each SPEC.

    The files are FOLDER/BACKEND/SPEC.py; figures and tables are written only if they are asked for,
    by name or with --documents. If any spec has an error, nothing is written. `-` is
    standard input. With --check, SPEC can be a folder, and the backends are those that FOLDER was
    built with.
    """
    if names and all_backends:
        raise UsageError("`--backend` and `--all-backends` cannot be used together")
    from ..build.build import Order, compare, in_use, save
    from ..build.build import build as run
    from ..diagnostics.report import Report

    report = Report(several=len(specs) > 1)
    folder = out or Path("generated")
    if out is None and not check:
        reject_link(folder, report)
    every = check and not (names or all_backends or documents)  # that the folder was built with
    kinds = {"source": all_backends or every, "documents": documents or every}
    backends = chosen_backends(names, report, **kinds)
    if every:
        backends = in_use(backends, folder)
    chosen = backend_options(options, [backend for _, backend in backends])
    given = _built(specs, backends, out, report) if check else [*map(spec_of, specs)]
    scripts = train or (None if check else False)
    order = Order(given, merged(settings, size, *given), backends, folder, chosen, scripts)
    with Progress(len(given)) as bar:
        files = run(order, report, bar.step)
    if files is None or not report.ok:
        fail(report)
    elif check:
        click.echo(compare(files, report), nl=False)
    else:
        _list(files, save(files, report, force=force), report)
    if not report.ok:
        fail(report)
    warn(report)


def _built(
    specs: tuple[str, ...], backends: list[tuple[Plugin, Backend]], out: Path | None, report: Report
) -> list[str | StandardInput]:
    """The specs, and of folders those that were built."""
    from ..build.build import built

    folder = out or Path("generated")
    none = (f"no spec of the folder was built to {folder}", _built_with(specs, out))
    return specs_of(specs, report, wanted=lambda path: built(path, backends, folder), none=none)


def _list(files: Mapping[Path, str | bytes], written: Collection[Path], report: Report) -> None:
    """Print the files of a build that succeeds, and warn of those of earlier builds."""
    from ..build.build import UNMADE, unmade

    if not report.ok:
        return
    for path in files:
        click.echo(f"{path}{'' if path in written else ' (unchanged)'}")
    for path in unmade(files):
        click.echo(f"warning: {path} {UNMADE}; remove it", err=True)


@click.command(
    cls=Command,
    examples=(
        "inception-dsl check net.yaml # errors and warnings of one spec",
        "inception-dsl check specs --strict # a folder; warnings fail as well",
        "inception-dsl check net.yaml -f json # for programs",
    ),
)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", **SPEC)
@click.option("--strict", is_flag=True, help="Exit with status 1 on warnings as well.")
@click.option("--only-specs", is_flag=True, help="Pass over files that do not name themselves one.")
@spec_options
def check(
    specs: tuple[str, ...],
    strict: bool,
    only_specs: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """List all errors and warnings of each SPEC.

    SPEC can be a folder, of which all specs are checked, or `-` for standard input. Of a block,
    what depends on parameters without a value is not checked. Errors go to standard error as text,
    in other formats to standard output.
    """
    from ..compiler import check_spec
    from ..diagnostics.report import Report
    from ..diagnostics.text import printable

    report = Report()
    given = specs_of(specs, report, only=only_specs)
    changes = merged(settings, size, *given)
    with Progress(len(given)) as bar:
        for spec in given:
            name = os.fspath(spec)
            bar.step(name)
            own, errors = Report(several=len(given) > 1), len(report.diagnostics)
            found = check_spec(spec, changes, own)
            report.include([*own.diagnostics, *own.warnings], own.texts)
            result = f"ok{_unchecked(found.unset)}"
            if not own.ok:  # errors that several specs have are reported once
                result = "" if len(report.diagnostics) > errors else f"failed ({_known(own)})"
            elif strict and own.warnings:
                result = "failed (--strict)"
            if result and chosen_format() == "text":
                bar.erase()
                click.echo(f"{printable(name)}: {result}")
    show(report, err=False)
    if not report.ok or (strict and report.warnings):
        raise click.exceptions.Exit(1)


def _known(report: Report) -> str:
    """Where the errors of a spec are that another spec has, too."""
    if all(one.span.on_command_line for one in report.diagnostics):
        return "the same errors in settings as another spec"
    return "errors in a file of another spec"


def _built_with(specs: tuple[str, ...], out: Path | None) -> str:
    """The command that builds the specs of folders."""
    names = [f"{os.path.normpath(s)}/*.yaml" if os.path.isdir(s) else s for s in specs]
    options = [] if out is None else [f"--out {out}"]
    return f"build them first: `inception-dsl build {' '.join([*names, *options])}`"


def _unchecked(unset: tuple[str, ...]) -> str:
    """What the check of a block leaves out, without these parameters or its input."""
    if not unset:
        return ""
    names = ["the input" if name == "input" else f"`{name}`" for name in unset]
    some = names if len(names) <= _LISTED else [*names[: _LISTED - 1], "others"]
    listed = " or ".join(filter(None, (", ".join(some[:-1]), some[-1])))
    return f" (not checked: warnings, and what depends on {listed})"


@click.command(
    cls=Command,
    examples=("inception-dsl schema > schema.json # for the YAML plugin of an editor",),
)
def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    from ..language.schema import schema as found

    click.echo(as_json_text(found()))


@click.command(
    cls=Command,
    examples=(
        "inception-dsl ops # all ops, one line each",
        "inception-dsl ops conv_bn # fields, defaults and an example",
    ),
)
@click.argument("name", required=False, shell_complete=_op_names)
@click.option("--markdown", is_flag=True, help="Print the whole language guide as Markdown.")
def ops(name: str | None, markdown: bool) -> None:
    """List all ops, or describe the op NAME."""
    from ..design.guide import describe, markdown_reference
    from ..ops import OPS

    if markdown:
        click.echo(markdown_reference(), nl=False)
    elif name is None:
        lines = [(f"{kind:20}", op.summary) for kind, op in OPS.items()]
        print_table(lambda style: "\n".join(f"{style.strong(k)} {text}" for k, text in lines))
    elif name in OPS:
        click.echo(describe(OPS[name]))
    else:
        from ..diagnostics.words import suggestion

        raise UsageError(f"unknown op `{name}`", suggestion(name, OPS, what="ops"))
