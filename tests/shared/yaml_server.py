"""The YAML language server of editors, which checks and completes with the JSON Schema.

It is installed with npm, in one version, into a folder for caches outside of the repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

VERSION: Final = "1.25.0"
_SERVER: Final = "node_modules/yaml-language-server/bin/yaml-language-server"


def command() -> list[str]:
    """The command that starts the server; without Node.js the test is skipped, but not in CI."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "inception-dsl" / f"yaml-language-server-{VERSION}"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or not (folder / _SERVER).exists():
        if node is None or npm is None:
            return _without("Node.js and npm are not installed")
        try:
            _install(npm, folder)
        except subprocess.CalledProcessError as error:
            return _without(f"npm cannot install the server: {error.stderr[-500:]}")
    return [node, str(folder / _SERVER), "--stdio"]


def _without(reason: str) -> list[str]:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(npm: str, folder: Path) -> None:
    """Install the server completely or not at all, as other processes may do the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        call = [npm, "install", "--prefix", str(new), "--ignore-scripts", "--no-audit", "--no-fund"]
        package = f"yaml-language-server@{VERSION}"
        subprocess.run([*call, package], check=True, capture_output=True, text=True)
        if not folder.exists():
            new.rename(folder)
    except OSError:
        assert folder.exists()  # another process was first
    finally:
        shutil.rmtree(new, ignore_errors=True)


def settings(schemas: dict[str, Path]) -> dict[str, object]:
    """The configuration of the server: the schema for each pattern of files."""
    found = {path.as_uri(): [pattern] for pattern, path in schemas.items()}
    yaml = {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},
        "schemas": found,
    }
    return {"yaml": yaml, "http": {}, "[yaml]": {}, "editor": {}, "files": {}}
