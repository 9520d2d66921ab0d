"""The specs that the arguments of a command name: files, folders, standard input."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..diagnostics.report import Report
    from ..language.given import StandardInput


_NONE: Final = (
    "no specs in the folder",
    "a spec is a YAML file with `network: NAME` or `block: NAME`",
)


def spec_of(argument: str) -> str | StandardInput:
    """The spec that an argument names; ``-`` is standard input."""
    if argument != "-":
        return argument
    from ..language.given import StandardInput

    return StandardInput.read(getattr(sys.stdin, "buffer", io.BytesIO()))


def specs_of(
    arguments: Sequence[str],
    report: Report,
    *,
    only: bool = False,
    wanted: Callable[[str], bool] = lambda _: True,
    none: tuple[str, str] = _NONE,
) -> list[str | StandardInput]:
    """The specs that the arguments name, each once; those of folders if they are ``wanted``.

    A folder without any is an error, with the message and help ``none``. With ``only``,
    files that are no specs are passed over.
    """
    found: dict[str, str | StandardInput] = {}
    for argument in dict.fromkeys(arguments):
        if os.path.isdir(argument) and not _is_shipped(argument):
            before = len(report.diagnostics)
            inside = [path for path in _inside(argument, report) if wanted(path)]
            found |= {path: path for path in inside}
            if not inside and len(report.diagnostics) == before:
                _empty(argument, none, report)
        elif not only or _names_itself(argument):
            found[argument] = spec_of(argument)
    return [*found.values()]


def _is_shipped(argument: str) -> bool:
    from ..language.shipped import meant

    return meant(argument) is not None


def _inside(folder: str, report: Report) -> Iterator[str]:
    """The specs in a folder; reports folders that cannot be read."""
    from ..diagnostics.report import Span
    from ..language.folders import specs_in

    def failed(error: OSError) -> None:
        span = Span(str(error.filename), 1, 1, 1, 2)
        report.error("E101", f"{error.filename} cannot be read: {error.strerror}", span)

    return map(str, specs_in(Path(folder), failed))


def _names_itself(argument: str) -> bool:
    """Whether an argument is a spec, or no file, which the compiler reports."""
    from ..language.folders import is_spec_file

    return not os.path.isfile(argument) or is_spec_file(Path(argument))


def _empty(folder: str, none: tuple[str, str], report: Report) -> None:
    from ..diagnostics.report import Span

    message, help = none
    report.error("E101", f"{message}: {folder}", Span(folder, 1, 1, 1, 2), help=help)
