"""Where a step is in the text of its file, and why it may not be edited there."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

from ...diagnostics.report import Edit, Span
from ...ir.program import ForkNode
from ...ir.typed import TypedProgram
from ...ir.walk import nodes
from ...language.each import EACH, repetitions
from ...language.rest import Every
from ...types.width import Width
from ...yaml.document import DataPath, Document
from ...yaml.edits import Editor, Edits, flow
from ...yaml.items import Item
from ...yaml.kept import known
from .moving import defaults
from .places import Place


class Written(NamedTuple):
    """A step in the text of its file. ``data`` is what is written there."""

    place: Place
    item: Item
    width: Width
    defaults: Mapping[str, Mapping[str, Any]]
    """The defaults of the spec and of the step's file, by op."""
    taken: set[str]
    """The names in the block, or in the network, and those of new steps."""

    @property
    def editor(self) -> Editor:
        return self.item.editor

    @property
    def data(self) -> dict[str, Any]:
        found = self.editor.document.data
        for part in self.item.path:
            found = found[part]
        return dict(found)

    def set(self, field: str, value: Any) -> Edits:
        """Write a field of the step."""
        path = (*self.item.path, field)
        if alias := self.editor.document.aliases.get(path):
            return (Edit(alias, flow(value)),)
        if field in self.data:
            return self.editor.replace(path, flow(value))
        return self.editor.insert(self.item.path, field, flow(value))

    def without(self, *fields: str) -> Edits:
        """Remove fields of the step, with one edit for those beside each other."""
        editor, own = self.editor, self.editor.fields(self.item.path)
        document = editor.document
        spans, keys = {**document.spans, **document.aliases}, document.keys
        edits: list[Edit] = []
        for _, group in groupby(enumerate(own), lambda entry: entry[1][-1] in fields):
            found = [index for index, path in group if path[-1] in fields]
            if not found or len(found) == len(own):
                continue
            first, last = keys[own[found[0]]], spans[own[found[-1]]]
            following = own[found[-1] + 1 :]
            if not self.item.in_braces and found[0]:
                span = Span(first.file, first.line, 1, last.end_line + (last.end_column > 1), 1)
            elif following:
                end = keys[following[0]]
                span = first._replace(end_line=end.line, end_column=end.column)
            else:
                before = spans[own[found[0] - 1]]
                span = last._replace(line=before.end_line, column=before.end_column)
            edits.append(Edit(span, ""))
        return tuple(edits)

    def named(self, suffix: str) -> dict[str, str]:
        """The ``name`` of a new step beside this one; none if this one has none."""
        own = self.data.get("name")
        if own is None:
            return {}
        return {"name": self.free(f"{own}_{suffix}")}

    def free(self, name: str) -> str:
        """A name that no step or branch of the block has, and no other new step."""
        number, found = 1, name
        while found in self.taken:
            number += 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found


class Texts:
    """The files of a program, each parsed alone: without what overlays and settings make of it."""

    def __init__(self, typed: TypedProgram, texts: Mapping[str, str]) -> None:
        self.program, self.texts = (program := typed.program), texts
        self.documents: dict[str, Document] = {}
        self.paths: dict[str, dict[Span, list[DataPath]]] = {}
        documents = [program.origin.document, *(b.origin.document for b in program.blocks.values())]
        self.extended = {name for d in documents for name in d.origins.values()}

    def document(self, file: str) -> Document:
        """The document of a file alone."""
        if file not in self.documents:
            found = known(self.texts[file], file)
            self.documents[file] = found
            index = self.paths.setdefault(file, {})
            for path, span in found.spans.items():
                index.setdefault(span, []).append(path)
        return self.documents[file]

    def find(self, place: Place) -> Written | str:
        """The text of a step, or why it cannot be edited."""
        origin = place.node.origin
        span = origin.span()
        if problem := self.problem(place, span):
            return problem
        document = self.document(span.file)
        paths = self.paths[span.file].get(span, [])
        if not paths:
            return "it is not written as a whole in its file"
        item = Item(Editor(document, self.texts), origin.path if origin.path in paths else paths[0])
        block = document.data.get("block") if item.path[0] == "steps" else item.path[1]
        if place.owner and block != place.owner:
            return f"it comes from the block `{block}`, which `{place.owner}` extends"
        defaults, names = self.defaults(document), self.names(place.owner)
        written = Written(place, item, self.program.width, defaults, names)
        if not _same(_data(origin.document, origin.path), written.data):
            return "another file or an option changes it"
        if not item.simple:
            return "it does not begin on the line of its dash"
        return written

    def problem(self, place: Place, span: Span) -> str:
        """Why a step cannot be edited, before its text is read."""
        document = place.node.origin.document
        if span.file not in self.texts or span.on_command_line:
            return "it is not written in a file"
        if span.file != document.file:
            return f"it comes from {span.file}, which {document.file} extends or changes"
        if place.owner in self.extended:
            return f"another block extends `{place.owner}`, and its changes are by position"
        return ""

    def names(self, owner: str) -> set[str]:
        """The names of the steps and branches of a block, or of the network."""
        program = self.program
        chains = (program.blocks[owner].chain,) if owner else program.chains
        found = [node for chain in chains for node in nodes(chain)]
        branches = (name for n in found if isinstance(n, ForkNode) for name, _ in n.branches)
        return {*branches, *(part for node in found for part in node.segments)}

    def defaults(self, document: Document) -> dict[str, dict[str, Any]]:
        """The defaults of the spec, with those of the file of a block."""
        own, top = (defaults(found) for found in (document, self.program.origin.document))
        return {op: {**top.get(op, {}), **own.get(op, {})} for op in {**top, **own}}


def _data(document: Document, path: DataPath) -> Any:
    found = document.data
    for part in path:
        found = found[part]
    return found


def _same(found: Any, written: Any) -> bool:
    """Whether a part of the spec is as it is written; steps with ``each`` are spread there."""
    if isinstance(found, Every):
        return (
            isinstance(written, dict)
            and EACH in written
            and _same(found[EACH], repetitions(written))
        )
    if isinstance(found, dict) and isinstance(written, dict):
        return found.keys() == written.keys() and all(_same(found[k], written[k]) for k in found)
    if isinstance(found, list) and isinstance(written, list):
        return len(found) == len(written) and all(map(_same, found, written))
    return type(found) is type(written) and bool(found == written)


def repeated(place: Place) -> bool:
    """Whether a step is repeated, or how often depends on a parameter."""
    return bool(place.node.repeat != 1)
