"""The bytes of a spec that the user names: of a file, or from the standard input."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ..yaml.characters import MAX_CHARACTERS

ENOUGH: Final = 4 * MAX_CHARACTERS + 1
"""Bytes to read of a file: one more than is allowed. A UTF-8 character has at most 4."""


def start(path: Path) -> bytes:
    """The beginning of a file: all that may be in a spec, and one byte more."""
    with path.open("rb") as opened:
        return opened.read(ENOUGH)


@dataclass(frozen=True)
class StandardInput(os.PathLike[str]):
    """The spec in the standard input; its paths are relative to the current folder."""

    data: bytes

    @classmethod
    def read(cls, stream: IO[bytes]) -> StandardInput:
        """All that is in a stream, within the limits."""
        return cls(stream.read(ENOUGH))

    def __fspath__(self) -> str:
        return "<stdin>"

    __str__ = __fspath__
