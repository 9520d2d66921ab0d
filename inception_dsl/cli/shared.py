"""Options and output that several commands share."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import click

from .colour import coloured, style_of
from .help import SharedOption

FORMATS: Final = ("text", "concise", "json", "github", "sarif")
_FORMAT: Final = f"{__name__}.format"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from ..diagnostics.report import Report


def spec_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    """The shipped specs and the YAML files that start with ``start``, for shell completion.

    bash leaves out what is before a file, and completes files itself only if there is nothing else.
    """
    from glob import escape, glob

    from click.shell_completion import CompletionItem

    from ..language.shipped import names

    shipped = [name for name in names() if name.startswith(start)]
    files = sorted(glob(f"{escape(start)}*.y*ml")) if shipped else []
    return [CompletionItem(start, type="file"), *map(CompletionItem, (*shipped, *files))]


SPEC: Final[dict[str, Any]] = {"type": click.Path(readable=False), "shell_complete": spec_names}
"""The options of click for an argument that is a spec: a file, or the name of a shipped one."""


def _settings(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise _bad_setting(f"expected NAME=VALUE, got `{one}`", "example: `--set classes=10`")
        if name in settings:
            raise _bad_setting(f"`{name}` is set more than once", "remove all but one")
        settings[name] = value
    return settings


def _bad_setting(message: str, help: str) -> click.UsageError:
    from .usage import UsageError

    return UsageError(f"invalid value for `--set`: {message}", help)


def _remember(context: click.Context, _: click.Parameter, name: str) -> None:
    context.meta[_FORMAT] = name


def formats(*more: str, help: str, cls: type[click.Option] = click.Option) -> Callable[..., Any]:
    """The option of a command that reports diagnostics; :func:`show` reads it.

    With a format of ``more``, the errors are text.
    """
    return click.option(
        "-f",
        "--format",
        cls=cls,
        type=click.Choice((*FORMATS, *more)),
        default="text",
        metavar="NAME",
        expose_value=False,
        callback=_remember,
        help=help,
    )


format_option = formats(
    help="Errors as text (default), concise, json, github or sarif.", cls=SharedOption
)


def _root(context: click.Context, _: click.Parameter, folder: str | None) -> None:
    """Set the root for this command and its child processes, by an environment variable."""
    if folder is None:
        return
    from ..language.roots import VARIABLE

    before = os.environ.get(VARIABLE)

    def restore() -> None:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before

    context.call_on_close(restore)
    os.environ[VARIABLE] = os.path.abspath(folder)


def given_root() -> str | None:
    """The value of ``--root`` in the current command; ``None`` if it is not given there."""
    from ..language.roots import VARIABLE

    source = click.get_current_context().get_parameter_source("root")
    return os.environ[VARIABLE] if source is click.core.ParameterSource.COMMANDLINE else None


root_option = click.option(
    "--root",
    cls=SharedOption,
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    expose_value=False,
    callback=_root,
    help="Project folder; reject imports from outside it.",
)


def spec_options(
    command: Callable[..., Any], form: Callable[..., Any] = format_option
) -> Callable[..., Any]:
    """Add the options of every command that reads specs; ``form`` is that of the format."""
    setting = click.option(
        "--set",
        "settings",
        cls=SharedOption,
        multiple=True,
        metavar="NAME=VALUE",
        callback=_settings,
        help="Set a parameter or field (a.b if nested); repeatable.",
    )
    size = click.option(
        "--input",
        "size",
        cls=SharedOption,
        multiple=True,
        metavar="SIZES",
        callback=_input,
        help="Input size, channels last: 299x299x3, NAME=9x9x3 or 299.",
    )
    made: Callable[..., Any] = setting(size(root_option(form(command))))
    return made


def _input(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """The settings of ``--input``: the sizes of the input, or of inputs by name."""
    from .usage import UsageError

    found: dict[str, str] = {}
    for value in values:
        name, named, sizes = value.partition("=")
        field = f"input.{name}" if named else "input"
        if found.keys() & {field, "input"} or (found and not named):
            message = "invalid value for `--input`: the sizes are set more than once"
            raise UsageError(message, "give the sizes once, or once for each input: `NAME=SIZES`")
        found[field] = sizes if named else value
    return found


def merged(
    settings: dict[str, str], size: dict[str, str], *specs: str | os.PathLike[str]
) -> dict[str, str]:
    """The settings of ``--set`` with those of ``--input``; each has an effect on all ``specs``."""
    for name in settings.keys() & size.keys():
        from .usage import UsageError

        raise UsageError(f"`{name}` is set by `--set` and by `--input`", "remove one")
    found = {**settings, **size}
    for spec in specs if len(found) > 1 else ():
        check_settings(spec, found, {})
    return found


def check_settings(
    spec: str | os.PathLike[str], settings: Mapping[str, str], varied: Mapping[str, Sequence[str]]
) -> None:
    """A usage error if a setting would be lost, as a later one sets the same field of the spec."""
    from ..language.overridden import OverriddenError, reject_overridden
    from .usage import UsageError

    try:
        reject_overridden(spec, settings, varied)
    except OverriddenError as error:
        raise UsageError(str(error), "remove one, or set only what differs") from None


def chosen_format() -> str:
    """The value of ``--format`` in the current command."""
    return str(click.get_current_context().meta.get(_FORMAT, "text"))


def show(report: Report, *, err: bool = True) -> None:
    """Print all errors and warnings in the chosen format; text always to standard error."""
    if report.failures and click.get_current_context().find_root().params.get("debug"):
        from traceback import format_exception

        for error in report.failures:
            click.echo("".join(format_exception(error)), err=True, nl=False)
    name = chosen_format()
    if name in FORMATS[1:]:
        from .. import __version__
        from ..diagnostics.formats import FORMATS as WRITERS

        text = WRITERS[name](report, __version__)
        return click.echo(text, err=err, nl=bool(text))
    if report.diagnostics or report.warnings:
        text = f"{report.render(style_of(sys.stderr))}\n\n{report.counted()}"
        click.echo(text, err=True, color=coloured(sys.stderr))
    return None


def warn(report: Report) -> None:
    """Print the warnings of a command that succeeds."""
    if report.warnings:
        show(report)


def reject_link(path: Path, report: Report) -> None:
    """Exit with an error if the default output ``path`` is a symbolic link.

    A link could redirect the output to any file, and the user did not name it.
    """
    if os.path.islink(path):
        from ..diagnostics.report import Span

        message = f"the default output {path} is a symbolic link"
        report.error(
            "E601",
            message,
            Span(str(path), 1, 1, 1, 2),
            help="name the output with `--out`, or remove the link",
        )
        fail(report)


def fail(report: Report) -> None:
    """Print all errors and exit with status 1."""
    show(report)
    raise click.exceptions.Exit(1)


def need_packages(
    report: Report, names: Sequence[str] = ("numpy", "safetensors"), extra: str = "weights"
) -> None:
    """Exit with an error that says which extra to install if one of its packages is missing."""
    import importlib

    from ..diagnostics.report import Span
    from ..diagnostics.words import listed

    reasons: dict[str, str] = {}
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            reasons[f"`{name}`"] = str(error)
    if reasons:
        what = f"the package{'s' * (len(reasons) > 1)} {listed([*reasons])}"
        message = f"cannot import {what}: {next(iter(reasons.values()))}"
        help = f"pip install 'inception-dsl[{extra}]'"
        report.error("E705", message, Span(next(iter(reasons)).strip("`"), 1, 1, 1, 2), help=help)
        fail(report)


def as_json_text(value: Any) -> str:
    """A value as indented JSON."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
