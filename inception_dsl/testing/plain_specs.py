"""Reads the files of a spec as plain data, with ``extends`` and ``import`` applied.

Like the rest of the generator, this shares no code with the compiler, which is compared with it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from .random_sizes import Given, Step
from .random_terms import name

BODY: Final = ("title", "description", "paper", "deviation", "allow", "params", "steps")
"""What a block in a file of its own has in common with one under ``blocks``."""
_NAME: Final = re.compile(r"\$([a-z][a-z0-9_]*)\Z")


@cache
def plain_spec(file: Path) -> Step:
    """The data of a spec, with all its blocks under ``blocks``, and ``$name`` as expressions.

    It is not changed: every overlay starts from the same data.
    """
    data = _parsed(yaml.safe_load(file.read_text(encoding="utf-8")))
    imported: Step = {}
    for other in data.pop("import", ()):
        inner = plain_spec(file.parent / other)
        own = {key: inner[key] for key in BODY if key in inner}
        imported |= {**inner.get("blocks", {}), inner["block"]: own}
    extended = data.pop("extends", None)
    base = plain_spec(file.parent / extended) if extended else {}
    found: Step = merged({**base, "blocks": {**base.get("blocks", {}), **imported}}, data)
    return found


def _parsed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _parsed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_parsed(inner) for inner in value]
    found = _NAME.match(value) if isinstance(value, str) else None
    return Given(value, name(found[1]).of) if found else value


def merged(base: Any, over: Any) -> Any:
    """What an overlay makes of its base, by the rules in ``specs/README.md``."""
    if isinstance(base, dict) and isinstance(over, dict):
        kept = {
            key: merged(value, over.get(key, {})) if key in over else value
            for key, value in base.items()
            if over.get(key, value) is not None
        }
        return {**kept, **{key: value for key, value in over.items() if key not in base}}
    if isinstance(base, list) and isinstance(over, dict):
        found: list[Any] = []
        for index, step in enumerate(base):
            change = over.get(index, over.get(selector(step, index), {}))
            if isinstance(change, list):
                found += change
            elif change is not None:
                found.append(merged(step, change))
        return found
    return over


def selector(step: Step, index: int) -> str | int:
    """The key that selects a step of a chain in an overlay."""
    name: str | int | None = step.get("name", step.get("use"))
    return index if name is None else name
