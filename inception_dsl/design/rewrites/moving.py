"""A spec as a file of its own elsewhere: its imports, and the blocks that it takes over.

A block of an imported file that must not change (it is shipped, or the result is a new file) is
copied under ``blocks``, with its comments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...diagnostics.report import SHIPPED, Edit, Span
from ...language import shipped
from ...language.file_names import named, same
from ...language.overlay import BODY
from ...yaml.document import DataPath, Document
from ...yaml.edits import Editor, apply, flow
from ...yaml.items import Item
from ...yaml.kept import known

SCHEMA: Final = re.compile(r"# yaml-language-server: \$schema=(\S+)[^\n]*\n?")
_CHAINS: Final = ("stem", "body", "aux_heads", "outputs", "head", "steps")
_COMMENT: Final = re.compile(r"(?:^|\s)#")


class RefusedError(Exception):
    """Why a block cannot be copied, or a step not rewritten; ``help`` says what helps, if known."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class Source(NamedTuple):
    """A file as it is written: its name in diagnostics, its text, and what is in it."""

    file: str
    text: str
    document: Document


def defaults(document: Document) -> dict[str, dict[str, Any]]:
    """The ``defaults`` of a file, by op; none where the file has ``null``."""
    return {op: fields or {} for op, fields in (document.data.get("defaults") or {}).items()}


def moved(top: Source, taken: Sequence[Source], target: str) -> str:
    """The text of the spec ``top`` as the file ``target``, with the blocks of the files ``taken``.

    Raises :class:`RefusedError`.
    """
    return Move(top, taken, target).text()


class Move:
    """The text of a spec as another file, step by step."""

    def __init__(self, top: Source, taken: Sequence[Source], target: str) -> None:
        self.top, self.taken, self.target = top, taken, target
        self.apart = Path(top.file).parent.resolve() != Path(target).parent.resolve()
        self.apart |= top.file.startswith(SHIPPED)
        self.text_of = self._with_schema()
        document = known(self.text_of, target)
        self.document = document
        self.editor = Editor(document, {target: self.text_of})

    def _with_schema(self) -> str:
        """The text with the path of the schema from the new folder; none of a shipped spec."""
        match = SCHEMA.match(self.top.text)
        if match is None or not self.apart or "://" in match[1]:
            return self.top.text
        if self.top.file.startswith(SHIPPED):
            return self.top.text[match.end() :]
        path = self._relative(Path(self.top.file).parent / match[1])
        return self.top.text[: match.start(1)] + path + self.top.text[match.end(1) :]

    def text(self) -> str:
        """The whole text, with the blocks of the files that are taken over."""
        lines = [line for source in self.taken for line in self._block(source)]
        return self.with_lines(lines, [])

    def with_lines(self, blocks: list[str], fields: list[str]) -> str:
        """The whole text with these lines under ``blocks``, and these at the top level."""
        edits = [*self._imports(), *self._extends()]
        if blocks:
            edits.append(self._added(blocks))
        if fields:
            edits.append(self._before_chains(fields))
        return apply(self.text_of, edits)

    def _relative(self, path: Path) -> str:
        folder = os.path.realpath(Path(self.target).parent)
        return Path(os.path.relpath(os.path.realpath(path), folder)).as_posix()

    def _reference(self, wanted: str, file: str) -> str:
        """What ``wanted`` in ``file`` is called in the new file."""
        if name := shipped.wanted_by(file, wanted):
            return f"{SHIPPED}{name}"
        if file == self.top.file and not self.apart:
            return wanted
        return self._relative(Path(file).parent / wanted)

    def _extends(self) -> Iterable[Edit]:
        wanted = self.document.data.get("extends")
        found = self._reference(wanted, self.top.file) if isinstance(wanted, str) else wanted
        return self.editor.replace(("extends",), flow(found)) if found != wanted else ()

    def _imports(self) -> Iterable[Edit]:
        gone = {same(source.file) for source in self.taken}
        old: list[str] = self.document.data.get("import") or []
        kept = {
            index: self._reference(wanted, self.top.file)
            for index, wanted in enumerate(old)
            if same(named(wanted, self.top.file)) not in gone
        }
        new = [
            self._reference(wanted, source.file)
            for source in self.taken
            for wanted in source.document.data.get("import") or []
            if same(named(wanted, source.file)) not in gone
        ]
        added = [name for name in dict.fromkeys(new) if name not in kept.values()]
        if [*kept.values(), *added] == old:
            return ()
        if not old:
            return (self._before_chains([f"import: {flow(added)}"]),)
        if self.editor.at(self.document.spans["import",]) == "[" or added:
            return self._whole([*kept.values(), *added])
        return self._lines(old, kept)

    def _whole(self, imports: list[str]) -> Iterable[Edit]:
        """The field ``import`` written again."""
        field: DataPath = ("import",)
        first, last = self._lines_of(field)
        lines = self.text_of.split("\n")[first - 1 : last]
        if any(map(_COMMENT.search, lines)):
            message = "its comments would be lost; write each file on a line with a dash"
            raise RefusedError(f"the field `import` has to change, but {message}")
        text = f"import: {flow(imports)}\n" if imports else ""
        return (Edit(Span(self.target, first, 1, last + 1, 1), text),)

    def _lines(self, old: list[str], kept: Mapping[int, str]) -> list[Edit]:
        """Only the lines of the imports that go, or are called otherwise."""
        edits = []
        if not kept:
            edits.append(self._without_line(self.document.keys["import",]))
        for index, wanted in enumerate(old):
            path: DataPath = ("import", index)
            if index not in kept:
                edits.append(self._without_line(self.document.spans[path]))
            elif kept[index] != wanted:
                edits += self.editor.replace(path, flow(kept[index]))
        return edits

    def _without_line(self, span: Span) -> Edit:
        """Remove a line; its comment stays."""
        line = self.text_of.split("\n")[span.line - 1]
        comment = _COMMENT.search(line, span.end_column - 1)
        text = f"{line[comment.start() :].strip()}\n" if comment else ""
        return Edit(Span(self.target, span.line, 1, span.line + 1, 1), text)

    def _lines_of(self, path: DataPath) -> tuple[int, int]:
        """The first and the last line of a field of the spec."""
        line, column = Item(self.editor, path).end
        return self.document.keys[path].line, line - (column == 1)

    def _added(self, lines: list[str]) -> Edit:
        """Insert lines with blocks, which are indented by two spaces."""
        blocks = self.document.data.get("blocks")
        if not blocks and "blocks" in self.document.data:
            message = "its `blocks` are empty; remove the field"
            raise RefusedError(f"no block can be added to the spec: {message}")
        if not blocks:
            return self._before_chains(["blocks:", *lines])
        if self.editor.at(self.document.spans["blocks",]) == "{":
            message = "`blocks` is written in braces; write each block on lines of its own"
            raise RefusedError(f"no block can be added to the spec: {message}")
        indent = self.document.keys["blocks", next(iter(blocks))].column - 1
        deeper = [f"{' ' * indent}{line[2:]}" if line else "" for line in lines]
        last = max(blocks, key=lambda name: self.document.keys["blocks", name])
        return Item(self.editor, ("blocks", last)).below(deeper)

    def _before_chains(self, lines: list[str]) -> Edit:
        """Insert lines before the first section, and the comments right above it."""
        fields = [self.document.keys[path] for path in self.editor.fields(())]
        if any(key.column != 1 for key in fields):
            message = "the spec is written in braces; write its fields on lines of their own"
            raise RefusedError(f"nothing can be added to it: {message}")
        inserted, text = "".join(f"{one}\n" for one in lines), self.text_of.split("\n")
        chains = (path for path in self.editor.fields(()) if path[0] in _CHAINS)
        if (first := next(chains, None)) is None:
            end = Span(self.target, len(text), len(text[-1]) + 1, len(text), len(text[-1]) + 1)
            return Edit(end, inserted if not text[-1] else f"\n{inserted}")
        line = self.document.keys[first].line
        while line > 1 and text[line - 2].startswith("#"):
            line -= 1
        return Edit(Span(self.target, line, 1, line, 1), inserted)

    def _block(self, source: Source) -> list[str]:
        """The lines of the blocks of a file, for ``blocks``."""
        own, top = (defaults(found) for found in (source.document, self.document))
        name = str(source.document.data["block"])
        if any(top.get(op, {}) | fields != top.get(op, {}) for op, fields in own.items()):
            message = f"the block `{name}` cannot be copied: its file has defaults of its own"
            raise RefusedError(message)
        if any(span.column != 1 for path, span in source.document.keys.items() if len(path) == 1):
            message = f"the block `{name}` cannot be copied: its file is written in braces"
            raise RefusedError(message)
        found = Fields(source)
        lines = [f"  {name}:{found.comment('block')}"]
        lines += [f"    {line}" if line else "" for line in found.kept(BODY)]
        return [*(f"  {line}" for line in found.above()), *lines, *found.inner()]


