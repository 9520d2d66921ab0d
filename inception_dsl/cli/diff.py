"""The command that compares two networks."""

from __future__ import annotations

import difflib
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

import click

from .colour import print_table
from .given import spec_of
from .help import Command
from .shared import SPEC, as_json_text, chosen_format, formats, merged, show, spec_options
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..design.compared import Difference
    from ..diagnostics.report import Report
    from ..ir.typed import TypedProgram

_FORMAT: Final = formats(
    "markdown", "latex", help="Print a text (default), json, markdown or latex."
)
_DRIVEN: Final = 7
"""The arguments that git gives to a diff driver: PATH, then file, id and mode of both sides."""


@click.command(
    cls=Command,
    examples=(
        "inception-dsl diff v3 published/keras_inception_v3 # what Keras changed",
        "inception-dsl diff v3 v4 -f latex # tables for a paper",
        "inception-dsl diff HEAD:net.yaml net.yaml # since the last commit",
    ),
)
@click.argument("specs", nargs=-1, required=True, metavar="OLD NEW", **SPEC)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--driver", is_flag=True, help="Take the arguments of git's diff drivers.")
@partial(spec_options, form=_FORMAT)
def diff(
    specs: tuple[str, ...],
    as_json: bool,
    driver: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Print what differs between the networks OLD and NEW.

    They are files, shipped specs, or specs of a git revision: REVISION:PATH, or :PATH for what is
    staged. A change in a block is one change, however often the block is used. Exit status: 0 if
    the networks are the same, 1 if they differ, 2 on errors.
    """
    from ..diagnostics.report import Report

    if driver:
        return _drive(specs)
    if len(specs) != 2:
        raise UsageError(f"expected two specs, got {len(specs)}", "give OLD and NEW")
    report, given = Report(), merged(settings, size, *specs)
    old, new = (_compiled(spec, given, report) for spec in specs)
    found = _difference(old, new, (specs[0], specs[1]), report)
    form = "json" if as_json else chosen_format()
    if form == "json":
        click.echo(as_json_text(found.to_dict()))
    elif form in ("markdown", "latex"):
        click.echo("\n".join(getattr(table, form)() for table in found.tables()), nl=False)
    else:
        print_table(found.render)
    raise click.exceptions.Exit(int(bool(found)))


def _difference(
    old: TypedProgram | None, new: TypedProgram | None, names: tuple[str, str], report: Report
) -> Difference:
    from ..design.compared import Difference

    if old is None or new is None:
        show(report)
        raise click.exceptions.Exit(2)
    return Difference(old, new, names)


def _compiled(spec: str, settings: dict[str, str], report: Report) -> TypedProgram | None:
    """The typed program of a spec, or ``None`` with errors.

    Warnings are left out: they are no differences.
    """
    from ..design.sides import compiled
    from ..diagnostics.report import Report

    own = Report()
    typed = compiled(spec_of(spec), settings, own)
    report.include(own.diagnostics, own.texts)
    return typed


def _drive(arguments: tuple[str, ...]) -> None:
    """Print the difference for git, which stops if the status is not 0."""
    from ..compiler import compile_spec
    from ..diagnostics.report import Report
    from ..language.revisions import with_changed

    if len(arguments) < _DRIVEN:
        raise UsageError(
            "`--driver` is for git only",
            "git config diff.spec.command 'inception-dsl diff --driver'",
        )
    path, sides = arguments[0], []
    files = {"old": arguments[1], "new": arguments[4]}
    for name, file in files.items():
        if file == "/dev/null":
            return click.echo(f"{path}: {'added' if name == 'old' else 'deleted'}")
        with tempfile.TemporaryDirectory(prefix="inception-dsl-") as folder:
            try:
                spec = with_changed(path, Path(file), Path(folder).resolve())
                sides.append(compile_spec(spec, {}, Report(), folder))
            except (OSError, subprocess.CalledProcessError):
                sides.append(None)
    click.echo(f"{path}:")
    old, new = sides
    if old is None or new is None:  # a block, another YAML file, or a spec with errors
        return click.echo(_text_difference(path, files), nl=False)
    return print_table(_difference(old, new, ("old", "new"), Report()).render)


def _text_difference(path: str, files: dict[str, str]) -> str:
    """The lines that differ, as git shows them."""
    old, new = (Path(f).read_text("utf-8", "replace").splitlines(True) for f in files.values())
    return "".join(difflib.unified_diff(old, new, f"{path} (old)", f"{path} (new)"))
