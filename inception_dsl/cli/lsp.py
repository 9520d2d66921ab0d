"""The command that starts the language server."""

from __future__ import annotations

import signal
import sys

import click

from .help import Command
from .shared import need_packages, root_option


@click.command(
    cls=Command,
    examples=("inception-dsl lsp # started by an editor, not by hand",),
)
@click.option("--stdio", is_flag=True, help="Use standard input and output (the default).")
@root_option
def lsp(stdio: bool) -> None:
    """Start the language server, which an editor talks to.

    It reads the editor's messages from standard input and writes to standard output.
    """
    from ..diagnostics.report import Report

    need_packages(Report(), ("pygls",), "lsp")
    from ..editor.server import server

    # Ctrl-C ends the process: a thread waits for input, and there is nothing to save
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stdin.isatty():
        click.echo("waiting for the messages of an editor; Ctrl-C ends the server", err=True)
    server().start_io()
