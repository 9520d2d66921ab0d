"""The backends of a build: which ones, their options, and the command that lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from .colour import print_table
from .help import Command
from .shared import as_json_text
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..backend import Backend
    from ..diagnostics.report import Report, Style
    from ..plugins import Plugin


def backend_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    """The installed backends whose names start with ``start``, for shell completion."""
    from click.shell_completion import CompletionItem

    from ..plugins import installed

    return [CompletionItem(p.name) for p in installed() if p.name.startswith(start)]


def option_names(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    """The options of the installed backends with their values, for shell completion."""
    from click.shell_completion import CompletionItem

    from ..plugins import usable

    found = {
        f"{option.name}={value}": option.help
        for _, backend in usable()[0]
        for option in backend.options
        for value in option.choices
    }
    return [CompletionItem(k, help=text) for k, text in found.items() if k.startswith(start)]


def chosen_backends(
    names: tuple[str, ...], report: Report, *, source: bool = False, documents: bool = False
) -> list[tuple[Plugin, Backend]]:
    """The backends to build for: those named, and all that load of a kind.

    If nothing is asked for, those that write source.
    """
    from .. import plugins
    from ..diagnostics.report import Span

    named = plugins.chosen(names, report)
    source = source or not (documents or names)
    if not (source or documents):
        return named
    found, broken = plugins.usable()
    for line in broken:
        click.echo(f"warning: {line}", err=True)
    wanted = [(p, b) for p, b in found if (documents if b.documents else source)]
    if not wanted:
        asked = "--all-backends" if source else "--documents"
        report.error("E501", "no usable backend is installed", Span(asked, 1, 1, 1, 2))
    known = {backend.name for _, backend in named}
    return [*named, *((p, b) for p, b in wanted if b.name not in known)]


def backend_options(given: Iterable[str], backends: Iterable[Backend]) -> dict[str, str]:
    """The values of ``--option``; raises a usage error for what no chosen backend has."""
    from ..diagnostics.words import suggestion

    known: dict[str, dict[str, None]] = {}
    for backend in backends:
        for option in backend.options:
            known.setdefault(option.name, {}).update(dict.fromkeys(option.choices))
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if name not in known:
            help = suggestion(name, known, what="options") or "the chosen backends have no options"
            raise UsageError(f"unknown option `{name}` of backends", help)
        if not equals or value not in known[name]:
            message = f"invalid value for the option `{name}`: `{value}`"
            raise UsageError(message, f"write {_any(f'`{name}={v}`' for v in known[name])}")
        if found.setdefault(name, value) != value:
            raise UsageError(f"the option `{name}` is set more than once", "give it once")
    return found


def _any(texts: Iterable[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} or {last}" if first else last


@click.command(
    cls=Command,
    examples=("inception-dsl backends", "inception-dsl backends --json"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backends(as_json: bool) -> None:
    """List the installed backends, and why a backend fails to load."""
    from ..diagnostics.text import printable
    from ..plugins import BrokenPluginError, installed, load

    found = installed()
    rows = []
    for plugin in found:
        row: dict[str, Any] = {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
        }
        try:
            row |= {**_about(load(plugin, found)), "error": ""}
        except BrokenPluginError as error:
            row |= {"title": "", "documents": False, "options": [], "error": str(error)}
        rows.append(row)
    if as_json:
        click.echo(as_json_text(rows))
        return

    def render(style: Style) -> str:
        lines = []
        for row in rows:
            about = printable(f"{row['distribution']} {row['version']}")
            broken = printable(f"broken: {row['error']}")
            state = style.severe(broken, "error") if row["error"] else printable(row["title"])
            lines.append(f"{style.strong(printable(row['name']).ljust(12))} {about}  {state}")
            for option in row["options"]:
                values = f"{option['name']}={'|'.join(option['choices'])}"
                line = f"{values}  {option['help']}"
                lines.append(f"    --option {printable(line)}")
        return "\n".join(lines)

    if rows:
        print_table(render)
    else:
        click.echo("no backend is installed", err=True)


def _about(backend: Backend) -> dict[str, Any]:
    """What the list says of a backend that loads."""
    options = [option._asdict() for option in backend.options]
    return {"title": backend.title, "documents": backend.documents, "options": options}
