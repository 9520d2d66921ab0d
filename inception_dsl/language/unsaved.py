"""Texts that an editor has open: the compiler reads them in place of the files on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Final

_OPEN: Final[ContextVar[Mapping[str, bytes]]] = ContextVar("open", default=MappingProxyType({}))


@contextmanager
def unsaved(texts: Mapping[str, str]) -> Iterator[None]:
    """Read ``texts``, by the paths of their files, in place of these files."""
    # what is no valid Unicode is reported when it is read
    found = {_key(path): text.encode(errors="surrogatepass") for path, text in texts.items()}
    before = _OPEN.set(found)
    try:
        yield
    finally:
        _OPEN.reset(before)


def is_file(path: Path) -> bool:
    """Whether there is such a file, on the disk or only in the editor.

    Anything else in its place, such as a pipe, is no file: it is not opened.
    """
    return path.is_file() or (_key(path) in _OPEN.get() and not path.exists())


def contents(path: Path, read: Callable[[], bytes]) -> bytes:
    """The text in the editor; else what ``read`` returns.

    A file is read in any case, so that one that must not be read is an error here too.
    """
    text = _OPEN.get().get(_key(path))
    try:
        found = read()
    except FileNotFoundError:
        if text is None:
            raise
        return text  # a new file
    return found if text is None else text


def _key(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    return text if "\0" in text else os.path.realpath(text)
