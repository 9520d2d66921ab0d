"""One spec laid over another: what ``extends`` and ``--set`` do.

A mapping over a mapping changes the keys it has; ``null`` removes one; anything else replaces. A
mapping over a list of steps picks steps by name (or the block's id, or the position): a mapping
changes the step, a list puts other steps in its place, ``null`` removes it. An imported block that
is changed under ``blocks`` counts as one of the spec's own.
"""

from __future__ import annotations

from typing import Any, Final

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..yaml.document import DataPath, Document
from ..yaml.edits import Editor
from .models import BlockBody

BODY: Final = frozenset(BlockBody.model_fields)


def overlay(base: Document, over: Document, report: Report) -> Document:
    """A new document, without what fits nothing in ``base``.

    Positions point at the file that each part is from.
    """
    merger = _Merger(base, over, report)
    if isinstance(base.data, dict) and isinstance(over.data, dict):
        data = {k: v for k, v in over.data.items() if k != "extends"}
        kinds = {"network", "block"}
        if kinds & data.keys():
            base_data = {k: v for k, v in base.data.items() if k not in kinds}
            first = next(k for k in data if k in kinds)
            base_data = {first: base.data.get(first), **base_data}
        else:
            base_data = base.data
        merged = merger.mapping(base_data, data, (), (), ())
    else:
        merged = over.data
    document = Document(over.file, merged, merger.spans, merger.keys)
    merger.spans[()] = over.span(())
    return document


def with_block(base: Document, imported: Document) -> Document:
    """``base`` with the block of an imported file under its ``blocks``.

    Positions point into that file.

    Imports, defaults and further blocks of the file stay where they are: it is linked all the same.
    """
    name = imported.data["block"]
    body = {k: v for k, v in imported.data.items() if k in BODY}
    found = Document(base.file, {**base.data}, dict(base.spans), dict(base.keys))
    own = base.data.get("blocks")
    found.data["blocks"] = {**(own if isinstance(own, dict) else {}), name: body}
    for place, table in ((imported.spans, found.spans), (imported.keys, found.keys)):
        table.update(
            {
                ("blocks", name, *path): span
                for path, span in place.items()
                if path and path[0] in BODY
            }
        )
    found.spans["blocks", name] = imported.span(())
    return found


class _Merger:
    def __init__(self, base: Document, over: Document, report: Report) -> None:
        self.base, self.over, self.report = base, over, report
        self.spans: dict[DataPath, Span] = {}
        self.keys: dict[DataPath, Span] = {}
        self.children = {id(document): _children(document) for document in (base, over)}

    def copy(self, document: Document, old: DataPath, new: DataPath) -> None:
        """Take over the positions of a part that is used unchanged."""
        index = self.children[id(document)]
        stack: list[DataPath] = [()]
        while stack:
            rest = stack.pop()
            if old + rest in document.spans:
                self.spans[new + rest] = document.spans[old + rest]
            if old + rest in document.keys:
                self.keys[new + rest] = document.keys[old + rest]
            stack += [(*rest, part) for part in index.get(old + rest, ())]

    def value(self, base: Any, over: Any, old: DataPath, top: DataPath, new: DataPath) -> Any:
        if isinstance(base, dict) and isinstance(over, dict):
            return self.mapping(base, over, old, top, new)
        if (
            isinstance(base, list)
            and isinstance(over, dict)
            and all(isinstance(s, dict) for s in base)
        ):
            return self.chain(base, over, old, top, new)
        self.copy(self.over, top, new)
        return over

    def mapping(
        self,
        base: dict[Any, Any],
        over: dict[Any, Any],
        old: DataPath,
        top: DataPath,
        new: DataPath,
    ) -> dict[Any, Any]:
        merged: dict[Any, Any] = {}
        for key, value in base.items():
            if key not in over:
                merged[key] = value
                self.copy(self.base, (*old, key), (*new, key))
            elif over[key] is not None:
                merged[key] = self.value(value, over[key], (*old, key), (*top, key), (*new, key))
                self.keys[(*new, key)] = self.over.key_span((*top, key))
        for key, value in over.items():
            if key not in base:
                merged[key] = value
                self.copy(self.over, (*top, key), (*new, key))
        self.spans[new] = self.base.span(old)
        return merged

    def chain(
        self, base: list[Any], over: dict[Any, Any], old: DataPath, top: DataPath, new: DataPath
    ) -> list[Any]:
        names = {step_name(step, i): i for i, step in enumerate(base)}
        picked: dict[int, Any] = {}
        for key in over:
            index = key if isinstance(key, int) and 0 <= key < len(base) else names.get(key)
            if index is None:
                known = [str(n) for n in names]
                help = suggestion(str(key), known, what="steps")
                best, editor = nearest(str(key), known), Editor(self.over, self.report.texts)
                fix = editor.rename((*top, key), best) if best else ()
                span = self.over.key_span((*top, key))
                self.report.error(
                    "E310", f"there is no step `{key}` here", span, help=help, fix=fix
                )
            else:
                picked[index] = key
        merged: list[Any] = []
        for i, step in enumerate(base):
            place = (*new, len(merged))
            if i not in picked:
                merged.append(step)
                self.copy(self.base, (*old, i), place)
            elif isinstance(over[picked[i]], list):
                for j, other in enumerate(over[picked[i]]):
                    self.copy(self.over, (*top, picked[i], j), (*new, len(merged)))
                    merged.append(other)
            elif over[picked[i]] is not None:
                merged.append(
                    self.value(step, over[picked[i]], (*old, i), (*top, picked[i]), place)
                )
        self.spans[new] = self.base.span(old)
        return merged


def step_name(step: Any, index: int) -> str | int:
    """What an overlay calls a step: its name, the block it uses, or its position."""
    for key in ("name", "use"):
        if isinstance(step.get(key), str):
            return str(step[key])
    return index


def _children(document: Document) -> dict[DataPath, list[Any]]:
    index: dict[DataPath, list[Any]] = {}
    for path in document.spans:
        if path:
            index.setdefault(path[:-1], []).append(path[-1])
    return index
