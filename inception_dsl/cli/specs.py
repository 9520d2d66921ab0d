"""The commands that list the shipped specs and write new ones."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from .colour import print_table
from .help import Command
from .shared import SPEC, as_json_text, fail, format_option, given_root, root_option
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..diagnostics.report import Report

SCHEMAS = ("schema.json", "inception-dsl.schema.json")


@click.command(
    cls=Command,
    examples=("inception-dsl list", "inception-dsl list --json # for programs"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list(as_json: bool) -> None:
    """List the shipped networks and blocks with sizes and sources.

    Commands take their names in place of a file.
    """
    from ..design.catalogue import entries, render

    found = entries()
    if as_json:
        click.echo(as_json_text([entry.to_dict() for entry in found]))
    else:
        print_table(lambda style: render(found, style))


@click.command(
    cls=Command,
    examples=(
        "inception-dsl new my_net # a small network to start from",
        "inception-dsl new my_net --from v4 # changes to a shipped network",
        "inception-dsl new my_net --from v4 --copy # all of it, in one file",
        "inception-dsl new my_net -o specs # writes specs/my_net.yaml",
    ),
)
@click.argument("name")
@click.option(
    "--from", "base", metavar="SPEC", help="Start from a file or a shipped spec (v4).", **SPEC
)
@click.option("--copy", "whole", is_flag=True, help="Copy it with its blocks.")
@click.option(
    "-o",
    "--out",
    default=".",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder to write to.  [default: the current folder]",
)
@root_option
@format_option
def new(name: str, base: str | None, whole: bool, out: Path) -> None:
    """Write NAME.yaml, a commented spec to start from.

    With --from, it extends another spec, or copies it with --copy. Unless there is one, the schema
    for completion and checks in editors is written, too.
    """
    from pydantic_core import PydanticCustomError

    from ..build.write import portable, write_all
    from ..diagnostics.report import Report
    from ..ops.fields.kinds import identifier
    from ..plugins import would_hide

    try:
        identifier(name)
    except PydanticCustomError as error:
        context = error.context or {}
        raise UsageError(error.message(), context["meant"]().help) from None
    if would_hide(name):
        message = f"the generated {name}.py would hide the module `{name}`, which it needs"
        raise UsageError(message, "choose another name")
    if whole and base is None:
        raise UsageError(
            "`--copy` needs `--from`", "name the spec to copy, for example `--from v4`"
        )
    path = out / f"{portable(name)}.yaml"
    if there := _there(path):
        raise UsageError(f"{there} already exists", "choose another name or another `--out`")
    report = Report()
    text, block = _text(name, base, whole, path, report)
    schema, found = _schema(path)
    files = {path: f"# yaml-language-server: $schema={schema}\n{text}", **found}
    if not report.ok or not write_all(files, report):
        fail(report)
    for file in files:
        click.echo(file)
    use, given = f"import: [{path.name}]", given_root()
    root = "" if given is None else f" --root {shlex.quote(given)}"
    for command in ("summary", "build", "verify") if not block else ():
        click.echo(f"next: inception-dsl {command} {path}{root}")
    if block:
        click.echo(f"next: `{use}` and `use: {name}` in a spec beside it")


def _there(path: Path) -> Path | None:
    """The spec that has the name of a new one, also with another suffix (``.yml``)."""
    from ..language.folders import SUFFIXES

    names = (path.with_suffix(suffix) for suffix in SUFFIXES)
    return next((found for found in names if os.path.lexists(found)), None)


def _text(name: str, base: str | None, whole: bool, path: Path, report: Report) -> tuple[str, bool]:
    """The spec without its first line, and whether it is a block that cannot be built alone."""
    from ..design.starter import starter, title_of

    if base is None:
        return starter(name), False
    from ..design.variant import based_on, copy_text, overlay_text, reference

    found = based_on(base, report)
    if found is None:
        return "", False
    if whole:
        text = copy_text(name, title_of(name), found, path, report)
    elif extends := reference(base, path, report):
        text = overlay_text(name, title_of(name), found, extends)
    else:
        text = ""
    return text, found.spec.model.input is None


def _schema(path: Path) -> tuple[str, dict[Path, str]]:
    """The schema that the first line of the spec at ``path`` names, and the file to write for it.

    None is written if the folder, or one above it inside the root, has a schema.
    """
    from ..language.roots import root_of

    folder, root = Path(os.path.realpath(path.parent)), root_of(path)
    for above in (folder, *folder.parents):
        if not above.is_relative_to(root):
            break
        for name in SCHEMAS:
            if _is_schema(above / name):
                return Path(os.path.relpath(above / name, folder)).as_posix(), {}
    from ..language.schema import schema

    free = [name for name in SCHEMAS if not os.path.lexists(path.parent / name)]
    text = f"{as_json_text(schema())}\n"
    return (free or SCHEMAS)[0], {path.parent / name: text for name in free[:1]}


def _is_schema(path: Path) -> bool:
    """Whether ``path`` is a schema of specs, of this or another version."""
    try:
        with path.open("rb") if os.path.isfile(path) else open(os.devnull, "rb") as file:
            return b'"inception-dsl spec"' in file.read(300)
    except OSError:
        return False
