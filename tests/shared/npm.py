"""Programs for tests that npm installs: in one version, into a folder for caches outside of the
repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest


def installed(package: str, version: str) -> Path:
    """The folder ``node_modules`` with a package; without Node.js or npm, the test is skipped, but
    not in CI.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "inception-dsl" / f"{package}-{version}"
    npm = shutil.which("npm")
    if not (folder / "node_modules" / package).exists():
        if npm is None:
            without("npm is not installed")
        try:
            _install(npm, package, version, folder)
        except subprocess.CalledProcessError as error:
            without(f"npm cannot install {package}: {error.stderr[-500:]}")
    return folder / "node_modules"


def without(reason: str) -> NoReturn:
    """Skip a test that lacks a program; fail in CI, where all are installed."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(npm: str, package: str, version: str, folder: Path) -> None:
    """Install a package completely or not at all, as other processes may do the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        call = [npm, "install", "--prefix", str(new), "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*call, f"{package}@{version}"], check=True, capture_output=True, text=True)
        if not folder.exists():
            new.rename(folder)
    except OSError:
        assert folder.exists()  # another process was first
    finally:
        shutil.rmtree(new, ignore_errors=True)
