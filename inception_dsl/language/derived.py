"""What a changed network, block or auxiliary head says of the original.

Its title, description, paper and deviations are those of the original, not of what an overlay makes
of it: one text takes their place, ``Inception-v4 (Szegedy et al., 2016)`` in ``modified_from``.
Where an overlay cites another paper, notes inside of it go, too, as they speak of the old one; so
does what the old one does not say: ``null`` in ``training``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..diagnostics.report import Span
from ..yaml.document import DataPath, Document
from .notes import ABOUT, PARTS, described, is_note

FIELD: Final = "modified_from"
SETTING: Final = "--set "
"""How the file of a location in a setting begins."""
_MEANING: Final = frozenset({"params", "steps", "after"})
_NETWORK: Final = (
    *("stem", "body", "head", "steps", "blocks", "aux_heads"),
    *("defaults", "width", "divisor", "minimum"),
)
"""Fields that make another network of it, even if ``--set`` changes only one of them."""
_SAME: Final = ("title", "arxiv", "doi", "url")
"""Fields of ``paper`` of which one tells that it is the same paper."""
_AUTHORS: Final = re.compile(r",? and |, | & ")


def derived(
    base: Document, over: Document, names: Mapping[str, str] = MappingProxyType({})
) -> Document:
    """``base`` with ``modified_from`` in all parts that ``over`` changes.

    ``names`` are those of the originals of blocks, if they are called otherwise here.
    """
    found, given = _changed(base.data, over), base.data
    base = _without(base, found, names) if found else base
    for path in found:
        old, new = (_mapping(_at(data, (*path, "paper"))) for data in (given, over.data))
        if new and not any(old.get(key) == new[key] for key in _SAME if key in new):
            base = _silent(base, path)
    return base


def modified(base: Document, changed: Document, field: str | int, cause: Span) -> Document:
    """``changed``, which the setting of a field at ``cause`` made of ``base``, with
    ``modified_from`` if it is another network.

    With other classes, inputs, values of parameters or training it is still that of the paper.
    """
    if field not in _NETWORK or not isinstance(base.data, dict):
        return changed
    old, new = (described(document.data.get(field), (field,)) for document in (base, changed))
    same = old == new and base.layers.keys() == changed.layers.keys()
    above = base.spans.get((FIELD,))
    known = above is not None and above.file.startswith(SETTING)  # it is of the setting before
    return changed if same or known else _without(changed, {(): cause}, {})


def _changed(base: Any, over: Document) -> dict[DataPath, Span]:
    """The parts that ``over`` changes, each with the location that says so."""
    if not isinstance(base, dict) or not isinstance(over.data, dict):
        return {}
    found: dict[DataPath, Span] = {}
    if "extends" in over.data:
        found[()] = over.span(("extends",))
    for part in PARTS:
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
    return dataclasses.replace(base, data=data, spans=spans, keys=keys)


def _silent(base: Document, path: DataPath) -> Document:
    """``base`` without notes in the part at ``path``, and without what its paper does not say.

    A part inside of it that has a paper of its own keeps its notes.
    """
    kept = _kept(base.data, (), path)
    spans, keys = (
        {p: span for p, span in table.items() if _has(kept, p)} for table in (base.spans, base.keys)
    )
    return dataclasses.replace(base, data=kept, spans=spans, keys=keys, _fields={})


def _kept(value: Any, here: DataPath, path: DataPath) -> Any:
    inside = here[: len(path)] == path
    if isinstance(value, list):
        return [_kept(item, (*here, index), path) for index, item in enumerate(value)]
    if not isinstance(value, dict) or (inside and len(here) > len(path) and "paper" in value):
        return value
    unsaid = here[:1] == ("training",)
    return {
        key: _kept(item, (*here, key), path)
        for key, item in value.items()
        if not inside or not (is_note((*here, key)) or (unsaid and item is None))
    }


def _has(value: Any, path: DataPath) -> bool:
    """Whether data has a value at ``path``."""
    for part in path:
        items = range(len(value)) if isinstance(value, list) else ()
        if part not in (value if isinstance(value, dict) else items):
            return False
        value = value[part]
    return True


def _about(part: dict[Any, Any], name: str) -> dict[Any, Any]:
    return {**{k: v for k, v in part.items() if k not in ABOUT}, FIELD: origin(part, name)}


def _dropped(path: DataPath, parts: Mapping[DataPath, Span]) -> bool:
    """Whether ``path`` is in a field of a part, which is the whole spec or a block or a head."""
    return any(len(path) > n and path[n] in ABOUT and path[:n] in parts for n in (0, 2))


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


def _at(value: Any, path: DataPath) -> Any:
    for part in path:
        value = _mapping(value).get(part)
    return value


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if is_text else ""
