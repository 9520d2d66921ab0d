"""A progress bar on standard error: only on a terminal, and erased at the end."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Final

from ..diagnostics.text import printable

WIDTH: Final = 20
ERASE: Final = "\r\x1b[K"


class Progress:
    """Counts ``total`` steps. In a pipe, or on a dumb terminal, it prints nothing.

    >>> with Progress(len(specs)) as bar:
    ...     for spec in specs:
    ...         bar.step(spec)
    """

    def __init__(self, total: int) -> None:
        self.total, self.done = max(total, 1), 0
        self.shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.erase()

    def step(self, text: str) -> None:
        """Show that the next step, described by ``text``, has started."""
        self.done = min(self.done + 1, self.total)
        if not self.shown:
            return
        filled = WIDTH * (self.done - 1) // self.total
        line = f"[{'#' * filled}{'-' * (WIDTH - filled)}] {self.done}/{self.total}  "
        line += printable(text)
        import shutil  # slow to import, and only terminals need it

        columns = shutil.get_terminal_size().columns
        sys.stderr.write(ERASE + line[: columns - 1])
        sys.stderr.flush()

    def erase(self) -> None:
        """Remove the bar, so that other output starts on an empty line."""
        if self.shown and self.done:
            sys.stderr.write(ERASE)
            sys.stderr.flush()
