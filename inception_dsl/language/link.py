"""Collects the blocks of a spec: its own and those of imported files, each validated once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..diagnostics.report import Report
from ..ops import Fields, Op
from ..yaml.document import DataPath, Document
from .check import check
from .file_names import named, same
from .load import Spec
from .models import BlockBody, BlockFile
from .parameters import Parameter
from .reading import Limits, Reading, read_wanted
from .steps import Broken, Each, Fork, Use
from .variants import with_variants


class LinkedBlock(NamedTuple):
    """A block with its document, its path there, and the defaults of its file."""

    id: str
    model: BlockBody | BlockFile
    document: Document
    path: DataPath
    defaults: dict[str, dict[str, Any]]

    @property
    def parameters(self) -> dict[str, Parameter]:
        return self.model.params


class Linked(dict[str, LinkedBlock]):
    """Blocks by id. ``complete`` is false if an error may hide further blocks."""

    complete = True


def link(spec: Spec, report: Report) -> Linked:
    """All blocks that ``spec`` can use, by id."""
    linker = _Linker(Reading(report, spec.root, Limits()), given_defaults(spec.model))
    linker.pending.append(spec)
    while linker.pending:
        linker.take(linker.pending.pop())
    linker.inherit()
    return linker.blocks


class _Linker:
    def __init__(self, reading: Reading, defaults: dict[str, dict[str, Any]]) -> None:
        self.reading, self.report, self.defaults = reading, reading.report, defaults
        self.blocks = Linked()
        self.files: set[str] = set()
        self.pending: list[Spec] = []

    def take(self, spec: Spec) -> None:
        model, document = spec.model, spec.document
        self.blocks.complete &= not (document.lost("blocks") or document.lost("import"))
        own = given_defaults(model)
        for name, body in model.blocks.items():
            self.add(LinkedBlock(name, body, document, ("blocks", name), own))
        if isinstance(model, BlockFile) and not document.lost("block"):
            self.add(LinkedBlock(model.block, model, document, (), own))
        for index, wanted in enumerate(model.imports):
            if document.lost("import", index):
                self.blocks.complete = False
                continue
            span = document.span(("import", index))
            path = same(named(wanted, span.file))
            if path in self.files or self.reading.limits.files < 0:
                continue
            self.files.add(path)
            imported = read_wanted(wanted, span, self.reading)
            if imported is None:
                self.blocks.complete = False
            elif not isinstance(imported.data, dict) or "block" not in imported.data:
                self.report.error("E301", f"{wanted} does not define a block", span)
                self.blocks.complete = False
            else:
                imported = with_variants(imported, self.reading)
                checked = check(BlockFile, imported, self.report, self.defaults)
                if checked is not None:
                    self.blocks.complete &= not imported.lost("block")
                    self.pending.append(Spec(checked, imported))

    def inherit(self) -> None:
        """Give each block that extends another one the defaults of that one's file."""
        for block in list(self.blocks.values()):
            base, seen = block, set[str]()
            while base.path and base.id not in seen:
                seen.add(base.id)
                base = self.blocks.get(base.document.origins.get(base.id, ""), base)
            self.blocks[block.id] = block._replace(defaults=base.defaults)

    def add(self, block: LinkedBlock) -> None:
        """Take a block; one that the spec changes is taken from there, with these defaults."""
        first = self.blocks.setdefault(block.id, block)
        if first is block:
            return
        if first.document.copied.get(block.id) == block.document.span(block.path):
            self.blocks[block.id] = first._replace(defaults=block.defaults)
            return
        own, defined = (
            found.document.key_span(found.path) if found.path else found.document.span(("block",))
            for found in (block, first)
        )
        related = [(defined, "first defined here")]
        self.report.error("E303", f"duplicate block `{block.id}`", own, related=related)


def given_defaults(model: Fields) -> dict[str, dict[str, Any]]:
    """The non-empty ``defaults:`` of a file."""
    return {
        name: found for name, found in (getattr(model, "defaults", None) or {}).items() if found
    }


def steps_of(chain: list[Any]) -> Iterator[Op | Fork | Use | Broken]:
    """Every step of a chain, including those in its branches."""
    for step in (one for s in chain for one in (s.each if isinstance(s, Each) else (s,))):
        yield step
        if isinstance(step, Fork | Broken):
            for branch in step.branches.values():
                yield from steps_of(branch)
