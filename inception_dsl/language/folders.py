"""Finds the specs in a folder: the YAML files that name themselves one."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from ..diagnostics.report import SHIPPED, Report
from ..ops import OPS
from ..yaml import source
from ..yaml.characters import MAX_CHARACTERS
from .models import Described
from .overlay import FIELDS

SUFFIXES: Final = (".yaml", ".yml")
_COMPOUND: Final = frozenset(["", *"{[&*!|>"])
"""The beginnings of values that are not plain text."""
_OWN: Final = FIELDS - Described.model_fields.keys()
_PASSED: Final = frozenset({"node_modules", "site-packages"})
_STEP: Final = re.compile(rf"\bop[\"']?:[ \t]+[\"']?(?:{'|'.join(OPS)})\b")
_NAMING: Final = re.compile(rf"\b(?:network|blocks?|extends)\b|{SHIPPED}|{_STEP.pattern}")
_KEY: Final = re.compile(r"^[\"']?(\w+)[\"']?[ \t]*:(?:[ \t]+(.*?))?[ \t]*$", re.MULTILINE)


def specs_in(folder: Path, failed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """The specs in a folder and those below it, sorted by name.

    Hidden folders, virtual environments, installed packages and links are passed over. ``failed``
    is called for folders that cannot be read.
    """
    for above, folders, files in os.walk(folder, onerror=failed):
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
    """Whether a file names itself a spec, or cannot be read, which the compiler reports."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CHARACTERS)
    except PermissionError:
        return True
    except OSError:
        return False
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return is_spec(data.decode("utf-16" if wide else "utf-8", errors="replace"))


def is_spec(text: str, *, begun: bool = False) -> bool:
    """Whether a text names itself a spec, or one that is ``begun``.

    It has a ``network`` or ``block`` with a name, ``blocks`` with steps, or ``extends`` a spec; and
    of its other fields, if there are any, at least one that other tools hardly have. What is only
    begun needs none of these. Where one of these is misspelled, an op in the text says so.
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
    if named and (begun or not others or others & _OWN or len(named) > 1):
        return True
    if begun and "extends" in data and data["extends"] is None:
        return True
    if any(isinstance(value, str) and value.startswith(SHIPPED) for value in data.values()):
        return True
    return (bool(named) or len(others & _OWN) > 1) and bool(_STEP.search(text))


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
