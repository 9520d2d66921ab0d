"""Writes files atomically: all of them or none."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from ..diagnostics.report import Report, Span
from ..diagnostics.signals import stopped_by_signals

Content: TypeAlias = str | bytes | Callable[[Path], None]

_TEMPORARY: Final = re.compile(r"\.tmp-([0-9a-f]{8})-([0-9]{1,9})-[0-9a-f]{8}-")
_DAY: Final = 86_400.0


class _Placed(NamedTuple):
    """A target that was replaced: the new inode, and the backup of the old file."""

    target: Path
    inode: int
    old: Path | None


def write_all(files: Mapping[Path, Content], report: Report, *, force: bool = False) -> bool:
    """Write all files or none.

    Each is first written to a temporary file in the folder of its target; then all are renamed.

    A content is text, bytes, or a function that writes to a path with the suffix of the target. A
    symbolic link at a target is an error, or is itself replaced with ``force``; its target is never
    written.
    """
    batch = _Batch(force)
    try:
        with stopped_by_signals():
            batch.write(files)
    except OSError as error:
        path = os.path.normpath(batch.path)
        report.error(
            "E601", f"{path} cannot be written: {error.strerror or error}", Span(path, 1, 1, 1, 2)
        )
        return False
    return True


def portable(name: str) -> str:
    """``name`` as a file name stem: Windows device names (`con`, `aux`) get an underscore."""
    return f"{name}_" if re.fullmatch(r"(?i)con|prn|aux|nul|com[0-9]|lpt[0-9]", name) else name


def followed(path: Path) -> Path:
    """The target of the symbolic link at ``path``, or ``path`` if it is not a link.

    For files that the user names: these are written through a link, as with ``cp``.
    """
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


class _Batch:
    """Files that are written together; ``path`` is the current one, for error messages."""

    def __init__(self, force: bool) -> None:
        self.force = force
        self.path = Path()
        self.folders: list[Path] = []
        self.staged: dict[Path, Path] = {}
        self.placed: list[_Placed] = []

    def write(self, files: Mapping[Path, Content]) -> None:
        try:
            for path, content in files.items():
                self.path = path
                self.stage(content)
            for path, temporary in self.staged.items():
                self.path = path
                self.place(temporary)
        except BaseException:
            _despite_signals(self.restore)
            raise
        finally:
            _despite_signals(self.clean)

    def stage(self, content: Content) -> None:
        """Write ``content`` to a temporary file beside the target."""
        folder = self.path.parent
        self.folders += [p for p in (folder, *folder.parents) if not p.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(0, "the parent is not a folder") from None
        kind = _kind(self.path)
        if stat.S_ISLNK(kind) and not self.force:
            raise OSError(0, "it is a symbolic link; name its target, or remove the link")
        if kind and not (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
            raise OSError(0, "it is a folder" if stat.S_ISDIR(kind) else "it is not a regular file")
        remove_leftovers(folder)
        self.staged[self.path] = _temporary(self.path)
        _fill(
            self.staged[self.path],
            content,
            stat.S_IMODE(kind) & 0o777 if stat.S_ISREG(kind) else None,
        )

    def place(self, temporary: Path) -> None:
        """Rename the temporary file to the target.

        With several files, the old file is kept as a backup until all are renamed.
        """
        old = _kept(self.path) if len(self.staged) > 1 and _kind(self.path) else None
        self.placed.append(_Placed(self.path, temporary.lstat().st_ino, old))
        os.replace(temporary, self.path)

    def restore(self) -> None:
        """Undo the batch, except for targets that another process has changed since."""
        for target, inode, old in reversed(self.placed):
            with contextlib.suppress(OSError):
                if target.lstat().st_ino == inode:
                    target.unlink() if old is None else os.replace(old, target)
        self.clean()
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def clean(self) -> None:
        """Remove temporary files and backups."""
        for temporary in (*self.staged.values(), *(p.old for p in self.placed if p.old)):
            with contextlib.suppress(OSError):
                temporary.unlink()


def _despite_signals(action: Callable[[], None]) -> None:
    """Do an action whole: again after the first signal, as those that follow are ignored."""
    try:
        action()
    except (KeyboardInterrupt, SystemExit):
        action()
        raise


def _kind(path: Path) -> int:
    """The mode of ``path`` without following a link; 0 if it does not exist."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def _temporary(target: Path) -> Path:
    """A temporary name beside ``target`` with the ids of the machine and the process.

    With these, a later build can recognise leftover files.
    """
    return target.with_name(
        f".tmp-{_machine()}-{os.getpid()}-{os.urandom(4).hex()}-{target.name[-64:]}"
    )


def _machine() -> str:
    import platform

    return f"{zlib.crc32(platform.node().encode()):08x}"


def _fill(temporary: Path, content: Content, mode: int | None) -> None:
    """Write ``content`` to disk with the ``mode`` of the old file, or the user's default."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        default = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if isinstance(content, str):
            file.write(content)
        elif isinstance(content, bytes):
            file.buffer.write(content)
        else:
            content(temporary)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, default if mode is None else mode)


def _kept(target: Path) -> Path:
    """A backup of ``target`` beside it: a hard link, or a copy if hard links fail."""
    old = _temporary(target)
    try:
        os.link(target, old, follow_symlinks=False)
    except OSError:
        import shutil

        shutil.copy2(target, old, follow_symlinks=False)
    return old


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of killed processes from ``folder``.

    A file is removed if its process does not run any more, or if the file is a day old.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.match(entry.name)
            if match is None:
                continue
            with contextlib.suppress(OSError):
                gone = match[1] == _machine() and not _alive(int(match[2]))
                if gone or entry.stat(follow_symlinks=False).st_mtime < time.time() - _DAY:
                    os.unlink(entry.path)


def _alive(process: int) -> bool:
    if os.name == "nt":
        return True  # on Windows, os.kill with signal 0 ends the process
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def contents(path: Path) -> bytes:
    """The bytes of a regular file; others are not opened, as reading a pipe would block."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(0, "it is not a regular file")
    return path.read_bytes()


def difference(path: Path, content: str | bytes) -> str:
    """A unified diff from the file at ``path`` to ``content``; empty if they are equal.

    For bytes the result only states that they differ.
    """
    name = os.path.normpath(path)
    try:
        found = contents(path)
    except (FileNotFoundError, NotADirectoryError):
        return f"--- {name}\n+++ {name}\n(the file is missing)\n"
    except OSError as error:
        return f"--- {name}\n+++ {name}\n(the file cannot be read: {error.strerror})\n"
    if isinstance(content, bytes):
        return "" if found == content else f"Binary files {name} and {name} (new) differ\n"
    old = found.decode("utf-8", "replace")
    if old == content:
        return ""
    import difflib

    lines = difflib.unified_diff(
        old.splitlines(keepends=True), content.splitlines(keepends=True), name, f"{name} (new)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
