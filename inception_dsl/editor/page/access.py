"""The token of the page: random, and kept for some days, so that an open page can reconnect."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import time
from pathlib import Path
from typing import Final

KEPT: Final = 7 * 24 * 3600
"""Seconds for which a token is used again."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_in(file: Path) -> str:
    """The token in ``file``, which only the user can read; a new one if there is none.

    If the file cannot be written, the token is for this run only.
    """
    with contextlib.suppress(OSError, ValueError):
        if found := _read(file):
            return found
    token = new_token()
    with contextlib.suppress(OSError):
        _write(file, token)
    return token


def _read(file: Path) -> str:
    """The token, if the file is the user's own, private and not too old; else empty."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(file, flags)
    with open(descriptor, encoding="ascii") as opened:
        about = os.fstat(descriptor)
        private = os.name == "nt" or (about.st_uid == os.geteuid() and not about.st_mode & 0o077)
        young = 0 <= time.time() - about.st_mtime < KEPT
        if not (stat.S_ISREG(about.st_mode) and private and young):
            return ""
        text = opened.read(100)
        return text if _TOKEN.fullmatch(text) else ""


def _write(file: Path, token: str) -> None:
    """Write the file as a whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as opened:
            opened.write(token)
        os.replace(new, file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
