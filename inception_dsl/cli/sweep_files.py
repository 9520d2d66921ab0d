"""The files of a sweep: what may be replaced, the variants so far, and writing the results."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .shared import fail
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..design.measured import Spec
    from ..design.partial import Partial
    from ..design.sweep import Sweep
    from ..design.variations import Variations
    from ..diagnostics.report import Report


def outputs(out: Path | None, plot: Path | None, force: bool, report: Report) -> dict[str, Path]:
    """The files to write; fails if one may not be replaced, or its folder cannot be written."""
    from ..build.write import followed
    from ..design.plot import MARK
    from ..design.sweep import is_result
    from ..diagnostics.report import Span

    named = {"out": out, "plot": plot}
    ours: dict[str, Callable[[list[str]], bool]] = {
        "out": lambda lines: is_result(lines[0]),
        "plot": lambda lines: lines[1] == MARK,
    }
    if out == Path("-"):
        raise UsageError("`--out` needs a file", "for the standard output, use `--format csv`")
    files = {name: followed(path) for name, path in named.items() if path is not None}
    if len({os.path.abspath(path) for path in files.values()}) < len(files):
        raise UsageError("`--out` and `--plot` are the same file", "name another one")
    for name, path in files.items():
        span = Span(str(path), 1, 1, 1, 2)
        try:
            lines = _beginning(path)
        except OSError as error:
            report.error("E601", f"{path} cannot be written: {error.strerror or error}", span)
            continue
        if lines and not ours[name](lines) and not force:
            help = "name another file, or replace it with `--force`"
            report.error("E603", f"{path} was not written by `sweep`", span, help=help)
    if not report.ok:
        fail(report)
    return files


def _beginning(path: Path) -> list[str]:
    """The first two lines of a file that would be replaced; none if it is empty, or no file."""
    folder = next(above for above in path.absolute().parents if above.exists())
    if not os.access(folder, os.W_OK):
        raise PermissionError(0, f"the folder {folder} cannot be written")
    if not path.exists():
        return []
    if not path.is_file():
        raise OSError(0, "it is a folder" if path.is_dir() else "it is not a regular file")
    if not path.stat().st_size:
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [file.readline(100_000).rstrip("\n") for _ in range(2)]


def beside(out: Path) -> Path:
    """The file of the variants so far."""
    from ..design.partial import SUFFIX

    return out.with_name(f"{out.name}{SUFFIX}")


def started(
    out: Path | None,
    spec: Spec,
    variations: Variations,
    texts: dict[str, str],
    force: bool,
    report: Report,
) -> Partial:
    """The variants so far; fails if those beside ``out`` are of another sweep."""
    from ..design.partial import OtherSweepError, Partial, key
    from ..diagnostics.report import Span

    if out is None:
        return Partial.unnamed(variations)
    path = beside(out)
    span = Span(str(path), 1, 1, 1, 2)
    try:
        if os.path.islink(path):
            raise OSError(0, "it is a symbolic link")
        return Partial.at(path, variations, key(spec, variations, texts), anew=force)
    except OtherSweepError:
        message = f"{path} is of a sweep with another spec, other settings or other values"
        help = "run that sweep again, remove the file, or begin anew with `--force`"
        report.error("E603", message, span, help=help)
    except OSError as error:
        report.error("E601", f"{path} cannot be written: {error.strerror or error}", span)
    fail(report)
    raise AssertionError  # `fail` exits


def write(result: Sweep, files: dict[str, Path], force: bool, report: Report) -> list[Path]:
    """Write the CSV file and the plot, both or none; the result lists what is written."""
    from ..build.write import Content, write_all
    from ..design.plot import plot

    def csv(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(result.csv())

    contents: dict[Path, Content] = {files["out"]: csv} if "out" in files else {}
    if "plot" in files:
        text = "".join(plot(result))
        if text:
            contents[files["plot"]] = text
        else:
            click.echo("warning: no variant is within the limits, so there is no plot", err=True)
    if not write_all(contents, report, force=force):
        fail(report)
    return [*contents]
