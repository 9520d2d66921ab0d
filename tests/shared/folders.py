"""Folders for what a module prepares once, for all of its tests."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


def prepared_folder() -> Path:
    """A new folder, which is removed with all others when the process ends."""
    return Path(tempfile.mkdtemp(dir=_all()))


@cache
def _all() -> str:
    found = tempfile.mkdtemp(prefix="inception-dsl-")
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found
