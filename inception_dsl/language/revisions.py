"""Specs of a git revision, ``REVISION:PATH``: with all specs beside them, in a temporary folder.

Without a revision, ``:PATH`` is what is staged for the next commit (the index), as in git.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, overload

from ..diagnostics.report import SHIPPED, Diagnostic, Report, Span
from ..yaml.characters import MAX_CHARACTERS

MAX_FILES: Final = 10_000
MAX_BYTES: Final = 4 * MAX_CHARACTERS
"""Of a file; larger ones are left out, as no spec can be so large."""
_SUFFIXES: Final = (".yaml", ".yml")
_REGULAR: Final = ("100644", "100755")
_LINK, _SUBMODULE = "120000", "160000"


class Entry(NamedTuple):
    """An entry of a commit or of the index, as git has it."""

    mode: str
    blob: str
    size: int


def is_revision(argument: str) -> bool:
    """Whether an argument is ``REVISION:PATH`` and not a file or a shipped spec."""
    before, path = parts(argument)
    shipped = argument.startswith(SHIPPED)
    other = shipped or path.startswith("//") or os.path.lexists(argument)
    return bool(before and path) and not other


def parts(argument: str) -> tuple[str, str]:
    """The revision with its colon, and the path: ``:`` or ``:0:`` is the index."""
    if argument.startswith(":0:"):
        return argument[:3], argument[3:]
    revision, colon, path = argument.partition(":")
    return (revision + colon, path) if colon else ("", argument)


def checked_out(argument: str, folder: Path, report: Report) -> Path | None:
    """Write the YAML files of a revision to ``folder``; the path of the spec in it.

    Symbolic links and submodules are left out. Runs git in the current folder, whose repository it
    only reads.
    """
    before, path = parts(argument)
    span = Span(argument, 1, 1, 1, 2)
    try:
        wanted = _from_top(path)
        entries = _staged() if before.startswith(":") else _committed(before[:-1])
        if entries is None:
            message = f"no revision `{before[:-1]}` in this repository"
            report.error("E101", message, span, help=_USAGE)
            return None
        files = _files(entries)
        if wanted not in files:
            message, help = _absent(wanted, before, entries, files)
            report.error("E101", message, span, help=help)
            return None
        _write(files, folder)
    except (OSError, subprocess.CalledProcessError) as error:
        report.error("E101", f"{argument} cannot be read: {_reason(error)}", span)
        return None
    return folder / wanted


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


def _committed(revision: str) -> dict[str, Entry] | None:
    """The entries of a commit by path; ``None`` if there is no such revision."""
    commit = _commit(revision)
    if commit is None:
        return None
    listed = _git("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    rows = [line.partition("\t") for line in _lines(listed)]
    about = [(path, text.split()) for text, _, path in rows]
    sized = ((path, mode, blob, size) for path, (mode, _, blob, size) in about)
    return {
        path: Entry(mode, blob, 0 if size == "-" else int(size)) for path, mode, blob, size in sized
    }


def _staged() -> dict[str, Entry]:
    """The entries of the index by path, without those in a conflict."""
    rows = [line.partition("\t") for line in _lines(_git("ls-files", "-s", "-z", cwd=Path(_top())))]
    about = [(path, *text.split()) for text, _, path in rows]
    specs = [(p, mode, blob) for p, mode, blob, stage in about if stage == "0"]
    blobs = "".join(f"{blob}\n" for _, mode, blob in specs if mode != _SUBMODULE)
    listed = _git("cat-file", "--batch-check", stdin=blobs.encode()).decode().splitlines()
    sizes = {line.split()[0]: int(line.split()[-1]) for line in listed if line[-1:].isdigit()}
    return {path: Entry(mode, blob, sizes.get(blob, 0)) for path, mode, blob in specs}


def _lines(listed: bytes) -> list[str]:
    return [line for line in listed.decode(errors="replace").split("\0") if line]


def _files(entries: dict[str, Entry]) -> dict[str, str]:
    """The regular YAML files, and the ids of their contents."""
    found = {
        path: entry.blob
        for path, entry in entries.items()
        if path.endswith(_SUFFIXES)
        and _safe(path)
        and entry.mode in _REGULAR
        and entry.size <= MAX_BYTES
    }
    return dict([*found.items()][:MAX_FILES])


def _absent(
    wanted: str, before: str, entries: dict[str, Entry], files: dict[str, str]
) -> tuple[str, str]:
    """Why there is no such spec, and what to give instead."""
    where = "the index" if before.startswith(":") else f"the revision {before[:-1]}"
    folders = ("/".join(wanted.split("/")[:n]) for n in range(1, wanted.count("/") + 2))
    known = ((path, entries[path]) for path in folders if path in entries)
    path, entry = next(known, ("", None))
    if entry and entry.mode == _SUBMODULE:
        help = f"compare in that repository, whose commit here is {entry.blob[:12]}"
        return f"`{wanted}` is in the submodule `{path}` of {where}", help
    if entry and entry.mode == _LINK:
        target = _git("cat-file", "blob", entry.blob).decode(errors="replace")
        rest = wanted[len(path) :]
        real = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) + rest
        help = f"give the file itself: `{before}{real}`" if real in files else "give a file"
        return f"`{path}` is a symbolic link in {where}", help
    return f"no spec `{wanted}` in {where}", _help(wanted, files)


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
