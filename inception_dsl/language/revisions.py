"""Specs of a git revision, ``REVISION:PATH``: with all specs beside them, in a temporary folder."""

from __future__ import annotations

import os
import posixpath
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final, overload

from ..diagnostics.report import SHIPPED, Diagnostic, Report, Span
from ..yaml.characters import MAX_CHARACTERS

MAX_FILES: Final = 10_000
MAX_BYTES: Final = 4 * MAX_CHARACTERS
"""Of a file; larger ones are left out, as no spec can be so large."""
_SUFFIXES: Final = (".yaml", ".yml")
_REGULAR: Final = ("100644", "100755")


def is_revision(argument: str) -> bool:
    """Whether an argument is ``REVISION:PATH`` and not a file or a shipped spec."""
    revision, colon, path = argument.partition(":")
    shipped = argument.startswith(SHIPPED)
    other = shipped or path.startswith("//") or os.path.lexists(argument)
    return bool(revision and colon and path) and not other


def checked_out(argument: str, folder: Path, report: Report) -> Path | None:
    """Write the YAML files of a revision to ``folder``; the path of the spec in it.

    Symbolic links are left out. Runs git in the current folder, whose repository it only reads.
    """
    revision, _, path = argument.partition(":")
    span = Span(argument, 1, 1, 1, 2)
    try:
        wanted = _from_top(path)
        commit = _commit(revision)
        if commit is None:
            report.error("E101", f"no revision `{revision}` in this repository", span, help=_USAGE)
            return None
        files = _files(commit)
        if wanted not in files:
            message = f"no spec `{wanted}` in the revision {revision}"
            report.error("E101", message, span, help=_help(wanted, files))
            return None
        _write(files, folder)
    except (OSError, subprocess.CalledProcessError) as error:
        report.error("E101", f"{argument} cannot be read: {_reason(error)}", span)
        return None
    return folder / wanted


def log() -> str:
    """The file in which git notes every change of HEAD; empty outside of a repository."""
    try:
        return _git("rev-parse", "--git-path", "logs/HEAD").decode().rstrip("\n")
    except (OSError, subprocess.CalledProcessError):
        return ""


def with_changed(path: str, content: Path, folder: Path) -> Path:
    """Write the YAML files of the work tree to ``folder``, with another ``content`` of one.

    ``path`` is that of the file, from the top of the repository.
    """
    top = Path(_top())
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=top)
    for name in listed.decode(errors="replace").split("\0"):
        source = top / name
        if (
            name.endswith(_SUFFIXES)
            and _safe(name)
            and source.is_file()
            and not source.is_symlink()
        ):
            _save(folder / name, source.read_bytes()[:MAX_BYTES])
    _save(folder / path, content.read_bytes()[:MAX_BYTES])
    return folder / path


_USAGE: Final = "give REVISION:PATH as for `git show`, for example `HEAD~1:specs/net.yaml`"


@overload
def named(found: Diagnostic, folder: Path, label: str) -> Diagnostic: ...
@overload
def named(found: str, folder: Path, label: str) -> str: ...
def named(found: Diagnostic | str, folder: Path, label: str) -> Diagnostic | str:
    """A text or diagnostic in which files of a temporary folder have the name that users know."""

    def name(text: str) -> str:
        return text.replace(f"{folder}{os.sep}", label)

    def span(one: Span) -> Span:
        return one._replace(file=name(one.file))

    if isinstance(found, str):
        return name(found)
    return replace(
        found,
        message=name(found.message),
        span=span(found.span),
        help=name(found.help),
        notes=tuple(map(name, found.notes)),
        related=tuple((span(one), name(text)) for one, text in found.related),
        fix=(),
    )


def _git(*arguments: str, stdin: bytes | None = None, cwd: Path | None = None) -> bytes:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    run = subprocess.run(
        ("git", *arguments), input=stdin, capture_output=True, check=True, env=environment, cwd=cwd
    )
    return bytes(run.stdout)


def _top() -> str:
    return _git("rev-parse", "--show-toplevel").decode().rstrip("\n")


def _commit(revision: str) -> str | None:
    """The commit, or ``None``; ``revision`` cannot be an option of git."""
    try:
        commit = f"{revision}^{{commit}}"
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", commit).decode().strip()
    except subprocess.CalledProcessError:
        return None


def _from_top(path: str) -> str:
    """The path from the top of the repository; as in git, ``./`` is the current folder."""
    top = _top()
    if path.startswith(("./", "../")):
        here = os.path.relpath(os.path.realpath("."), os.path.realpath(top))
        path = posixpath.join(Path(here).as_posix(), path)
    return posixpath.normpath(path)


def _files(commit: str) -> dict[str, str]:
    """The regular YAML files of a commit, and the ids of their contents."""
    found = {}
    listed = _git("ls-tree", "-r", "-l", "-z", "--full-tree", commit).decode(errors="replace")
    for line in filter(None, listed.split("\0")):
        about, _, path = line.partition("\t")
        mode, _, blob, size = about.split()
        if path.endswith(_SUFFIXES) and _safe(path) and mode in _REGULAR and int(size) <= MAX_BYTES:
            found[path] = blob
    return dict([*found.items()][:MAX_FILES])


def _safe(path: str) -> bool:
    """Whether a path of a tree stays inside the folder."""
    parts = path.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts)


def _write(files: dict[str, str], folder: Path) -> None:
    """Write the contents of blobs, which one process reads."""
    wanted = "".join(f"{blob}\n" for blob in files.values())
    text, start = _git("cat-file", "--batch", stdin=wanted.encode()), 0
    for path in files:
        end = text.index(b"\n", start)
        size = int(text[start:end].split()[-1])
        _save(folder / path, text[end + 1 : end + 1 + size])
        start = end + size + 2


def _save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _help(wanted: str, files: dict[str, str]) -> str:
    from ..diagnostics.words import nearest

    same = [path for path in files if posixpath.basename(path) == posixpath.basename(wanted)]
    best = same[0] if same else nearest(wanted, files)
    return f"did you mean `{best}`?" if best else "paths are those from the top of the repository"


def _reason(error: OSError | subprocess.CalledProcessError) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        text = bytes(error.stderr).decode(errors="replace").strip()
        return (text.splitlines() or ["git failed"])[-1].removeprefix("fatal: ")
    return "git is not installed" if isinstance(error, FileNotFoundError) else str(error)