class Fields:
    """The lines of a block file by field."""

    def __init__(self, source: Source) -> None:
        self.source = source
        text = source.text[match.end() :] if (match := SCHEMA.match(source.text)) else source.text
        self.skipped = source.text.count("\n") - text.count("\n")
        self.lines = source.text.rstrip().split("\n")
        keys = source.document.keys
        self.starts = sorted((span.line, path[0]) for path, span in keys.items() if len(path) == 1)

    def above(self) -> list[str]:
        """The comments before the first field."""
        first = self.starts[0][0]
        return [line for line in self.lines[self.skipped : first - 1] if line.startswith("#")]

    def comment(self, field: str) -> str:
        """The comment on the line of a scalar field."""
        span = self.source.document.spans[field,]
        return self.lines[span.end_line - 1][span.end_column - 1 :].rstrip()

    def range(self, index: int) -> tuple[int, int]:
        """The lines of a field, counted from 0, with the comments above the next field."""
        line = self.starts[index][0]
        rest = self.starts[index + 1 :]
        return line - 1, rest[0][0] - 1 if rest else len(self.lines)

    def kept(self, names: Iterable[Any]) -> list[str]:
        """The lines of the fields with these names; of the others the comments."""
        wanted, found = {*names}, list[str]()
        for index, (_, name) in enumerate(self.starts):
            first, last = self.range(index)
            if name in wanted and name != "extends":
                found += [line.rstrip("\r") for line in self.lines[first:last]]
            elif name != "blocks":
                rest = self.lines[first + (name == "block") : last]
                found += [
                    line[m.start() :].strip() for line in rest if (m := _COMMENT.search(line))
                ]
        return found

    def inner(self) -> list[str]:
        """The lines of the further blocks of the file, indented by two spaces."""
        blocks = self.source.document.data.get("blocks")
        if not blocks:
            return []
        column = self.source.document.keys["blocks", next(iter(blocks))].column
        index = next(i for i, (_, name) in enumerate(self.starts) if name == "blocks")
        first, last = self.range(index)
        if (
            Editor(self.source.document, {self.source.file: self.source.text}).at(
                self.source.document.spans["blocks",]
            )
            == "{"
        ):
            message = f"the blocks of {self.source.file} are written in braces"
            raise RefusedError(f"they cannot be copied: {message}")
        return [
            f"  {line[column - 1 :]}" if line[: column - 1].isspace() else line
            for line in self.lines[first + 1 : last]
        ]
