"""Files that a spec asks for: read inside of one folder only, whatever the spec says.

The root is what ``INCEPTION_DSL_ROOT`` (``--root``) names, else the nearest folder above the spec
that holds a file ``.inception-dsl-root``, else the spec's own folder. Nothing outside is opened, no
link is followed, and what is no plain file is not read. What is said of a file outside does not
depend on whether there is one.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

VARIABLE: Final = "INCEPTION_DSL_ROOT"
MARKER: Final = ".inception-dsl-root"


class OutsideError(Exception):
    """The spec must not read this; the message says why, ``help`` what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def root_of(spec: Path, given: str | os.PathLike[str] | None = None) -> Path:
    """The folder in which the spec at ``spec``, named by the user, may read.

    ``given`` goes before all else.
    """
    given = given or os.environ.get(VARIABLE)
    if given:
        return Path(os.path.realpath(given))
    folder = Path(os.path.realpath(spec.parent))
    return next((f for f in (folder, *folder.parents) if _marked(f)), folder)


def _marked(folder: Path) -> bool:
    """Whether ``folder`` has the marker.

    Where everybody may write, as in ``/tmp``, it must be the user's own.
    """
    try:
        marker, about = os.lstat(folder / MARKER), os.stat(folder)
    except (OSError, ValueError):
        return False
    shared = os.name != "nt" and about.st_mode & stat.S_IWOTH
    return stat.S_ISREG(marker.st_mode) and not (shared and marker.st_uid not in (os.geteuid(), 0))


def read_inside(folder: Path, wanted: str, root: Path, limit: int) -> bytes:
    """At most ``limit`` bytes of the file that a spec in ``folder`` calls ``wanted``.

    Raises :class:`OutsideError` where it must not be read, ``OSError`` where it cannot be.
    """
    if wanted.startswith(("/", "~")) or "\\" in wanted or ":" in wanted or not wanted.isprintable():
        raise OutsideError("is not a relative path", "write it from this file's folder, with `/`")
    target = os.path.normpath(os.path.join(os.path.realpath(folder), wanted))
    if not Path(target).is_relative_to(root):
        help = (
            f"it is the first spec's folder, the one above it with a file `{MARKER}`, or "
            "that of `--root`"
        )
        raise OutsideError("leads out of the folder that specs are read from", help)
    descriptor = _open(root, Path(target).relative_to(root).parts, os.O_NONBLOCK)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OutsideError("is not a file")
        if about.st_nlink > 1:
            raise OutsideError(
                "has another hard link, which may stand anywhere", "use a copy of the file"
            )
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def names_inside(folder: Path, wanted: str, root: Path) -> list[str]:
    """What stands in what a spec in ``folder`` calls ``wanted``.

    Nothing where that must not or cannot be read.
    """
    target = Path(os.path.normpath(os.path.join(os.path.realpath(folder), wanted)))
    try:
        if os.open not in os.supports_dir_fd:  # Windows
            return (
                sorted(os.listdir(target))
                if target.is_relative_to(root) and not os.path.islink(target)
                else []
            )
        descriptor = _open(root, target.relative_to(root).parts, os.O_DIRECTORY)
        try:
            return sorted(os.listdir(descriptor))
        finally:
            os.close(descriptor)
    except (OutsideError, OSError, ValueError):
        return []


def _open(root: Path, parts: tuple[str, ...], flag: int) -> int:
    """The file or folder, opened part by part, so that none of them is a link, not even one that
    appears meanwhile.
    """
    if os.open not in os.supports_dir_fd:  # Windows
        target = root.joinpath(*parts)
        if Path(os.path.realpath(target)) != target or not target.is_file():
            raise OutsideError("is not a file, or is behind a link")
        return os.open(target, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = _step(part, os.O_DIRECTORY, here)
            os.close(here)
            here = below
        return _step(parts[-1], flag, here) if parts else os.dup(here)
    finally:
        os.close(here)


def _step(part: str, flag: int, here: int) -> int:
    mode = os.stat(part, dir_fd=here, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        raise OutsideError("is a link, or is behind one", "use a copy of the file")
    if not flag & os.O_DIRECTORY and not stat.S_ISREG(mode):
        raise OutsideError("is not a file")  # opening a device may already do something
    return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | flag, dir_fd=here)
