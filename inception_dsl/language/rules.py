"""The rules of overlays: what a key, a list and ``null`` mean."""

from __future__ import annotations

from typing import Any

from ..yaml.document import DataPath
from .meant import KEPT


def adds(path: DataPath) -> bool:
    """Whether the value at ``path`` is a list of names or notes, to which an overlay adds.

    Parameters, outputs and branches may have the same names.
    """
    if path[-1:] == ("optional",):
        return len(path) == 3 and path[0] == "checkpoints"
    if path[-1:] in (("allow",), ("deviation",)):
        in_part = len(path) == 3 and path[0] in ("blocks", "aux_heads")
        return len(path) == 1 or in_part or isinstance(path[-2], int)
    return path == ("import",)


def places(base: dict[Any, Any], over: dict[Any, Any]) -> dict[Any, list[Any]]:
    """The new keys of ``over`` by the removed key right before them, whose place they take."""
    found: dict[Any, list[Any]] = {}
    removed: Any = None
    for key, value in over.items():
        if key in base:
            removed = key if value is None else None
        elif removed is not None and value is not None:
            found.setdefault(removed, []).append(key)
    return found


def keeps(value: Any) -> bool:
    """Whether a value of an overlay is a list that keeps what was there."""
    return isinstance(value, list) and KEPT in value


def without_nulls(value: Any) -> Any:
    """A value that nothing is there to be changed by: without ``null`` in its mappings."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def step_name(step: Any, index: int) -> str | int:
    """The key of a step in an overlay: its name, the block it uses, or its position."""
    for key in ("name", "use"):
        if isinstance(step.get(key), str):
            return str(step[key])
    return index
