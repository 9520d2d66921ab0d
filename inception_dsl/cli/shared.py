"""What the commands share: the options of every command that reads specs, and how they fail."""

from __future__ import annotations

import os
import sys
from typing import Any, Final, TextIO

import click

FORMATS: Final = ("text", "concise", "json", "github", "sarif")
_FORMAT: Final = f"{__name__}.format"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from ..diagnostics.report import Report
    from ..plugins import Plugin


class Suggesting(click.Group):
    """A group that answers an unknown command with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was asked for; an unknown one gets a suggestion."""
        known = self.list_commands(ctx)
        if not args[0].startswith("-") and args[0] not in known:
            from ..diagnostics.text import printable
            from ..diagnostics.words import suggestion

            help = suggestion(args[0], known, what="commands")
            raise click.UsageError(f"there is no command `{printable(args[0])}`; {help}", ctx)
        return super().resolve_command(ctx, args)


def backend_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    """The installed backends whose names begin so, for completion in a shell."""
    from click.shell_completion import CompletionItem

    from ..plugins import installed

    return [CompletionItem(p.name) for p in installed() if p.name.startswith(start)]


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


def _remember(context: click.Context, _: click.Parameter, name: str) -> None:
    context.meta[_FORMAT] = name


format_option = click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    expose_value=False,
    callback=_remember,
    help="How mistakes and warnings are printed.",
)
"""The option of every command that reports mistakes; :func:`show` heeds it."""


def _root(context: click.Context, _: click.Parameter, folder: str | None) -> None:
    """Every file that is compiled until the command ends, in its own and in child processes, heeds
    the root.
    """
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


root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False),
    expose_value=False,
    callback=_root,
    help="The folder that a spec's files must stand in. [default: of .inception-dsl-root, or "
    "the spec's]",
)


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads specs."""
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_settings,
        help="Give a parameter or a field another value (fields inside others with dots). May "
        "be repeated.",
    )
    size = click.option(
        "--input", "size", metavar="SIZES", help="Another input, channels last: 299x299x3."
    )
    return setting(size(root_option(format_option(command))))


def merged(settings: dict[str, str], size: str | None) -> dict[str, str]:
    return settings if size is None else {**settings, "input": size}


def format_asked_for() -> str:
    """The value of ``--format`` in the command that runs."""
    return str(click.get_current_context().meta.get(_FORMAT, "text"))


def show(report: Report, *, err: bool = True) -> None:
    """Print every mistake and warning in the format asked for; text always to standard error."""
    name = format_asked_for()
    if name != "text":
        from .. import __version__
        from ..diagnostics.formats import FORMATS

        text = FORMATS[name](report, __version__)
        return click.echo(text, err=err, nl=bool(text))
    if report.diagnostics or report.warnings:
        from ..diagnostics.report import COLOURED, PLAIN

        colour = coloured(sys.stderr)
        text = f"{report.render(COLOURED if colour else PLAIN)}\n\n{report.counted()}"
        click.echo(text, err=True, color=colour)
    return None


def warn(report: Report) -> None:
    """Print what is in the report of a command that succeeds."""
    if report.warnings:
        show(report)


def coloured(stream: TextIO) -> bool:
    """Whether to colour: on a terminal unless ``NO_COLOR`` is set; always with ``FORCE_COLOR``."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def refuse_link(path: Path, report: Report) -> None:
    """Leave with a mistake where ``path``, which nobody has named, is a link: it leads where
    whoever laid it likes.
    """
    if os.path.islink(path):
        from ..diagnostics.report import Span

        message = f"{path} is a link, and nothing is written through one that is not named"
        report.error(
            "E601",
            message,
            Span(str(path), 1, 1, 1, 2),
            help="name it, or where it leads, with `--out`",
        )
        fail(report)


def fail(report: Report) -> None:
    """Print every mistake and leave with 1."""
    show(report)
    raise click.exceptions.Exit(1)


def need_packages(report: Report, names: Sequence[str] = ("numpy", "safetensors")) -> None:
    """Leave with what to install where a package is missing that weights need."""
    import importlib

    from ..diagnostics.report import Span

    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            help = "pip install 'inception-dsl[weights]'"
            report.error(
                "E705",
                f"the package `{name}` cannot be used: {error}",
                Span(name, 1, 1, 1, 2),
                help=help,
            )
    if not report.ok:
        fail(report)


def chosen_backends(names: tuple[str, ...], report: Report) -> list[tuple[Plugin, Any]]:
    """The backends to build for: those asked for, else all that load."""
    from .. import plugins
    from ..diagnostics.report import Span

    if names:
        return plugins.chosen(names, report)
    found, broken = plugins.usable()
    for line in broken:
        click.echo(f"warning: {line}", err=True)
    if not found:
        report.error(
            "E501", "no backend is installed that can be used", Span("--all-backends", 1, 1, 1, 2)
        )
    return found


def as_json_text(value: Any) -> str:
    """A value as the commands print JSON."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
