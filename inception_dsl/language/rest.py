"""Removes the parts of a spec that have errors, so that the rest can be checked.

A step with an error becomes a :class:`Rest`, a step of unknown type that keeps its name, its
branches and the block it uses. An invalid chain becomes a single such step. Any other part is
removed, with everything that needs it. So every error is reported, but not what follows from it.
"""

from __future__ import annotations

from typing import Any, Final

from ..yaml.document import DataPath

CHAINS: Final = frozenset({"steps", "stem", "body", "head"})
_KEPT: Final = ("name", "use", "branches")
_LOST: Final = "unnamed"


class Rest(dict[Any, Any]):
    """The rest of a mapping that had an error."""


class Every(dict[Any, Any]):
    """A step whose repetitions differ: ``each`` has a step for each of them."""


def copied(data: Any) -> Any:
    """A copy that :func:`drop` can change."""
    if isinstance(data, dict):
        return type(data)({key: copied(value) for key, value in data.items()})
    return [copied(value) for value in data] if isinstance(data, list) else data


def drop(data: Any, path: DataPath) -> DataPath | None:
    """Remove the part at ``path`` in place, and return the path of what was removed.

    ``None`` if nothing is left.
    """
    at = next((i for i in range(len(path) - 1, 0, -1) if is_step(path, i)), None)
    if at is not None:
        chain, index = _get(data, path[:at]), path[at]
        if isinstance(chain, list) and isinstance(index, int) and index < len(chain):
            chain[index] = _step(chain[index], path[at + 1 :])
        return path
    while path:
        owner, key, replacement = _get(data, path[:-1]), path[-1], _replacement(path)
        holds = isinstance(owner, dict | list)
        if holds and replacement is not None:
            owner[key] = replacement
            return path
        if isinstance(owner, dict) and key in owner:
            del owner[key]
            return path
        path = path[:-1]
    return None


def is_step(path: DataPath, index: int) -> bool:
    """Whether the part of ``path`` at ``index`` is the position of a step in a chain."""
    if not isinstance(path[index], int) or index < 1:
        return False
    return path[index - 1] in CHAINS or (index > 1 and path[index - 2] == "branches")


def _replacement(path: DataPath) -> Any:
    """A replacement for a field that is required; else ``None``."""
    if path[-1] in CHAINS and (len(path) == 1 or path[-1] == "steps"):
        return [Rest()]
    if path == ("input",):
        return Rest()
    # the other imports keep their positions
    if path in (("network",), ("block",)) or (path[:-1] == ("import",)):
        return _LOST
    return 0.0 if path[-1] == "loss_weight" else None


def _step(step: Any, wrong: DataPath) -> Rest:
    if not isinstance(step, dict):
        return Rest()
    rest = Rest({k: v for k, v in step.items() if k in _KEPT and not (wrong and k == wrong[0])})
    if len(wrong) > 1 and wrong[0] == "branches" and isinstance(step["branches"], dict):
        rest["branches"] = {k: v for k, v in step["branches"].items() if k != wrong[1]}
    return rest


def _get(data: Any, path: DataPath) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data):
            data = data[part]
        else:
            return None
    return data
