"""The command line. Heavy imports are inside the commands that need them, for a fast start."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import click

from .. import __version__
from .help import Group

COMMANDS = {  # the module of each command, imported when the command is used
    "new": "specs",
    "list": "specs",
    "check": "compile",
    "summary": "summary",
    "diff": "diff",
    "sweep": "sweep",
    "fit": "fit",
    "rewrite": "rewrite",
    "build": "compile",
    "verify": "verify",
    "weights": "weights",
    "explain": "explain",
    "lsp": "lsp",
    "ops": "compile",
    "schema": "compile",
    "backends": "backends",
}


class Commands(Group):
    """All commands, imported on use. Any unexpected exception is an internal error."""

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        try:
            return super().make_context(*args, **settings)
        except click.UsageError as error:
            from .usage import restyled

            raise restyled(error) from None

    def main(self, *args: Any, **settings: Any) -> Any:
        try:
            return super().main(*args, **settings)
        except OSError as error:
            if not _of_output(error):
                raise
            # the disk of a redirected output is full: nothing else can be printed there
            with contextlib.suppress(OSError):
                click.echo(f"error: cannot write the output: {error.strerror or error}", err=True)
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        with _interrupts() as interrupts:
            return self._invoke(ctx, interrupts)

    def _invoke(self, ctx: click.Context, interrupts: list[int]) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            from .usage import restyled

            raise restyled(error) from None
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, Exception) as error:
            if interrupts or isinstance(error, KeyboardInterrupt):
                click.echo("interrupted", err=True)
                raise click.exceptions.Exit(130) from None
            if isinstance(error, MemoryError):
                text = str(error) or "the network is too large"
                click.echo(f"error: out of memory: {text}", err=True)
                raise click.exceptions.Exit(1) from None
            if isinstance(error, OSError) and _of_output(error):
                raise
            if isinstance(error, FileNotFoundError) and not _current_folder():
                text = "the current folder does not exist any more"
                click.echo(f"error: {text}\n  = help: change to another folder", err=True)
                raise click.exceptions.Exit(1) from None
            report_internal_error(error, debug=ctx.params["debug"])
            raise click.exceptions.Exit(3) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name; imports its module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name]}", __package__)
        found: click.Command = getattr(module, cmd_name)
        return found


def _of_output(error: OSError) -> bool:
    """Whether standard output or standard error cannot be written; they have no file name."""
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
    return error.filename is None and error.errno in codes


def _current_folder() -> bool:
    """Whether the current folder exists."""
    try:
        return bool(os.getcwd())
    except OSError:
        return False


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """The interrupts (Ctrl-C) so far. Each raises `KeyboardInterrupt`, as usual.

    pydantic turns a `KeyboardInterrupt` that it meets while it builds a model into a
    `SchemaError`, so the type of an exception does not say that it was an interrupt.
    """
    found: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        found.append(number)
        signal.default_int_handler(number, frame)

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield found
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def report_internal_error(error: Exception, *, debug: bool) -> None:
    """Print one line about an internal error, after its traceback with ``--debug``."""
    import traceback

    from ..diagnostics.text import printable

    if debug:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    where = traceback.extract_tb(error.__traceback__)[-1]
    what = printable(" ".join(f"{type(error).__name__}: {error}".split())[:200])
    more = "" if debug else "; `inception-dsl --debug ...` prints the traceback"
    click.echo(
        f"internal error: {what} ({printable(where.name)}, line {where.lineno}): "
        f"please report this with the command and the spec{more}",
        err=True,
    )


@click.group(
    "inception-dsl",
    cls=Commands,
    examples=(
        "inception-dsl list # the shipped networks, v0 to v4",
        "inception-dsl new my_net --from v4 # write a variant of one",
        "inception-dsl check my_net.yaml # list errors and warnings",
        "inception-dsl summary my_net.yaml # shapes, parameters, FLOPs",
        "inception-dsl build my_net.yaml -o src # PyTorch and Keras source",
        "inception-dsl verify my_net.yaml --train # compare the frameworks",
        "inception-dsl weights --help # convert or import weights",
        "inception-dsl explain E201 # explain an error code",
        "inception-dsl build --help # options and more examples",
    ),
)
@click.version_option(
    __version__, "-V", "--version", prog_name="inception-dsl", message="%(prog)s %(version)s"
)
@click.option("--debug", is_flag=True, help="Print the traceback of an internal error.")
def main(debug: bool) -> None:
    """Compile Inception networks from YAML specs to PyTorch and Keras source."""
