"""The command that rewrites a spec with a move of the papers."""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path
from typing import Final

import click

from .colour import print_table
from .help import Command
from .shared import SPEC, as_json_text, fail, merged, spec_options
from .usage import UsageError

_STANDARD: Final = "-"
"""The standard output, as a file."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

    from ..design.rewrites.attempt import Spec
    from ..design.rewrites.moves import Moves
    from ..design.rewrites.rewriting import Rewritten
    from ..design.rewrites.rule import Rule
    from ..diagnostics.report import Report


def _rules(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    """The names of the rules that start with ``start``, for shell completion."""
    from click.shell_completion import CompletionItem

    from ..design.rewrites import RULES

    names = [rule.name for rule in RULES if rule.name.startswith(start)]
    return [CompletionItem(name) for name in names]


@click.command(
    cls=Command,
    examples=(
        "inception-dsl rewrite v3 # the rules that apply",
        "inception-dsl rewrite v3 factorise-5x5 # the change as a diff",
        "inception-dsl rewrite v3 asymmetric --at inception_v3_a -o new.yaml",
        "inception-dsl rewrite net.yaml asymmetric --with filters=64 --in-place",
    ),
)
@click.argument("spec", **SPEC)
@click.argument("rule", required=False, metavar="[RULE]", shell_complete=_rules)
@click.option(
    "--at",
    multiple=True,
    metavar="PATH",
    help="Only steps at or below PATH (`*`: any name); repeatable.",
)
@click.option(
    "--with",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set an option of the rule, such as filters; repeatable.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Write the new spec to FILE; `-` is standard output.",
)
@click.option("--in-place", is_flag=True, help="Write the changes to the files of the spec.")
@click.option("--force", is_flag=True, help="Overwrite the file of --out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the new texts.")
@spec_options
def rewrite(
    spec: str,
    rule: str | None,
    at: tuple[str, ...],
    options: tuple[str, ...],
    out: str | None,
    in_place: bool,
    force: bool,
    as_json: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Edit steps of SPEC by a rule of the papers; print the savings.

    RULE is applied wherever it can be, or at PATH: a path that `summary` or `diff` prints, or a
    block. Comments and layout stay. Without RULE, all rules that apply are listed. Nothing is
    written without --out or --in-place: the changes are printed as a diff.
    """
    from ..design.rewrites.attempt import Spec
    from ..design.rewrites.moves import Moves
    from ..design.rewrites.rewriting import rewritten
    from ..diagnostics.report import Report

    report = Report()
    if rule is None:
        if at or options or out is not None or in_place or force:
            raise UsageError(
                "these options need a RULE", f"`inception-dsl rewrite {spec}` lists them"
            )
        listed = Spec(spec, merged(settings, size, spec), report)
        return fail(report) if listed.typed is None else _print(Moves(listed), as_json)
    chosen, values = _chosen(rule, options)
    _check(spec, out, in_place, force, as_json)
    given = Spec(spec, merged(settings, size, spec), report, target=_target(spec, out))
    _check_read(given, out)
    result = rewritten(given, chosen, at, values, report)
    if result is None:
        return fail(report)
    if out == _STANDARD:
        click.echo(_bytes(result.text, given.file), nl=False)
    elif out or in_place:
        _write(result, given.file if out else None, force or in_place, report)
    _print(result, as_json, err=out == _STANDARD)
    if not as_json and not (out or in_place):
        for path, reason in result.only_in_place:
            click.echo(f"note: only `--in-place` can rewrite `{path}`; with `-o`, {reason}")
        click.echo(f"\n{result.diff()}", nl=False)
    return None


def _chosen(name: str, options: tuple[str, ...]) -> tuple[Rule, Mapping[str, object]]:
    """The rule with this name, and the values of its options."""
    from ..design.rewrites import rule_named

    try:
        rule = rule_named(name)
    except ValueError as error:
        message, _, help = str(error).partition("\n")
        raise UsageError(message, help) from None
    given: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            message = f"invalid value for `--with`: expected NAME=VALUE, got `{option}`"
            raise UsageError(message, "example: `--with filters=64`")
        if key in given:
            raise UsageError(f"`{key}` is set more than once by `--with`", "remove all but one")
        given[key] = value
    try:
        return rule, rule.read(given)
    except ValueError as error:
        message, _, help = str(error).partition("\n")
        raise UsageError(f"invalid value for `--with`: {message}", help) from None


def _check(spec: str, out: str | None, in_place: bool, force: bool, as_json: bool) -> None:
    """Reject options that contradict each other, and a file that would be overwritten."""
    from ..language.shipped import meant

    if out is not None and in_place:
        raise UsageError("`--out` and `--in-place` exclude each other", "leave one of them out")
    if force and out is None:
        raise UsageError("`--force` is for the file of `--out`", "add `-o FILE`, or leave it out")
    if in_place and meant(spec) is not None:
        raise UsageError(f"the shipped spec `{spec}` is read-only", "write a new one: `-o FILE`")
    if out == _STANDARD:
        if as_json:
            help = "leave out `-o -`: the JSON has the text"
            raise UsageError("`--json` and `-o -` both print to standard output", help)
    elif out is not None:
        _check_file(out, force)


def _check_file(named: str, force: bool) -> None:
    """Reject a file that would be overwritten, and what is no file."""
    out = os.path.normpath(named)
    if os.path.isdir(out) or named.endswith(("/", os.sep)):
        raise UsageError(f"{out} is a folder", "name the file: `-o FILE`")
    if os.path.exists(out) and not os.path.isfile(out):
        help = "name another file, or print the spec with `-o -`"
        raise UsageError(f"{out} is not a regular file", help)
    if not force and os.path.lexists(out):
        raise UsageError(f"{out} already exists", "choose another name, or add `--force`")


def _check_read(spec: Spec, out: str | None) -> None:
    """Reject a file that the spec imports or extends: others may need what is in it."""
    for file in spec.texts if out not in (None, _STANDARD) else ():
        if file != spec.file and _same(file, str(out)):
            message = f"{out} would replace a file that the spec reads"
            raise UsageError(message, "name another file, or change both with `--in-place`")


def _same(file: str, other: str) -> bool:
    """Whether two names are of one file that exists."""
    try:
        return os.path.samefile(file, other)
    except OSError:
        return False


def _target(spec: str, out: str | None) -> str | None:
    """The file that gets the result; what is printed is for one in the current folder."""
    from ..language.shipped import meant

    if out != _STANDARD:
        return out and os.path.normpath(out)
    name = meant(spec)
    return os.path.basename(spec) if name is None else f"{os.path.basename(name)}.yaml"


def _write(result: Rewritten, source: str | None, force: bool, report: Report) -> None:
    """Write all files: a new one, with the byte order mark of its source, or those that change."""
    from ..build.write import followed, write_all

    files = {
        followed(Path(file)): _bytes(text, source or file) for file, text in result.files.items()
    }
    if not write_all(files, report, force=force):
        fail(report)
    for file in files:
        click.echo(file, err=True)


def _bytes(text: str, source: str) -> bytes:
    """The bytes of a file; it begins with a byte order mark if the file ``source`` does."""
    from ..build.write import contents

    try:
        mark = contents(Path(source)).startswith(codecs.BOM_UTF8)
    except OSError:
        mark = False
    return codecs.BOM_UTF8 * mark + text.encode()


def _print(found: Rewritten | Moves, as_json: bool, *, err: bool = False) -> None:
    if as_json:
        click.echo(as_json_text(found.to_dict()))
    else:
        print_table(found.render, err=err)
    sys.stdout.flush()
