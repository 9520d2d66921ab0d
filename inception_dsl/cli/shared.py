"""What the commands share: the options of every command that reads specs, and how they fail."""

from __future__ import annotations

from typing import Any

import click

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from ..diagnostics import Report
    from ..plugins import Plugin


def backend_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
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


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
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


def merged(settings: dict[str, str], size: str | None) -> dict[str, str]:
    return settings if size is None else {**settings, "input": size}


def fail(report: Report) -> None:
    """Print every mistake and leave with 1."""
    click.echo(report.render(), err=True)
    count = len(report.diagnostics)
    click.echo(f"\n{count} error{'' if count == 1 else 's'}", err=True)
    raise click.exceptions.Exit(1)


def chosen_backends(names: tuple[str, ...], report: Report) -> list[tuple[Plugin, Any]]:
    """The backends to build for: those asked for, else all that load."""
    from .. import plugins
    from ..diagnostics import Span

    if names:
        return plugins.chosen(names, report)
    found, broken = plugins.usable()
    for line in broken:
        click.echo(f"warning: {line}", err=True)
    if not found:
        report.error("E501", "no backend is installed that can be used", Span("--all-backends", 1, 1, 1, 2))
    return found


def as_json_text(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
