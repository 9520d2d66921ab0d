"""The command line. Every import that takes time stands in the command that needs it."""

from __future__ import annotations

import importlib
from typing import Any

import click

from .. import __version__
from .shared import Suggesting

OPTIONS = {"help_option_names": ["-h", "--help"]}
COMMANDS = {  # by the module that each stands in, which only its use imports
    "build": "compile",
    "check": "compile",
    "summary": "compile",
    "verify": "verify",
    "weights": "weights",
    "backends": "compile",
    "schema": "compile",
    "ops": "compile",
    "explain": "explain",
    "new": "compile",
}


class Commands(Suggesting):
    """The commands, imported when they are asked for; what none of them expects is a defect of
    ours.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            raise click.exceptions.Exit(130) from None
        except Exception as error:
            defect(error, debug=ctx.params["debug"])
            raise click.exceptions.Exit(3) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; its module is imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name]}", __package__)
        found: click.Command = getattr(module, cmd_name)
        return found


def defect(error: Exception, *, debug: bool) -> None:
    """One line on an error of ours, below its traceback if that is wanted."""
    import traceback

    from ..diagnostics.text import printable

    if debug:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    where = traceback.extract_tb(error.__traceback__)[-1]
    what = printable(" ".join(f"{type(error).__name__}: {error}".split())[:200])
    more = "" if debug else "; `inception-dsl --debug …` shows where it comes from"
    click.echo(
        f"defect of inception-dsl: {what} ({printable(where.name)}, line {where.lineno}): "
        f"please report this with the command and the spec{more}",
        err=True,
    )


@click.group(cls=Commands, context_settings=OPTIONS)
@click.version_option(
    __version__, "-V", "--version", prog_name="inception-dsl", message="%(prog)s %(version)s"
)
@click.option("--debug", is_flag=True, help="Show the traceback of a defect of inception-dsl.")
def main(debug: bool) -> None:
    """Inception networks from one page of YAML: a spec in, PyTorch or Keras source out."""
