"""Applies a rule to steps of a spec, and compiles the result."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...compiler import compile_spec
from ...diagnostics.report import SHIPPED, Edit, Report
from ...ir.typed import TypedProgram
from ...language.file_names import named, named_by_user, same
from ...language.unsaved import unsaved
from ...yaml.edits import apply
from ...yaml.source import parse
from .comments import comments
from .moving import Refused, Source, moved
from .places import Place, places
from .rule import Rule
from .written import Texts, Written

Files = Mapping[str, str]
"""Texts by the names of their files."""


class Refusal(NamedTuple):
    """Why a step cannot be rewritten."""

    place: Place
    reason: str


class Attempt(NamedTuple):
    """A rule applied to steps: the new texts, and what they compile to."""

    files: Files
    typed: TypedProgram
    places: tuple[Place, ...]
    refusals: tuple[Refusal, ...] = ()


class Spec:
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

    @property
    def program(self) -> TypedProgram:
        assert self.typed is not None
        return self.typed

    def attempt(self, rule: Rule, chosen: Sequence[Place], values: Mapping[str, Any]) -> Attempt:
        """The rule at all chosen places where it is possible, with the reasons for the others."""
        texts = Texts(self.program.program, self.texts)
        possible, refusals = [], []
        for place in chosen:
            reason = _obstacle(rule, texts.find(place), values)
            if reason:
                refusals.append(Refusal(place, reason))
            else:
                possible.append(place)
        return self._together(rule, possible, values, refusals)

    def _together(
        self,
        rule: Rule,
        possible: list[Place],
        values: Mapping[str, Any],
        refusals: list[Refusal],
    ) -> Attempt:
        """All places at once; if that gives an error, one by one, without those that cause it."""
        found = self._apply(rule, possible, values)
        if isinstance(found, Attempt):
            return found._replace(refusals=tuple(refusals))
        if len(possible) == 1:
            refusals.append(Refusal(possible[0], found))
        kept: list[Place] = []
        best = Attempt({}, self.program, ())
        for place in possible if len(possible) > 1 else ():
            tried = self._apply(rule, [*kept, place], values)
            if isinstance(tried, Attempt):
                kept, best = [*kept, place], tried
            else:
                refusals.append(Refusal(place, tried))
        return best._replace(refusals=tuple(refusals))

    def _apply(
        self, rule: Rule, chosen: Sequence[Place], values: Mapping[str, Any]
    ) -> Attempt | str:
        """The rule at these places, or why the result is not a spec."""
        if not chosen:
            return Attempt({}, self.program, ())
        try:
            before, typed = self._own(chosen)
        except Refused as error:
            return str(error)
        found = {place.key: place for place in places(typed)}
        texts = Texts(typed.program, before)
        edits: dict[str, list[Edit]] = {}
        for place in chosen:
            written = texts.find(found[place.key])
            if isinstance(written, str):
                return written
            for edit in rule.edits(written, rule.values(values)):
                edits.setdefault(edit.span.file, []).append(edit)
        after = {file: _edited(before[file], own) for file, own in edits.items()}
        whole = {self.target: before[self.target], **after}
        report = Report()
        result = self._compiled(whole, report)
        if result is None:
            first = report.diagnostics[0]
            return f"the result has an error, {first.code}: {first.message}"
        if rule.keeps and dict(result.outputs) != dict(self.program.outputs):
            return "the output of the network would get another shape"
        if problem := _lost(before, after):
            return problem
        files = {f: text for f, text in whole.items() if self.new or self.texts.get(f) != text}
        return Attempt(files, result, tuple(chosen))

    def _own(self, chosen: Iterable[Place]) -> tuple[Files, TypedProgram]:
        """The files to edit, with blocks of files that must not change taken into the spec."""
        taken = dict.fromkeys(
            file
            for place in chosen
            if (file := place.node.origin.span().file) != self.file
            and (self.new or file.startswith(SHIPPED))
        )
        if not self.new and not taken:
            return self.texts, self.program
        sources = self._with_importers([*taken])
        text = moved(self._source(self.file), [self._source(file) for file in sources], self.target)
        report = Report()
        typed = self._compiled({self.target: text}, report)
        if typed is None:
            first = report.diagnostics[0]
            raise Refused(f"the spec cannot be moved: {first.message}", first.span)
        return {**report.texts, self.target: text}, typed

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
        document = parse(self.texts[file], file, Report())
        assert document is not None
        return Source(file, self.texts[file], document)

    def _compiled(self, texts: Files, report: Report) -> TypedProgram | None:
        with unsaved(texts):
            return compile_spec(self.target, self.settings, report, self.root)


def _obstacle(rule: Rule, written: Written | str, values: Mapping[str, Any]) -> str:
    return written if isinstance(written, str) else rule.obstacle(written, rule.values(values))


def _edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with edits, whose new lines end as those of the text."""
    if "\r\n" in text:
        edits = [edit._replace(text=edit.text.replace("\n", "\r\n")) for edit in edits]
    return apply(text, edits)


def _lost(before: Files, after: Files) -> str:
    """Which comment the edits would lose, if any."""
    for file, text in after.items():
        old, new = (_comments(file, one) for one in (before[file], text))
        if old - new:
            return f"the comment `{next(iter(old - new))}` would be lost"
    return ""


def _comments(file: str, text: str) -> Counter[str]:
    document = parse(text, file, Report())
    assert document is not None  # it was compiled
    return comments(text, document)
