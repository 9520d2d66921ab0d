"""Copies of blocks of imported files, which overlays and variants can change."""

from __future__ import annotations

import dataclasses

from ..yaml.document import DataPath, Document
from .defaults import given_in, joined
from .overlay import BODY


def with_block(base: Document, name: str, source: Document, path: DataPath = ()) -> Document:
    """``base`` with a copy of the block at ``path`` of another document under its ``blocks``, so
    that it can be changed.

    Locations are those in ``source``. Its imports, defaults and other blocks are not copied: an
    imported file is still imported. A block under ``blocks`` still extends what it extends there.
    """
    block, place, size = source.data, ("blocks", name), len(path)
    for part in path:
        block = block[part]
    own = base.data.get("blocks")
    body = {
        key: value for key, value in block.items() if key in BODY and (path or key != "extends")
    }
    blocks = {**(own if isinstance(own, dict) else {}), name: body}
    tables = []
    for old, other in ((base.spans, source.spans), (base.keys, source.keys)):
        table = {p: span for p, span in old.items() if p[:2] != place or p == place}
        inner = {p[size:]: span for p, span in other.items() if p[:size] == path and p != path}
        table |= {(*place, *p): span for p, span in inner.items() if p[0] in BODY}
        tables.append(table)
    spans, keys = tables
    spans.setdefault(place, source.span(path))
    return dataclasses.replace(
        base,
        data={**base.data, "blocks": blocks},
        spans=spans,
        keys=keys,
        given=joined(base.given, given_in(source.data)),
        copied={**base.copied, name: source.span(path)},
        _fields={},
    )
