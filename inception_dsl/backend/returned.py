"""What is wrong with the files that a backend returns, in words after its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..diagnostics.text import printable
from .protocol import SCRIPT, Backend, Request

FILE_NAME: Final = re.compile(r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*")
"""The names that files of a backend may have."""


def unusable(files: Mapping[str, str | bytes] | None, request: Request, backend: Backend) -> str:
    """What is wrong with the files of a backend; empty if nothing is."""
    stem, suffix = request.name, backend.suffix
    if not files:
        left_out = files is not None and backend.documents and request.others
        return "" if left_out else "returned no files"
    for name, content in files.items():
        own = isinstance(name, str) and name.startswith((stem, f"{SCRIPT}{stem}"))
        if not own or not FILE_NAME.fullmatch(name):
            return f"returned a file with the invalid name `{printable(str(name)[:80])}`"
        if not isinstance(content, str | bytes):
            return f"returned neither text nor bytes for `{name}`"
        if isinstance(content, str) and (half := re.search("[\ud800-\udfff]", content)):
            line = content.count("\n", 0, half.start()) + 1
            return f"returned half a surrogate pair in line {line} of `{name}`, which is no text"
    first = next(iter(files))
    expected = f"{stem}{suffix}"
    return (
        ""
        if first == expected or backend.documents
        else f"returned `{first}` first, expected `{expected}`"
    )


def not_python(files: Mapping[str, str | bytes]) -> str:
    """What is wrong with the Python files of a backend of another package."""
    for name, content in files.items():
        if not name.endswith(".py"):
            continue
        try:
            compile(content, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            return f"returned a file that is not valid Python: {name}:{line}: {_text(error)}"
    return ""


def _text(error: SyntaxError | ValueError) -> str:
    return printable(error.msg if isinstance(error, SyntaxError) else str(error))
