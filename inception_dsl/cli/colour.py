"""Colour: on terminals only, controlled by ``NO_COLOR`` and ``FORCE_COLOR``."""

from __future__ import annotations

import os
import sys
from typing import IO, Any

import click

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..diagnostics.report import Style


def coloured(stream: IO[Any]) -> bool:
    """Whether to colour: on a terminal unless ``NO_COLOR`` is set; always with ``FORCE_COLOR``."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def style_of(stream: IO[Any]) -> Style:
    """The colours for ``stream``: none in a pipe."""
    from ..diagnostics.report import COLOURED, PLAIN

    return COLOURED if coloured(stream) else PLAIN


def print_table(render: Callable[[Style], str], *, err: bool = False) -> None:
    """Print a table to standard output, or to standard error; coloured on a terminal."""
    stream = sys.stderr if err else sys.stdout
    click.echo(render(style_of(stream)), err=err, color=coloured(stream))
