"""The files of a spec that a rule edits: what must not change is taken into the spec itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import NamedTuple, Self

from ...compiler import compile_quickly, compile_spec
from ...diagnostics.report import SHIPPED, Report
from ...ir.typed import TypedProgram
from ...language.file_names import named, named_by_user, same
from ...language.unsaved import unsaved
from ...yaml.document import DataPath
from ...yaml.kept import known
from .lifting import Lifted, lifted
from .moving import RefusedError, Source, moved
from .places import Place
from .published import without_names

Files = Mapping[str, str]
"""Texts by the names of their files."""


class Refusal(NamedTuple):
    """Why a step cannot be rewritten, and what helps against it, if that is known.

    ``compiled``: the result would have an error.
    """

    place: Place
    reason: str
    help: str = ""
    compiled: bool = False

    def __str__(self) -> str:
        return f"{self.reason} ({self.help})" if self.help else self.reason


class Part(NamedTuple):
    """What is taken into the spec: a block or a section, and the file that it is written in."""

    section: DataPath
    file: str


class Base(NamedTuple):
    """The files that the edits are for, and what they compile to."""

    texts: Files
    typed: TypedProgram


class Sources:
    """A compiled spec that is to be rewritten.

    ``target`` is the file that gets the result; without one, the spec itself and its files change,
    or a file beside, with the name of a shipped spec. ``settings`` and ``root`` are those of
    :func:`compile_spec`.
    """

    def __init__(
        self,
        spec: str | os.PathLike[str],
        settings: Mapping[str, str],
        report: Report,
        root: str | os.PathLike[str] | None = None,
        target: str | None = None,
    ) -> None:
        self.settings, self.root = settings, root
        own = Report()
        self.typed = compile_spec(spec, settings, own, root)
        report.include(own.diagnostics, own.texts)
        self.texts, self.file = own.texts, named_by_user(spec)
        shipped = self.file.startswith(SHIPPED)
        beside = f"{self.file.rpartition('/')[2].removeprefix(SHIPPED)}.yaml"
        self.target = target or (beside if shipped else self.file)
        self.new = target is not None or shipped
        self.sources: dict[str, Source] = {}

    @property
    def program(self) -> TypedProgram:
        assert self.typed is not None
        return self.typed

    def as_file(self, *, new: bool) -> Self:
        """The same with its own file as the result: as a new file, or changed in place."""
        found = copy(self)
        found.target, found.new = self.file, new
        return found

    def base(self, chosen: Iterable[Place]) -> tuple[Base, list[Refusal]]:
        """The files to edit, and the steps that cannot be edited in any of them.

        What must not change is taken into the spec: shipped files, what the spec extends, and in a
        new file all blocks.
        """
        groups: dict[Part | None, list[Place]] = {}
        for place in chosen:
            groups.setdefault(self._part(place), []).append(place)
        parts = [part for part in groups if part is not None]
        try:
            return self._taken(parts), []
        except RefusedError:
            pass  # find out which parts cannot be taken
        try:
            base = self._taken([])
        except RefusedError as error:
            found = [refusal(place, error) for group in groups.values() for place in group]
            return Base(self.texts, self.program), found
        kept, refusals = list[Part](), list[Refusal]()
        for part in parts:
            try:
                base = self._taken([*kept, part])
                kept.append(part)
            except RefusedError as error:
                refusals += [refusal(place, error) for place in groups[part]]
        return base, refusals

    def _part(self, place: Place) -> Part | None:
        """What has to be taken into the spec so that a step can be edited; ``None``: nothing."""
        origin = place.node.origin
        file, document = origin.span().file, origin.document.file
        if file not in self.texts or (file == document == self.file):
            return None
        if file == document and not self.new and not file.startswith(SHIPPED):
            return None
        if file != document and not self.extends:
            return None  # a block that extends another one, which `Texts` reports
        section: DataPath = ("blocks", place.owner) if place.owner else origin.path[:1]
        return Part(section, file)

    def _taken(self, parts: Sequence[Part]) -> Base:
        """The spec with what these parts are, and without the names of published weights, which
        the rewritten layers do not have; raises :class:`RefusedError`.
        """
        named = bool(self.program.program.checkpoints)
        if not self.new and not parts and not named:
            return Base(self.texts, self.program)
        if self.extends:
            found = [self._lifted(part) for part in parts]
            text = lifted(self._source(self.file), found, self.target)
        else:
            files = self._with_importers(list(dict.fromkeys(part.file for part in parts)))
            taken = [self._source(file) for file in files]
            text = moved(self._source(self.file), taken, self.target)
        text = without_names(text, self.target) if named else text
        own = self.texts[self.file]
        if "\r\n" in own and own.count("\n") == own.count("\r\n"):
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")  # also what was copied
        report = Report()
        typed = self.compiled({self.target: text}, report, "the spec cannot take it over:")
        return Base({**report.texts, self.target: text}, typed)

    def _lifted(self, part: Part) -> Lifted:
        """The list of steps of a block or a section that the spec inherits."""
        program, (first, *block) = self.program.program, part.section
        origin = program.origin.below(first)
        if block:
            origin = program.blocks[str(block[0])].origin.below("steps")
        document, size = origin.document, len(origin.path)
        files = {s.file for path, s in document.spans.items() if path[:size] == origin.path}
        if files != {part.file}:
            raise RefusedError(f"it comes from {part.file}, and other files change parts of it")
        source = self._source(part.file)
        span = document.spans[origin.path]
        path = next(path for path, found in source.document.spans.items() if found == span)
        return Lifted(part.section, source, path)

    @property
    def extends(self) -> bool:
        """Whether the spec extends another one."""
        return "extends" in self._source(self.file).document.data

    def _with_importers(self, files: list[str]) -> list[str]:
        """The files, and those that import them: a block can be defined only once."""
        others = {
            origin.document.file: self._source(origin.document.file)
            for block in self.program.program.blocks.values()
            if (origin := block.origin).document.file not in (self.file, *files)
        }
        for file in files:
            for other, source in others.items():
                wanted = source.document.data.get("import") or []
                if other not in files and same(file) in (same(named(w, other)) for w in wanted):
                    files.append(other)
        return files

    def _source(self, file: str) -> Source:
        if file not in self.sources:
            document = known(self.texts[file], file)
            self.sources[file] = Source(file, self.texts[file], document)
        return self.sources[file]

    def compiled(self, texts: Files, report: Report, problem: str) -> TypedProgram:
        """The spec with these texts; raises :class:`RefusedError` with its first error."""
        with unsaved(texts):
            typed = compile_quickly(self.target, self.settings, report, self.root)
            if typed is None:
                compile_spec(self.target, self.settings, failed := Report(), self.root)
        if typed is None:
            first = failed.diagnostics[0]
            help = first.help if first.code < "E4" else ""  # on shapes, it is for the new text
            raise RefusedError(f"{problem} {first.code}: {first.message}", help)
        return typed


def refusal(place: Place, error: RefusedError) -> Refusal:
    return Refusal(place, str(error), error.help, compiled=True)
