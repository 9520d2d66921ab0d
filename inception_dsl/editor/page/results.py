"""Specs that are followed: the result for each, and what the last version without errors was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ... import plugins
from ...backend.protocol import Backend
from ...build.build import file_stem
from ...design.sides import compiled
from ...diagnostics.report import Report
from ...diagnostics.text import printable
from ...ir.typed import TypedProgram
from ...language.file_names import named_by_user
from ...language.revisions import changing, is_revision
from ...plugins import Plugin
from .files import State, clock, files_of, read_since, states

_FAILED: Final = "internal error: {}: please report this with the spec"


@dataclass
class Emitted:
    """The files of a backend by name, or why there are none."""

    files: dict[str, str | bytes]
    report: Report


@dataclass
class Version:
    """A version of a spec without errors; files are generated once they are asked for."""

    spec: str
    typed: TypedProgram
    texts: dict[str, str]
    _emitted: dict[tuple[str, str], Emitted] = field(default_factory=dict)

    def emitted(self, plugin: Plugin, backend: Backend, options: Mapping[str, str]) -> Emitted:
        """What a backend generates, each time the same."""
        key = backend.name, str(sorted(options.items()))
        if key not in self._emitted:
            report = Report(texts=dict(self.texts))
            stem = file_stem(self.spec, self.typed)
            files = plugins.emit(plugin, backend, self.typed, report, stem, options)
            self._emitted[key] = Emitted(files or {}, report)
        return self._emitted[key]


class Followed:
    """A spec and its files.

    ``number`` counts the versions of the text, and ``report`` has what is wrong in the last one.
    ``good`` is the last one without errors, of which ``good_number`` is the number.
    ``failure`` is an internal error.
    """

    def __init__(self, spec: str, settings: Mapping[str, str]) -> None:
        self.spec, self.settings = spec, settings
        self.report = Report()
        self.good: Version | None = None
        self.number = self.good_number = 0
        self.busy, self.failure = False, ""
        self._files: dict[str, State] = {}

    @property
    def name(self) -> str:
        """What to call it on the page."""
        return printable(self.spec)

    def changed(self) -> dict[str, State] | None:
        """The states of the files, if one of them has changed since it was read."""
        now = states(self._files)
        return now if now != self._files else None

    def compile(self, before: Mapping[str, State]) -> None:
        """Compile it; ``before`` are the states of files from before now."""
        start, report = clock(), Report()
        typed, self.failure = None, ""
        try:
            typed = compiled(self.spec, self.settings, report)
            if typed is not None:
                self.good = Version(self.spec, typed, report.texts)
        except Exception as error:
            self.failure = described(error)
        self.report, self.number = report, self.number + 1
        if typed is not None:
            self.good_number = self.number
        self._files = read_since(start, before, self._names(report))

    def _names(self, report: Report) -> set[str]:
        if is_revision(self.spec):
            return {*changing()}
        return files_of(named_by_user(self.spec), report)


def described(error: Exception) -> str:
    """What to say about an exception that is a bug, or that the memory is full."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return _FAILED.format(printable(text))


def guarded(work: Callable[[], Any]) -> Any:
    """The result of ``work``, or what to say about an exception that it raises."""
    try:
        return work()
    except Exception as error:
        return {"failure": described(error)}
