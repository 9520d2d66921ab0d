"""Overlays: how ``extends`` and ``--set`` change another spec.

A mapping is merged into a mapping key by key; ``null`` removes a key, and a new key right after it
takes its place. Lists of names and notes (:func:`.rules.adds`) add to the old ones, unless they
begin with ``null``. Any other value replaces the old one; in a list, ``...`` is what was there. A
mapping in place of a list of steps selects steps by name (or the block's id, or the position): a
mapping changes the step, a list replaces it, ``null`` removes it. A step that becomes another op or
block keeps its name only, or with ``...`` all its fields. Notes on what changes are left out
(:mod:`.notes`). An imported block that is changed under ``blocks`` becomes one of the spec's own.
"""

from __future__ import annotations

from typing import Any, Final

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..yaml.document import DataPath, Document
from ..yaml.edits import Editor
from . import notes, rules
from .meant import KEPT, KINDS
from .models import BlockBody, BlockFile, NetworkFile

BODY: Final = frozenset(BlockBody.model_fields)
_SHORT: Final[dict[Any, str]] = {"params": "type", "outputs": "after"}
"""The field that the short form of an entry sets."""
FIELDS: Final = frozenset(
    f.alias or n for kind in (NetworkFile, BlockFile) for n, f in kind.model_fields.items()
)
"""The fields of a file."""


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
        over.file,
        merged,
        merger.spans,
        merger.keys,
        given=base.given,
        removed=merger.removed,
        replaced=base.replaced,
        layers=base.layers,
        copied=base.copied,
        original=base.original,
    )
    merger.spans[()] = over.span(())
    return document


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
        if len(new) == 2 and new[0] == "blocks" and rules.is_variant(over):
            return self.added(over, top, new)
        short = _SHORT.get(new[-2]) if len(new) > 1 else None
        if short and isinstance(base, str) and isinstance(over, dict):
            merged = self.mapping({short: base}, over, old, top, new)
            self.spans[new] = self.over.span(top)
            return merged
        if isinstance(base, dict) and isinstance(over, dict):
            if rules.replaces(base, over, new):
                self.remove(base, new, self.over.key_span(top), inside=True)
                return self.added(over, top, new)
            return self.mapping(base, over, old, top, new)
        steps = isinstance(base, list) and all(isinstance(s, dict) for s in base)
        if steps and isinstance(over, dict):
            return self.chain(base, over, old, top, new)
        if rules.adds(new) and isinstance(base, list | str):
            return self.both(base, over, old, top, new)
        if isinstance(base, list) and isinstance(over, list) and KEPT in over:
            kept = [(item, (*old, index)) for index, item in enumerate(base)]
            self.spans[new] = self.over.span(top)
            return self.spliced(kept, over, top, new)
        if isinstance(base, list):
            self.remove(base, new, self.over.key_span(top), inside=True)
        return self.added(over, top, new)

    def remove(self, base: Any, new: DataPath, cause: Span, *, inside: bool = False) -> None:
        """Note that a field or a step is removed, with its steps or fields; or only what is
        ``inside``.
        """
        if not inside:
            self.removed[new] = cause
        steps = enumerate(base) if isinstance(base, list) else ()
        names = [rules.step_name(step, index) for index, step in steps if isinstance(step, dict)]
        for name in base if isinstance(base, dict) else names:
            self.removed[(*new, name)] = cause

    def added(self, over: Any, top: DataPath, new: DataPath) -> Any:
        """A value that is only in ``over``; ``null`` in its mappings removes nothing."""
        self.copy(self.over, top, new)
        return rules.without_nulls(over, new)

    def both(self, base: Any, over: Any, old: DataPath, top: DataPath, new: DataPath) -> Any:
        """The names or notes of both files; those of ``over`` only if they begin with ``null``."""
        entries = [
            [(item, (*path, index)) for index, item in enumerate(found)]
            if isinstance(found, list)
            else [(found, path)]
            for found, path in ((base, old), (over, top))
        ]
        if not isinstance(over, list | str):
            return self.added(over, top, new)
        before, after = entries
        old_entries = [(self.base, *entry) for entry in before]
        if not any(item == KEPT for item, _ in after):
            after = [(KEPT, ()), *after] if not after or after[0][0] is not None else after[1:]
        found = [
            entry
            for item, path in after
            for entry in (old_entries if item == KEPT else [(self.over, item, path)])
        ]
        for index, (document, _, path) in enumerate(found):
            self.copy(document, path, (*new, index))
        self.spans[new] = self.over.span(top)
        return [item for _, item, _ in found]

    def spliced(
        self,
        kept: list[tuple[Any, DataPath]],
        over: list[Any],
        top: DataPath,
        new: DataPath,
        start: int = 0,
    ) -> list[Any]:
        """The entries of ``over`` from position ``start`` on, with ``kept`` in place of ``...``."""
        merged: list[Any] = []
        for index, item in enumerate(over):
            entries = kept if item == KEPT else [(item, (*top, index))]
            document = self.base if item == KEPT else self.over
            for value, path in entries:
                self.copy(document, path, (*new, start + len(merged)))
                merged.append(value)
        return merged

    def mapping(
        self,
        base: dict[Any, Any],
        over: dict[Any, Any],
        old: DataPath,
        top: DataPath,
        new: DataPath,
    ) -> dict[Any, Any]:
        merged: dict[Any, Any] = {}
        places = rules.places(base, over)
        for key, value in base.items():
            if key not in over:
                merged[key] = value
                self.copy(self.base, (*old, key), (*new, key))
            elif over[key] is not None:
                merged[key] = self.value(value, over[key], (*old, key), (*top, key), (*new, key))
                self.keys[(*new, key)] = self.over.key_span((*top, key))
            else:
                self.remove(value, (*new, key), self.over.key_span((*top, key)))
            for other in places.get(key, ()):
                merged[other] = (
                    self.value(value, over[other], (*old, key), (*top, other), (*new, other))
                    if rules.keeps(over[other])
                    else self.added(over[other], (*top, other), (*new, other))
                )
                self.keys[(*new, other)] = self.over.key_span((*top, other))
        for key, value in over.items():
            if key not in base and key not in merged:
                if value is None and (new or key in FIELDS):
                    continue  # nothing to remove
                path = (*new, key)
                first = rules.adds(path) and isinstance(value, list)
                merged[key] = (
                    self.both([], value, (*old, key), (*top, key), path)
                    if first
                    else self.added(value, (*top, key), path)
                )
        self.spans[new] = self.base.span(old)
        for key in notes.outdated(base, over, merged, new):
            self.forget(merged.pop(key), (*new, key))
            if over.get(key) is not None:
                merged[key] = self.both([], over[key], (), (*top, key), (*new, key))
                self.keys[(*new, key)] = self.over.key_span((*top, key))
        return merged

    def forget(self, note: Any, path: DataPath) -> None:
        """Leave out the locations of a note, a text or a list of them."""
        items = range(len(note)) if isinstance(note, list) else ()
        for gone in (path, *((*path, index) for index in items)):
            self.spans.pop(gone, None)
            self.keys.pop(gone, None)

    def step(
        self,
        base: dict[Any, Any],
        over: dict[Any, Any],
        old: DataPath,
        top: DataPath,
        new: DataPath,
    ) -> dict[Any, Any]:
        """A changed step; one of another kind, op or block keeps its name only, without ``...``."""
        kind = next((key for key in KINDS if over.get(key) is not None), None)
        same = kind is None or (kind in base and (kind == "branches" or base[kind] == over[kind]))
        if same:
            return self.mapping(base, over, old, top, new)
        kept = {k: v for k, v in base.items() if (KEPT in over and k not in KINDS) or k == "name"}
        if isinstance(base.get("use"), str):
            kept.setdefault("name", base["use"])  # the step was called like its block
        changed = self.mapping(kept, over, old, top, new)
        self.spans[new] = self.over.span(top)
        for key in base.keys() - changed.keys():
            self.removed[(*new, key)] = self.over.span(top)
        return changed

    def chain(
        self, base: list[Any], over: dict[Any, Any], old: DataPath, top: DataPath, new: DataPath
    ) -> list[Any]:
        names = {rules.step_name(step, i): i for i, step in enumerate(base)}
        picked: dict[int, Any] = {}
        for key, value in over.items():
            index = key if isinstance(key, int) and 0 <= key < len(base) else names.get(key)
            if index is not None and index in picked:
                message = f"`{key}` and `{picked[index]}` are the same step"
                self.report.error("E310", message, self.over.key_span((*top, key)))
            elif index is not None:
                picked[index] = key
                if not isinstance(value, dict) and not rules.keeps(value):
                    name = rules.step_name(base[index], index)
                    self.removed[(*new, name)] = self.over.key_span((*top, key))
            elif value is not None or not isinstance(key, str) or nearest(key, map(str, names)):
                self.unknown(key, top, names)
        merged: list[Any] = []
        for i, step in enumerate(base):
            path = (*new, len(merged))
            if i not in picked:
                merged.append(step)
                self.copy(self.base, (*old, i), path)
                continue
            value, where = over[picked[i]], (*top, picked[i])
            if isinstance(value, list):
                merged += self.spliced([(step, (*old, i))], value, where, new, len(merged))
            elif isinstance(value, dict):
                merged.append(self.step(step, value, (*old, i), where, path))
                name = rules.step_name(step, i)
                if isinstance(name, str) and value.get("name", name) != name:
                    self.removed[(*new, name)] = self.over.span((*where, "name"))
            elif value is not None:
                merged.append(self.added(value, where, path))
        self.spans[new] = self.base.span(old)
        return merged

    def unknown(self, key: Any, top: DataPath, names: dict[str | int, int]) -> None:
        """Report the name of no step."""
        known = [str(n) for n in names]
        help = suggestion(str(key), known, what="known steps")
        best, editor = nearest(str(key), known), Editor(self.over, self.report.texts)
        fix = editor.rename((*top, key), best) if best else ()
        span = self.over.key_span((*top, key))
        self.report.error("E310", f"unknown step `{key}`", span, help=help, fix=fix)


def _children(document: Document) -> dict[DataPath, list[Any]]:
    index: dict[DataPath, list[Any]] = {}
    for path in document.spans:
        if path:
            index.setdefault(path[:-1], []).append(path[-1])
    return index
