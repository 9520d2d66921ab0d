"""The command that serves the page beside the editor, which needs packages of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
import webbrowser
from functools import partial
from pathlib import Path
from typing import Final

import click

from .given import specs_of
from .help import Command
from .shared import SPEC, fail, merged, need_packages, spec_options
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from ..diagnostics.report import Report

_PACKAGES: Final = ("pygments", "starlette", "uvicorn")


@click.command(
    cls=Command,
    examples=(
        "inception-dsl serve net.yaml # open a page",
        "inception-dsl serve net.yaml --baseline HEAD:net.yaml # what changed",
        "inception-dsl serve net.yaml v4 # and a table of both",
        "inception-dsl serve net.yaml --port 0 # on a free port",
    ),
)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", **SPEC)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port; 0: any free one.  [default: 8210 up]",
)
@click.option(
    "--baseline",
    metavar="OTHER",
    shell_complete=SPEC["shell_complete"],
    help="Show what differs from this spec, also REVISION:PATH.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@partial(spec_options, form=lambda command: command)
def serve(
    specs: tuple[str, ...],
    port: int | None,
    baseline: str | None,
    no_browser: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Serve a page that shows each SPEC and changes with every save.

    It has the figure, the layers, errors and warnings, the generated source and what differs from a
    baseline. Only this computer can open it. Ctrl-C ends it.
    """
    from ..diagnostics.report import Report

    need_packages(Report(), _PACKAGES, "serve")
    found = _existing(specs, baseline)
    changes = merged(settings, size, *found)
    gc.enable()  # a server runs for hours
    made = _listening(port)
    with made, contextlib.suppress(KeyboardInterrupt):  # the usual way to end a server
        asyncio.run(_served(found, baseline, changes, made, not no_browser))


async def _served(
    specs: list[str],
    baseline: str | None,
    settings: dict[str, str],
    made: socket.socket,
    browser: bool,
) -> None:
    from ..editor.page.access import token_in
    from ..editor.page.server import HOST
    from ..editor.page.server import serve as run
    from ..editor.page.session import Session

    token = token_in(Path(click.get_app_dir("inception-dsl")) / "serve-token")
    names = ", ".join(specs)

    def started(once: str) -> None:
        address = f"http://{HOST}:{made.getsockname()[1]}/{token}/"
        click.echo(f"{names}: {address}\nCtrl-C ends the server")
        sys.stdout.flush()
        if browser and _has_display():
            threading.Thread(target=webbrowser.open, args=(once,), daemon=True).start()

    await run(Session(specs, baseline, settings), made, token, started)


def _existing(specs: tuple[str, ...], baseline: str | None) -> list[str]:
    """The specs that the arguments name. What does not exist is an error, not an empty page."""
    from ..diagnostics.report import Report
    from ..language.file_names import named_by_user
    from ..language.revisions import is_revision

    if "-" in (*specs, baseline):
        raise UsageError("standard input cannot be followed", "save the spec as a file")
    report = Report()
    found = [os.fspath(spec) for spec in specs_of(specs, report)]
    given = [*found, *([baseline] if baseline and not is_revision(baseline) else [])]
    for spec in given:
        if not os.path.exists(spec):
            _report_missing(spec, named_by_user(spec), report)
    if not report.ok:
        fail(report)
    return found


def _report_missing(spec: str, name: str, report: Report) -> None:
    """Add the error of the compiler for a spec that is no file and not shipped."""
    from ..compiler import check_spec
    from ..diagnostics.report import Report

    own = Report()
    check_spec(spec, {}, own)
    report.include((d for d in own if d.code == "E101" and d.span.file == name), own.texts)


def _listening(port: int | None) -> socket.socket:
    from ..editor.page.server import PORT, TRIED, listening

    try:
        return listening(port)
    except OSError as error:
        which = f"port {port}" if port is not None else f"ports {PORT} to {PORT + TRIED - 1}"
        message = f"{which}: {(error.strerror or str(error)).lower()}"
        raise UsageError(message, "`--port 0` uses a free port") from None


def _has_display() -> bool:
    """Whether a browser can have a window; one in the terminal would be in the way."""
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
