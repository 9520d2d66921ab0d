"""Overlays: how ``extends`` and ``--set`` change another spec.

A mapping is merged into a mapping key by key; ``null`` removes a key; ``import`` adds to the old
imports; any other value replaces the old one. A mapping in place of a list of steps selects steps
by name (or the block's id, or the position): a mapping changes the step, a list replaces it,
``null`` removes it. An imported block that is changed under ``blocks`` becomes one of the spec's
own.
"""

from __future__ import annotations

from typing import Any, Final

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..yaml.document import DataPath, Document
from ..yaml.edits import Editor
from .defaults import given_in, joined
from .models import BlockBody

IMPORT: Final = ("import",)
BODY: Final = frozenset(BlockBody.model_fields)


def overlay(base: Document, over: Document, report: Report) -> Document:
    """The document ``base`` with the changes in ``over``.

    Every part keeps the location where it was written. Steps that do not exist in ``base`` are
    reported.
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
    document = Document(
        over.file, merged, merger.spans, merger.keys, given=base.given, removed=merger.removed
    )
    merger.spans[()] = over.span(())
    return document


def with_block(base: Document, imported: Document) -> Document:
    """``base`` with the block of an imported file under its ``blocks``, so that it can be changed.

    Locations are those in the imported file. Its imports, defaults and other blocks are not copied:
    the file is still imported.
    """
    name = imported.data["block"]
    body = {k: v for k, v in imported.data.items() if k in BODY}
    found = Document(
        base.file,
        {**base.data},
        dict(base.spans),
        dict(base.keys),
        given=joined(base.given, given_in(imported.data)),
        removed=base.removed,
    )
    own = base.data.get("blocks")
    found.data["blocks"] = {**(own if isinstance(own, dict) else {}), name: body}
    for locations, table in ((imported.spans, found.spans), (imported.keys, found.keys)):
        table.update(
            {
                ("blocks", name, *path): span
                for path, span in locations.items()
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
        self.removed = dict(base.removed)
        self.children = {id(document): _children(document) for document in (base, over)}

    def copy(self, document: Document, old: DataPath, new: DataPath) -> None:
        """Copy the locations of a part that is not changed."""
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
        if new == IMPORT and isinstance(base, list) and isinstance(over, list):
            return self.both(base, over)
        if (
            isinstance(base, list)
            and isinstance(over, dict)
            and all(isinstance(s, dict) for s in base)
        ):
            return self.chain(base, over, old, top, new)
        for index, step in enumerate(base if isinstance(base, list) else ()):
            if isinstance(step, dict):
                self.removed[(*new, step_name(step, index))] = self.over.key_span(top)
        self.copy(self.over, top, new)
        return over

    def both(self, base: list[Any], over: list[Any]) -> list[Any]:
        """The imports of both files: the steps of ``base`` still use the blocks of its own."""
        for index in range(len(base)):
            self.copy(self.base, (*IMPORT, index), (*IMPORT, index))
        for index in range(len(over)):
            self.copy(self.over, (*IMPORT, index), (*IMPORT, len(base) + index))
        self.spans[IMPORT] = self.over.span(IMPORT)
        return [*base, *over]

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
            else:
                self.removed[(*new, key)] = self.over.key_span((*top, key))
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
                help = suggestion(str(key), known, what="known steps")
                best, editor = nearest(str(key), known), Editor(self.over, self.report.texts)
                fix = editor.rename((*top, key), best) if best else ()
                span = self.over.key_span((*top, key))
                self.report.error("E310", f"unknown step `{key}`", span, help=help, fix=fix)
            else:
                picked[index] = key
                if not isinstance(over[key], dict):
                    name = step_name(base[index], index)
                    self.removed[(*new, name)] = self.over.key_span((*top, key))
        merged: list[Any] = []
        for i, step in enumerate(base):
            path = (*new, len(merged))
            if i not in picked:
                merged.append(step)
                self.copy(self.base, (*old, i), path)
            elif isinstance(over[picked[i]], list):
                for j, other in enumerate(over[picked[i]]):
                    self.copy(self.over, (*top, picked[i], j), (*new, len(merged)))
                    merged.append(other)
            elif over[picked[i]] is not None:
                merged.append(self.value(step, over[picked[i]], (*old, i), (*top, picked[i]), path))
        self.spans[new] = self.base.span(old)
        return merged


def step_name(step: Any, index: int) -> str | int:
    """The key of a step in an overlay: its name, the block it uses, or its position."""
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
