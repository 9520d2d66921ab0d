"""The YAML language server of editors, which checks and completes with the JSON Schema."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from npm import installed, without

VERSION: Final = "1.25.0"
_SERVER: Final = "yaml-language-server/bin/yaml-language-server"


def command() -> list[str]:
    """The command that starts the server; without Node.js the test is skipped, but not in CI."""
    node = shutil.which("node") or without("Node.js is not installed")
    return [node, str(installed("yaml-language-server", VERSION) / _SERVER), "--stdio"]


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
