"""Notes: texts that describe the mapping in which they stand, with all below.

``note`` in ``training``, and ``deviation`` of the file, of a block, a head or an output, of a step
and of ``training``. An overlay that changes what a note describes leaves it out.
"""

from __future__ import annotations

from typing import Any, Final

from ..yaml.document import DataPath
from . import rules

PARTS: Final = ("blocks", "aux_heads", "outputs")
"""Fields of a file with parts by name, which have texts of their own."""
ABOUT: Final = ("title", "description", "paper", "deviation", "modified_from")
"""Texts on the file or on such a part."""


def is_note(path: DataPath) -> bool:
    """Whether the field at ``path`` is a note; a parameter or a branch may be called like one."""
    if path[-1:] == ("note",):
        return path[0] == "training"
    return path[-1:] == ("deviation",) and rules.adds(path)


def outdated(
    base: dict[Any, Any], over: dict[Any, Any], merged: dict[Any, Any], path: DataPath
) -> list[Any]:
    """The notes of ``base`` that do not hold for ``merged``, which ``over`` made of it.

    ``...`` keeps a note, and a text in its place replaces it. Those of the whole file are for
    :mod:`.derived`.
    """
    found = [
        key
        for key in base
        if path
        and key in merged
        and is_note((*path, key))
        and not rules.keeps(over.get(key))
        and (over.get(key) is None or rules.adds((*path, key)))
    ]
    same = not found or described(base, path) == described(merged, path)
    return [] if same else found


def described(value: Any, path: DataPath) -> Any:
    """What sets something in the value at ``path``: it without texts, names of steps, ``allow`` and
    ``null``.
    """
    if isinstance(value, list):
        return [described(item, (*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    return {
        key: described(inner, (*path, key))
        for key, inner in value.items()
        if inner is not None and not _is_text((*path, key))
    }


def _is_text(path: DataPath) -> bool:
    """Whether a field changes neither the network nor its training."""
    if path[0] == "training":
        return is_note(path)
    if isinstance(path[-2], int):
        return path[-1] in ("deviation", "allow", "name")
    return len(path) == 3 and path[0] in PARTS and path[-1] in (*ABOUT, "allow")
