"""The files of a sweep: what may be replaced, the variants so far, and writing the results."""

from __future__ import annotations

import os
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final

import click

from .shared import fail
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..design.finished import Finished
    from ..design.partial import Partial
    from ..design.sweep import Limits, Sweep
    from ..design.variations import Variations
    from ..diagnostics.report import Report

_FORMATS: Final = {
    "--out": (".csv", "CSV", "for JSON, use `--json > FILE.json`"),
    "--plot": (".svg", "SVG", "browsers and Inkscape convert it"),
}
_OTHER: Final = "is of a sweep with another spec, other settings, values, limits or axes"
_REPLACE: Final = "name another file, or replace it with `--force`"


class Files:
    """The files that a sweep writes: ``out`` and ``plot``, each ``None`` if it is not written.

    With ``force``, files of others are replaced. Raises :class:`.UsageError` if the names do not
    fit.
    """

    def __init__(self, out: Path | None, plot: Path | None, force: bool) -> None:
        from ..build.write import followed

        if out == Path("-"):
            raise UsageError("`--out` needs a file", "for the standard output, use `--format csv`")
        given = {o: path for o, path in (("--out", out), ("--plot", plot)) if path is not None}
        for option, path in given.items():
            ending, what, help = _FORMATS[option]
            if not str(path).lower().endswith(ending):
                message = f"`{option}` writes {what}: `{path}` does not end with `{ending}`"
                raise UsageError(message, f"name the file `*{ending}`; {help}")
        self.named = {option: followed(path) for option, path in given.items()}
        self.out, self.plot = self.named.get("--out"), self.named.get("--plot")
        self.partial = self.out and beside(self.out)
        self.force = force
        for (one, path), (other, same) in combinations(self.all().items(), 2):
            if _same(path, same):
                raise UsageError(f"{one} and {other} are the same file", "name another one")

    def all(self) -> dict[str, Path]:
        """All files that are written, with what they are called in errors."""
        found = {f"`{option}`": path for option, path in self.named.items()}
        return {**found, "the rows so far": self.partial} if self.partial else found

    def reject_read(self, names: Iterable[str]) -> None:
        """A usage error if a file would replace one of those that the sweep reads."""
        for name in names:
            for what, path in self.all().items():
                if os.path.exists(name) and _same(path, Path(name)):
                    message = f"{what} would replace `{name}`, which the sweep reads"
                    raise UsageError(message, "name another file")

    def check(self, key: str, report: Report) -> None:
        """Fail if a file may not be replaced, or its folder cannot be written."""
        from ..diagnostics.report import Span

        for option, path in self.named.items():
            span = Span(str(path), 1, 1, 1, 2)
            try:
                lines = _beginning(path)
            except OSError as error:
                report.error("E601", f"{path} cannot be written: {error.strerror or error}", span)
                continue
            reason = _foreign(option, lines, key) if lines and not self.force else ""
            if reason:
                report.error("E603", f"{path} {reason}", span, help=_REPLACE)
        if not report.ok:
            fail(report)

    def started(self, variations: Variations, key: str, report: Report) -> Partial:
        """The variants so far; fails if those beside ``out`` are of another sweep."""
        from ..design.partial import OtherSweepError, Partial
        from ..diagnostics.report import Span

        if self.partial is None:
            return Partial.unnamed(variations)
        span = Span(str(self.partial), 1, 1, 1, 2)
        try:
            if os.path.islink(self.partial):
                raise OSError(0, "it is a symbolic link")
            return Partial.at(self.partial, variations, key, force=self.force)
        except OtherSweepError:
            message = f"{self.partial} {_OTHER}"
            help = "run that sweep again, remove the file, or begin anew with `--force`"
            report.error("E603", message, span, help=help)
        except OSError as error:
            text = f"{self.partial} cannot be written: {error.strerror or error}"
            report.error("E601", text, span)
        fail(report)
        raise AssertionError  # `fail` exits

    def finished(self, names: Sequence[str], limits: Limits) -> Finished:
        """The rows that are in ``out``, if they may not be replaced by others."""
        from ..design.finished import Finished

        fixed = self.out is not None and _has_content(self.out) and not self.force
        return Finished(self.out if fixed else None, names, limits)

    def refuse(self, path: Path | None, found: Partial, report: Report) -> None:
        """Fail, as ``path`` would get other content; the variants so far are kept, if any."""
        from ..diagnostics.report import Span

        message = f"{path} is not what this sweep writes: it is of another one, or was edited"
        help = _REPLACE
        if self.partial and found.count:
            help += f"; {self.kept(found)}, from which that goes on"
        elif self.partial:
            self.partial.unlink()
        report.error("E603", message, Span(str(path), 1, 1, 1, 2), help=help)
        fail(report)

    def hint(self, found: Partial) -> None:
        """Say where the variants are that were compiled, if they are kept."""
        if self.partial:
            text = f"{self.kept(found)}; the same command goes on from there"
            click.echo(text, err=True)

    def kept(self, found: Partial) -> str:
        """Where the variants are that were compiled."""
        return f"{found.count:,} of {found.variations.count:,} variants are in {self.partial}"

    def write(self, result: Sweep, found: Partial, key: str, report: Report) -> list[Path]:
        """Write the CSV file and the plot, both or none; the result lists what is written."""
        from ..build.write import write_all
        from ..design.plot import plot

        parts: dict[Path, Callable[[], Iterable[str]]] = {self.out: result.csv} if self.out else {}
        if self.plot:
            drawn = "".join(plot(result, key))
            if drawn:
                parts[self.plot] = lambda: (drawn,)
            else:
                text = "warning: no variant is within the limits, so there is no plot"
                click.echo(text, err=True)
        changed = {path: made for path, made in parts.items() if not _is(path, made())}
        for path in changed:
            if _has_content(path) and not self.force:
                self.refuse(path, found, report)
        contents = {path: partial(_fill, made) for path, made in changed.items()}
        if not write_all(contents, report, force=self.force):
            fail(report)
        return [*parts]


def beside(out: Path) -> Path:
    """The file of the variants so far."""
    from ..design.partial import SUFFIX

    return out.with_name(f"{out.name}{SUFFIX}")


def _same(one: Path, other: Path) -> bool:
    """Whether two paths are the same file, also by links; the files need not exist."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    return one.exists() and other.exists() and os.path.samefile(one, other)


def _beginning(path: Path) -> list[str]:
    """The first two lines of a file that would be replaced; none if it is empty, or no file."""
    folder = next(above for above in path.absolute().parents if above.exists())
    if not os.access(folder, os.W_OK):
        raise PermissionError(0, f"the folder {folder} cannot be written")
    if not path.exists():
        return []
    if not path.is_file():
        raise OSError(0, "it is a folder" if path.is_dir() else "it is not a regular file")
    if not _has_content(path):
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [file.readline(100_000).rstrip("\n") for _ in range(2)]


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _foreign(option: str, lines: Sequence[str], key: str) -> str:
    """Why a file with these first lines may not be replaced; empty if it may."""
    from ..design.plot import MARK, mark
    from ..design.sweep import is_result

    ours = is_result(lines[0]) if option == "--out" else lines[1].startswith(MARK)
    if not ours:
        return "was not written by `sweep`"
    return "" if option == "--out" or lines[1] == mark(key) else _OTHER


def _is(path: Path, parts: Iterable[str]) -> bool:
    """Whether a file has this text."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        same = all(file.read(len(data)) == data for data in (part.encode() for part in parts))
        return same and not file.read(1)


def _fill(parts: Callable[[], Iterable[str]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(parts())
