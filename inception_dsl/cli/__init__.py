"""The command line. Every import that takes time stands in the command that needs it."""

from __future__ import annotations

import importlib

import click

from .. import __version__

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


class Commands(click.Group):
    """The commands, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name]}", __package__)
        found: click.Command = getattr(module, cmd_name)
        return found


@click.group(cls=Commands, context_settings=OPTIONS)
@click.version_option(__version__, "-V", "--version", prog_name="inception-dsl", message="%(prog)s %(version)s")
def main() -> None:
    """Inception networks from one page of YAML: a spec in, PyTorch or Keras source out."""
