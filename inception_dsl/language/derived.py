"""What a changed network, block or auxiliary head says of the original.

Its title, description, paper and deviations are those of the original, not of what an overlay makes
of it: one text takes their place, ``Inception-v4 (Szegedy et al., 2016)`` in ``modified_from``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..diagnostics.report import Span
from ..yaml.document import DataPath, Document

FIELD: Final = "modified_from"
_ABOUT: Final = ("title", "description", "paper", "deviation", FIELD)
_PARTS: Final = ("blocks", "aux_heads", "outputs")
_MEANING: Final = frozenset({"params", "steps", "after"})
_AUTHORS: Final = re.compile(r",? and |, | & ")


def derived(
    base: Document, over: Document, names: Mapping[str, str] = MappingProxyType({})
) -> Document:
    """``base`` with ``modified_from`` in all parts that ``over`` changes.

    ``names`` are those of the originals of blocks, if they are called otherwise here.
    """
    found = _changed(base.data, over)
    return _without(base, found, names) if found else base


def _changed(base: Any, over: Document) -> dict[DataPath, Span]:
    """The parts that ``over`` changes, each with the location that says so."""
    if not isinstance(base, dict) or not isinstance(over.data, dict):
        return {}
    found: dict[DataPath, Span] = {}
    if "extends" in over.data:
        found[()] = over.span(("extends",))
    for part in _PARTS:
        old, new = _mapping(base.get(part)), _mapping(over.data.get(part))
        for name in old.keys() & new.keys():
            if isinstance(old[name], dict) and not _MEANING.isdisjoint(_mapping(new[name])):
                found[part, name] = over.key_span((part, name))
    return found


def _without(base: Document, parts: Mapping[DataPath, Span], names: Mapping[str, str]) -> Document:
    data = {**base.data}
    for path in parts:
        if path:
            data[path[0]] = {**data[path[0]]}
    for path in parts:
        if path:
            name = names.get(str(path[1]), str(path[1]))
            data[path[0]][path[1]] = _about(data[path[0]][path[1]], name)
    data = _about(data, "") if () in parts else data
    spans, keys = (
        {p: span for p, span in table.items() if not _dropped(p, parts)}
        for table in (base.spans, base.keys)
    )
    for path, span in parts.items():
        spans[*path, FIELD] = keys[*path, FIELD] = span
    original = _original(base) if () in parts else base.original
    return dataclasses.replace(base, data=data, spans=spans, keys=keys, original=original)


def _original(base: Document) -> dict[str, str]:
    """The paper of a file, or of what it extends."""
    paper = _mapping(_mapping(base.data).get("paper"))
    return {str(k): text for k, v in paper.items() if (text := _text(v))} or base.original


def _about(part: dict[Any, Any], name: str) -> dict[Any, Any]:
    return {**{k: v for k, v in part.items() if k not in _ABOUT}, FIELD: origin(part, name)}


def _dropped(path: DataPath, parts: Mapping[DataPath, Span]) -> bool:
    """Whether ``path`` is in a field of a part, which is the whole spec or a block or a head."""
    return any(len(path) > n and path[n] in _ABOUT and path[:n] in parts for n in (0, 2))


def origin(part: Mapping[Any, Any], name: str = "") -> str:
    """How to name the original: its title, or else its id ``name``, with its source."""
    name = name or _text(part.get("network")) or _text(part.get("block"))
    title = _text(part.get("title")) or name or "another spec"
    if above := _text(part.get(FIELD)):
        return f"{title}, modified from {above}"
    cited = _cited(_mapping(part.get("paper")))
    return f"{title} ({cited})" if cited else title


def _cited(paper: Mapping[Any, Any]) -> str:
    """``Szegedy et al., 2016``; without authors, the title or the arXiv identifier."""
    given = {key: _text(value) for key, value in paper.items()}
    who = _short(given.get("authors", "")) or given.get("title", "")
    if not who and given.get("arxiv"):
        who = f"arXiv:{given['arxiv']}"
    where = next((f"{k} {given[k]}" for k in ("figure", "table", "section") if given.get(k)), "")
    return ", ".join(filter(None, (who, given.get("year") or where)))


def _short(authors: str) -> str:
    names = [name.strip() for name in _AUTHORS.split(authors) if name.strip()]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if is_text else ""
