"""The rules of overlays: what a key, a list and ``null`` mean."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..yaml.document import DataPath, Document
from .meant import KEPT


def is_variant(block: Any) -> bool:
    """Whether this is a block that extends another one."""
    return isinstance(block, dict) and "extends" in block


def adds(path: DataPath) -> bool:
    """Whether the value at ``path`` is a list of names or notes, to which an overlay adds.

    Parameters, outputs and branches may have the same names.
    """
    if path[-1:] == ("optional",):
        return len(path) == 3 and path[0] == "checkpoints"
    if path[-1:] in (("allow",), ("deviation",)):
        in_part = len(path) == 3 and path[0] in ("blocks", "aux_heads", "outputs")
        return len(path) == 1 or in_part or path[:-1] == ("training",) or isinstance(path[-2], int)
    return path == ("import",)


def replaces(base: dict[Any, Any], over: dict[Any, Any], path: DataPath) -> bool:
    """Whether ``over`` is another optimizer or schedule, which keeps nothing of the old one."""
    recipe = path[:1] == ("training",) and path[-1] in ("optimizer", "schedule", "then")
    other = over.get("name", base.get("name"))
    return recipe and other is not None and other != base.get("name")


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


def without_nulls(value: Any, path: DataPath) -> Any:
    """The value at ``path`` if nothing was there: without ``null`` in its mappings.

    A schedule keeps them: they are what a paper does not say.
    """
    if isinstance(value, dict) and not is_variant(value) and path[:2] != ("training", "schedule"):
        return {k: without_nulls(v, (*path, k)) for k, v in value.items() if v is not None}
    return value


def step_name(step: Any, index: int) -> str | int:
    """The key of a step in an overlay: its name, the block it uses, or its position."""
    for key in ("name", "use"):
        if isinstance(step.get(key), str):
            return str(step[key])
    return index


def layered(base: Document, over: Document) -> tuple[Document, Document]:
    """Both without the changes in ``over`` of blocks that extend another one in ``base``.

    ``layers`` of the base has them, as they change the block once it is whole.
    """
    blocks, changes = (
        document.data.get("blocks") if isinstance(document.data, dict) else None
        for document in (base, over)
    )
    if not isinstance(blocks, dict) or not isinstance(changes, dict):
        return base, over
    layers, kept = dict(base.layers), {}
    for name, change in changes.items():
        if is_variant(blocks.get(name)) and isinstance(change, dict) and "extends" not in change:
            layers[name] = [*layers.get(name, []), over]
        else:
            kept[name] = change
            layers.pop(name, None)
    over = dataclasses.replace(over, data={**over.data, "blocks": kept}, _fields={})
    return dataclasses.replace(base, layers=layers), over
