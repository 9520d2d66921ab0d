"""Reads the files of a spec as plain data, with ``extends`` and ``import`` applied.

Like the rest of the generator, this shares no code with the compiler, which is compared with it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from .random_blocks import Given, Step
from .random_terms import name

BODY: Final = ("title", "description", "paper", "deviation", "allow", "params", "steps")
"""What a block in a file of its own has in common with one under ``blocks``."""
KEPT: Final = "..."
"""In an overlay: what was there."""
_NUMBER: Final = re.compile(r"\d+(\.\d*)?e[+-]?\d+")
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
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)  # text in YAML 1.1, a number in a spec
    found = _NAME.match(value) if isinstance(value, str) else None
    return Given(value, name(found[1]).of) if found else value


def merged(base: Any, over: Any) -> Any:
    """What an overlay makes of its base, by the rules in ``specs/README.md``.

    Notes and allowed warnings, whose lists add up, do not matter here.
    """
    if isinstance(base, dict) and isinstance(over, dict):
        return _mapping(_step(base, over), over)
    if isinstance(base, list) and isinstance(over, dict):
        found: list[Any] = []
        for index, step in enumerate(base):
            change = over.get(index, over.get(selector(step, index), {}))
            if isinstance(change, list):
                found += _spliced([step], change)
            elif change is not None:
                found.append(merged(step, change))
        return found
    if isinstance(base, list) and isinstance(over, list):
        return _spliced(base, over)
    return over


def _spliced(base: list[Any], over: list[Any]) -> list[Any]:
    """A list of an overlay, in which ``...`` is what was there."""
    return [step for item in over for step in (base if item == KEPT else [item])]


def _step(base: Step, over: Step) -> Step:
    """What is left of a step that becomes another op or block; any other mapping."""
    for kind in ("op", "use", "branches"):
        if over.get(kind) is None or (kind in base and base[kind] == over[kind]):
            continue
        if {"op", "use"}.isdisjoint(base) and kind in ("branches", *base):
            continue
        fields = base if KEPT in over else {"name"}
        kept = {k: v for k, v in base.items() if k in fields and k not in ("op", "use", "branches")}
        return {"name": base["use"], **kept} if "use" in base else kept
    return base


def _mapping(base: Step, over: Step) -> Step:
    """A mapping key by key; a new key right after a removed one takes its place."""
    found: Step = {}
    items = [(key, value) for key, value in over.items() if key != KEPT]
    for key, old in base.items():
        if key not in over:
            found[key] = old
        elif over[key] is not None:
            found[key] = merged(old, over[key])
        else:
            at = [key for key, _ in items].index(key) + 1
            for new, value in items[at:]:
                if new in base or value is None:
                    break
                kept = isinstance(value, list) and KEPT in value
                found[new] = merged(old, value) if kept else value
    return {
        **found,
        **{k: v for k, v in items if k not in base and k not in found and v is not None},
    }


def selector(step: Step, index: int) -> str | int:
    """The key that selects a step of a chain in an overlay."""
    name: str | int | None = step.get("name", step.get("use"))
    return index if name is None else name
