"""Finds the specs in a folder: the YAML files that name themselves one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..diagnostics.report import SHIPPED, Report
from ..yaml import source
from ..yaml.characters import MAX_CHARACTERS
from .models import Described
from .overlay import FIELDS

SUFFIXES: Final = (".yaml", ".yml")
_COMPOUND: Final = frozenset(["", *"{[&*!|>"])
"""The beginnings of values that are not plain text."""
_OWN: Final = FIELDS - Described.model_fields.keys()
_PASSED: Final = frozenset({"node_modules", "site-packages"})
_NAMING: Final = re.compile(r"\b(?:network|blocks?|extends)\b")
_KEY: Final = re.compile(r"^[\"']?(\w+)[\"']?[ \t]*:(?:[ \t]+(.*?))?[ \t]*$", re.MULTILINE)


def specs_in(folder: Path) -> Iterator[Path]:
    """The specs in a folder and those below it, sorted by name.

    Hidden folders, virtual environments, installed packages and links are passed over.
    """
    for above, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _PASSED
            and not os.path.exists(os.path.join(above, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            path = Path(above, name)
            if name.endswith(SUFFIXES) and not path.is_symlink() and is_spec_file(path):
                yield path


def is_spec_file(path: Path) -> bool:
    """Whether a file names itself a spec."""
    try:
        with path.open("rb") as file:
            return is_spec(file.read(MAX_CHARACTERS).decode(errors="replace"))
    except OSError:
        return False


def is_spec(text: str, *, begun: bool = False) -> bool:
    """Whether a text names itself a spec, or one that is ``begun``.

    It has a ``network`` or ``block`` with a name, ``blocks`` with steps, or ``extends`` a spec; and
    of its other fields, if there are any, at least one that other tools hardly have. What is only
    begun needs none of these.
    """
    text = text.removeprefix("\ufeff")
    if not _NAMING.search(text):
        return False
    document = source.parse(text, "", Report())
    data = document.data if document is not None else _fields(text)
    if not isinstance(data, dict):
        return False
    named = [name for name in data if _names(name, data[name])]
    others = data.keys() - set(named)
    return bool(named) and (begun or not others or bool(others & _OWN) or len(named) > 1)


def _fields(text: str) -> dict[str, Any]:
    """The fields at the top of a text that is not valid YAML, with the texts of their values."""
    found = {name: value.strip("\"' \r") for name, value in _KEY.findall(text)}
    return {name: value if value[:1] not in _COMPOUND else {} for name, value in found.items()}


def _names(field: object, value: Any) -> bool:
    """Whether a field at the top says that the file is a spec."""
    if field in ("network", "block"):
        return not isinstance(value, dict | list)
    if field == "blocks":
        blocks = value.values() if isinstance(value, dict) else ()
        return any(isinstance(b, dict) and b.keys() & {"steps", "extends"} for b in blocks)
    text = value if field == "extends" and isinstance(value, str) else ""
    return text.startswith(SHIPPED) or text.endswith(SUFFIXES)
