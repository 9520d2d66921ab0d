"""Reads the files that a spec names, but only inside one folder, the root.

The root is the folder in ``--root`` or ``INCEPTION_DSL_ROOT``; else the nearest folder above the
spec with a file ``.inception-dsl-root``; else the spec's own folder. Files outside the root are not
opened, links are not followed, and only regular files are read. Error messages do not reveal
whether a file outside the root exists.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

VARIABLE: Final = "INCEPTION_DSL_ROOT"
MARKER: Final = ".inception-dsl-root"


class OutsideError(Exception):
    """A file that the spec must not read; the message says why, ``help`` how to fix it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def root_of(spec: Path, given: str | os.PathLike[str] | None = None) -> Path:
    """The root for the spec at ``spec``; ``given`` takes precedence."""
    given = given or os.environ.get(VARIABLE)
    return Path(os.path.realpath(given)) if given else own_root(spec)


def own_root(spec: Path) -> Path:
    """The root for the spec at ``spec`` if none is given."""
    folder = Path(os.path.realpath(spec.parent))
    return next((f for f in (folder, *folder.parents) if _marked(f)), folder)


def _marked(folder: Path) -> bool:
    """Whether ``folder`` has the marker file.

    In a folder where everyone can write, such as ``/tmp``, it must belong to the user or to root.
    """
    try:
        marker, about = os.lstat(folder / MARKER), os.stat(folder)
    except (OSError, ValueError):
        return False
    shared = os.name != "nt" and about.st_mode & stat.S_IWOTH
    return stat.S_ISREG(marker.st_mode) and not (shared and marker.st_uid not in (os.geteuid(), 0))


def read_inside(folder: Path, wanted: str, root: Path, limit: int) -> bytes:
    """At most ``limit`` bytes of the file ``wanted``, relative to ``folder``.

    Raises :class:`OutsideError` if it must not be read, ``OSError`` if it cannot be read.
    """
    if wanted.startswith(("/", "~")) or "\\" in wanted or ":" in wanted or not wanted.isprintable():
        raise OutsideError(
            "is not a relative path", "write a path relative to this file's folder, with `/`"
        )
    target = os.path.normpath(os.path.join(os.path.realpath(folder), wanted))
    if not Path(target).is_relative_to(root):
        above = os.path.relpath(os.path.commonpath((root, target)))
        help = f"write `--root {above}`, or put a file `{MARKER}` into that folder"
        raise OutsideError("is outside the root folder", help)
    descriptor = _open(root, Path(target).relative_to(root).parts, os.O_NONBLOCK)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OutsideError("is not a regular file")
        if about.st_nlink > 1:
            raise OutsideError(
                "has another hard link, which may be outside the root", "use a copy of the file"
            )
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def names_inside(folder: Path, wanted: str, root: Path) -> list[str]:
    """The sorted names in the folder ``wanted``, relative to ``folder``.

    Empty if it must not or cannot be read.
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
    """Open a file or folder part by part, so that no part can be a link.

    This also excludes a link that is created during the call.
    """
    if os.open not in os.supports_dir_fd:  # Windows
        target = root.joinpath(*parts)
        if Path(os.path.realpath(target)) != target or not target.is_file():
            raise OutsideError("is not a regular file, or its path contains a link")
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
        raise OutsideError("is a link, or its path contains one", "use a copy of the file")
    if not flag & os.O_DIRECTORY and not stat.S_ISREG(mode):
        raise OutsideError("is not a regular file")  # opening a device can have side effects
    return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | flag, dir_fd=here)
