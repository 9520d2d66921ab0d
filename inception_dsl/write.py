"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from .diagnostics import Report, Span

Content: TypeAlias = str | Callable[[Path], None]


def write_all(files: Mapping[Path, Content], report: Report) -> bool:
    """Write every file, or none: each goes to a file beside its target first, then all take their places.

    A content is a text, or a function that writes the file at the path that it is given, which has the target's ending.
    """
    staged: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in files.items():
            target = Path(os.path.realpath(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError(0, "it is a directory")
            staged.append((_stage(target, content), target))
        for temporary, target in staged:
            path = target
            os.replace(temporary, target)
    except OSError as error:
        span = Span(os.path.normpath(path), 1, 1, 1, 2)
        report.error("E601", f"{os.path.normpath(path)} cannot be written: {error.strerror or error}", span)
        return False
    finally:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return True


def _stage(target: Path, content: Content) -> Path:
    """A file beside ``target`` with ``content`` on the disk; its mode is the user's default, or what ``target`` has."""
    temporary = target.with_name(f".tmp-{os.urandom(4).hex()}-{target.name}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        mode = (target.stat() if target.exists() else os.fstat(descriptor)).st_mode & 0o777
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            if isinstance(content, str):
                file.write(content)
            else:
                content(temporary)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def difference(path: Path, text: str) -> str:
    """A unified diff from the file at ``path`` to ``text``; empty where they are the same."""
    name = os.path.normpath(path)
    try:
        old = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return f"--- {name}\n+++ {name}\n(the file is missing)\n"
    if old == text:
        return ""
    import difflib

    lines = difflib.unified_diff(old.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (new)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
