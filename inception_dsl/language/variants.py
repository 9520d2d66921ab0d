"""Blocks that change another block: ``wide: {extends: inception_a, steps: {…}}`` under ``blocks``.

Resolved in the plain data, once all overlays are applied, so that a variant follows changes of the
block that it extends.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..diagnostics.report import Span
from ..diagnostics.words import nearest, suggestion
from ..ops.fields.refusal import shown
from ..yaml.document import DataPath, Document
from ..yaml.edits import Editor, Edits
from .copied import with_block
from .defaults import joined
from .derived import derived
from .file_names import named, same
from .overlay import overlay
from .reading import Reading, read_wanted
from .rules import is_variant


def with_variants(document: Document, reading: Reading) -> Document:
    """``document`` with the whole of each block that extends another one.

    ``origins`` of the result says which blocks they are made of.
    """
    return _whole(document, reading, frozenset(), {})


def _whole(
    document: Document,
    reading: Reading,
    above: frozenset[str],
    files: dict[str, Document | None],
) -> Document:
    """The same; ``above`` are the files that import this one, which may import each other in a
    cycle, and ``files`` those that were read.
    """
    blocks = document.data.get("blocks") if isinstance(document.data, dict) else None
    if not isinstance(blocks, dict):
        return document
    wanted = {name: body["extends"] for name, body in blocks.items() if is_variant(body)}
    if not wanted:
        return document
    return _Variants(document, reading, wanted, above | {same(document.file)}, files).found()


class _Variants:
    """Resolves the blocks of ``wanted``, each with what it extends."""

    def __init__(
        self,
        document: Document,
        reading: Reading,
        wanted: dict[str, Any],
        above: frozenset[str],
        files: dict[str, Document | None],
    ) -> None:
        self.document, self.reading, self.wanted = document, reading, wanted
        self.above, self.files = above, files
        self.parts = _parts(document)
        self.layers = {id(d): _parts(d) for found in document.layers.values() for d in found}
        self.known = [str(name) for name in document.data["blocks"]]
        self.open: list[str] = []
        self.origins: dict[str, str] = {}

    def found(self) -> Document:
        """The document with all its blocks."""
        for name in self.wanted:
            self.resolve(name)
        document = self.document
        blocks = {
            name: self.parts[name].data["blocks"][name] if name in self.parts else block
            for name, block in document.data["blocks"].items()
            if name in self.parts or name not in self.wanted
        }
        spans, keys = (
            {p: span for p, span in table.items() if p[:1] != ("blocks",) or p[1:2] not in named}
            for named in [{(name,) for name in {*self.parts, *self.wanted}}]
            for table in (document.spans, document.keys)
        )
        removed = dict(document.removed)
        for part in self.parts.values():
            spans |= {p: span for p, span in part.spans.items() if p}
            keys |= part.keys
            removed |= part.removed
        return dataclasses.replace(
            document,
            data={**document.data, "blocks": blocks},
            spans=spans,
            keys=keys,
            removed=removed,
            given=joined(document.given, *(part.given for part in self.parts.values())),
            origins=self.origins,
            _fields={},
        )

    def resolve(self, name: str) -> None:
        """Replace a block by the one that it extends, with its changes."""
        if name in self.origins:
            return
        base = self.wanted[name]
        self.open.append(name)
        if not isinstance(base, str):
            self.refuse(name, "E203", f"expected the id of a block, found {shown(base)}")
        elif base in self.open:
            self.refuse(name, "E306", f"block `{base}` extends itself, directly or through others")
        else:
            if base in self.wanted:
                self.resolve(base)
            self.change(name, base)
        self.open.pop()

    def change(self, name: str, base: str) -> None:
        """Lay the changes of a block over a copy of ``base``."""
        self.origins[name] = base
        source = self.source(base)
        if source is None:
            known = base in self.document.data["blocks"]  # it has another error
            if known or self.document.lost("blocks", base):
                self.leave_out(name)
            else:
                self.unknown(name, base)
            return
        own, limits = self.parts[name], self.reading.limits
        if limits.values < 0:  # reported already
            self.leave_out(name)
            return
        changes = {k: v for k, v in own.data["blocks"][name].items() if k != "extends"}
        found = [(_only(own, name, changes), changes)]
        for layer in self.document.layers.get(name, []):
            part = self.layers[id(layer)][name]
            found.append((part, part.data["blocks"][name]))
        every = {key: value for _, change in found for key, value in change.items()}
        whole = with_block(_empty(own, name), name, *source)
        whole = derived(whole, _only(own, name, every), {name: base})
        for over, _ in found:
            merged = overlay(whole, over, self.reading.report)
            whole = dataclasses.replace(merged, file=own.file)
        self.parts[name] = whole
        limits.values -= len(whole.spans)
        if not limits.kept(own.span(("blocks", name)), self.reading.report):
            self.leave_out(name)

    def source(self, name: str) -> tuple[Document, DataPath] | None:
        """The document of a block, and its path there."""
        data = self.document.data
        if name in self.parts:
            return self.parts[name], ("blocks", name)
        if data.get("block") == name:
            return self.document, ()
        return self.imported(self.document, name, set(), self.above)

    def imported(
        self, document: Document, name: str, seen: set[str], above: frozenset[str]
    ) -> tuple[Document, DataPath] | None:
        """The same for a block of an imported file, or of one that it imports.

        ``above`` are the files that import it.
        """
        imports = document.data.get("import")
        for index, file in enumerate(imports if isinstance(imports, list) else ()):
            span = document.span(("import", index))
            if not isinstance(file, str) or (path := same(named(file, span.file))) in seen:
                continue
            seen.add(path)
            if path not in self.files:
                self.files[path] = read_wanted(file, span, self.reading)
            found = self.files[path]
            if found is None or not isinstance(found.data, dict):
                continue
            if path not in above:
                found = self.files[path] = _whole(found, self.reading, above, self.files)
            inner = found.data.get("blocks")
            inner = inner if isinstance(inner, dict) else {}
            self.known += [*map(str, inner), str(found.data.get("block"))]
            if found.data.get("block") == name:
                return found, ()
            if isinstance(inner.get(name), dict):
                return found, ("blocks", name)
            if deeper := self.imported(found, name, seen, above | {path}):
                return deeper
        return None

    def unknown(self, name: str, base: str) -> None:
        """Report the id of no block, or of one that an overlay removes."""
        if removed := self.document.cause(("blocks", base), ("blocks",)):
            here = self.document.span(("blocks", name, "extends"))
            message = f"this removes the block `{base}`, which another one extends"
            self.reading.report.error("E302", message, removed, related=[(here, "used here")])
            self.leave_out(name)
            return
        best, editor = nearest(base, self.known), Editor(self.document, self.reading.report.texts)
        fix = editor.replace(("blocks", name, "extends"), best) if best else ()
        help = suggestion(base, self.known, what="known blocks")
        self.refuse(name, "E302", f"unknown block `{base}`", help, fix)

    def refuse(self, name: str, code: str, message: str, help: str = "", fix: Edits = ()) -> None:
        """Report an error, and leave the block out."""
        span = self.document.span(("blocks", name, "extends"))
        self.reading.report.error(code, message, span, help=help, fix=fix)
        self.leave_out(name)

    def leave_out(self, name: str) -> None:
        """Remove a block; nothing that follows from that is reported."""
        self.origins.setdefault(name, "")
        self.parts.pop(name, None)
        self.document.dropped.add(("blocks", name))


def _parts(document: Document) -> dict[str, Document]:
    """The blocks of a document, each as a document: a variant takes no more time in a long file."""
    blocks = document.data["blocks"]
    tables: list[dict[Any, dict[DataPath, Span]]] = [{}, {}]
    for found, table in zip(tables, (document.spans, document.keys), strict=True):
        for path, span in table.items():
            if len(path) > 1 and path[0] == "blocks":
                found.setdefault(path[1], {})[path] = span
    return {
        name: Document(
            document.file,
            {"blocks": {name: block}},
            tables[0].get(name, {}),
            tables[1].get(name, {}),
            given=document.given,
        )
        for name, block in blocks.items()
        if isinstance(block, dict)
    }


def _empty(part: Document, name: str) -> Document:
    """The document of a block without its fields."""
    place: DataPath = ("blocks", name)
    spans, keys = ({p: s for p, s in t.items() if p == place} for t in (part.spans, part.keys))
    return dataclasses.replace(part, data={"blocks": {}}, spans=spans, keys=keys, _fields={})


def _only(document: Document, name: str, change: dict[Any, Any]) -> Document:
    """A document with the changes of one block only."""
    return dataclasses.replace(document, data={"blocks": {name: change}}, _fields={})
