"""Errors and warnings in a line that only a setting, an overlay or a default makes wrong.

They are reported where the change stands: on the command line, or in the file that the command
names. What the cause is, is tried: without it, the spec must compile without the error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from ..diagnostics.report import Diagnostic, Span
from ..language.rules import is_variant
from ..yaml.document import DataPath, Document

_TRIES, _SECONDS, _ONE_BY_ONE = 40, 5.0, 8
"""Limits on the search: attempts, their time, and the changes that are not tried in halves."""
_SHOWN: Final = 3
_MANY: Final = 100
_FIXED: Final = frozenset({"network", "block", "extends", "import", "requires"})
Key: TypeAlias = tuple[str, Span]
Found: TypeAlias = frozenset[Key]
"""Errors and warnings by code and location."""


class Change(NamedTuple):
    """Settings of the command line by name, and parts of the file that the command names."""

    settings: tuple[str, ...] = ()
    paths: tuple[DataPath, ...] = ()


Attempt: TypeAlias = Callable[[Change], Iterable[Diagnostic]]
"""Compiles without a change, and returns the errors, or the warnings if there are none."""


def at_causes(
    found: list[Diagnostic],
    top: Document,
    settings: Mapping[str, str],
    attempt: Attempt,
    base: Callable[[], Iterable[Diagnostic]],
) -> list[Diagnostic]:
    """The diagnostics, each where the change stands that causes it, once for each change.

    ``top`` is the text of the file that the command names, ``base`` compiles what it extends.
    Nothing is tried for so many errors that nobody reads them all.
    """
    if len(found) > _MANY:
        return found
    return _Causes(found, top, settings, attempt, base).moved()


def keys(found: Iterable[Diagnostic]) -> Found:
    """The diagnostics by code and location."""
    return frozenset((d.code, d.span) for d in found)


class _Causes:
    def __init__(
        self,
        found: list[Diagnostic],
        top: Document,
        settings: Mapping[str, str],
        attempt: Attempt,
        base: Callable[[], Iterable[Diagnostic]],
    ) -> None:
        self.found, self.top, self.settings, self.attempt = found, top, settings, attempt
        self.all, self.base = keys(found), base
        self.tried: dict[Change, Found] = {}
        fields = top.data if isinstance(top.data, dict) else {}
        self.extended: list[Diagnostic] | None = None if "extends" in fields else []
        self.end = time.monotonic() + _SECONDS

    def moved(self) -> list[Diagnostic]:
        """All diagnostics in the order in which they were found."""
        kept: list[Diagnostic] = []
        groups: dict[tuple[str, Change], list[Diagnostic]] = {}
        for diagnostic in self.found:
            cause = self.cause(diagnostic)
            if cause is None:
                kept.append(self.deeper(diagnostic))
            else:
                groups.setdefault((diagnostic.code, cause), []).append(diagnostic)
        return [*kept, *(self.joined(cause, group) for (_, cause), group in groups.items())]

    def deeper(self, diagnostic: Diagnostic) -> Diagnostic:
        """The same error in the spec that the file extends, where its own changes cause it."""
        if diagnostic.span.file == self.top.file or diagnostic.span.on_command_line:
            return diagnostic
        if self.extended is None:
            self.extended = [*self.base()]
        key = diagnostic.code, diagnostic.span
        found = (d for d in self.extended if d.related and (d.code, d.related[0][0]) == key)
        return next(found, diagnostic)

    def cause(self, diagnostic: Diagnostic) -> Change | None:
        """The change without which there is no such diagnostic, if there is one."""
        span = diagnostic.span
        if span.on_command_line:
            return None
        key = diagnostic.code, span
        settings = [Change((name,)) for name in self.settings]
        found = self.first(settings, key)
        if found is None:
            if span.file != self.top.file:
                changes = self.changes()
            else:  # a warning in the file itself is where it belongs
                changes = [] if diagnostic.severity == "warning" else self.variants(span)
            found = self.first(changes, key)
        return found if found is None or found.settings else self.narrowed(found, key)

    def changes(self) -> list[Change]:
        """The parts of the file that change other files."""
        data = self.top.data if isinstance(self.top.data, dict) else {}
        names = data.keys() - _FIXED if "extends" in data else data.keys() & {"defaults"}
        found = [Change(paths=((name,),)) for name in data if name in names]
        return found if "blocks" in names else [*found, *self.variants(None)]

    def variants(self, span: Span | None) -> list[Change]:
        """The changes in blocks that extend another one, but for one in which ``span`` is."""
        blocks = self.top.data.get("blocks") if isinstance(self.top.data, dict) else None
        found: list[Change] = []
        for name, block in blocks.items() if isinstance(blocks, dict) else ():
            path: DataPath = ("blocks", name)
            own = (self.top.span(path), self.top.key_span(path))
            if is_variant(block) and not (span and any(part.contains(span) for part in own)):
                found += [Change(paths=((*path, key),)) for key in block if key != "extends"]
        return found

    def narrowed(self, change: Change, key: Key) -> Change:
        """The smallest part of a change that is a cause by itself."""
        (path,) = change.paths
        value = self.value(path)
        names = [name for name in value if name != "extends"] if isinstance(value, dict) else []
        found = self.first([Change(paths=((*path, name),)) for name in names], key)
        return change if found is None else self.narrowed(found, key)

    def first(self, changes: list[Change], key: Key) -> Change | None:
        """The first of some changes that is a cause by itself; of many, halves are tried.

        If there are several errors, one may hide another, so what is tried then is each change
        without the others.
        """
        if len(changes) > _ONE_BY_ONE:
            middle = len(changes) // 2
            halves = (changes[:middle], changes[middle:])
            half = next((half for half in halves if self.without(_all(half), key)), None)
            return None if half is None else self.first(half, key)
        found = next((change for change in changes if self.without(change, key)), None)
        if found is not None or len(changes) < 2 or not self.lacks(_all(changes), key):
            return found
        others = ([other for other in changes if other != change] for change in changes)
        pairs = zip(changes, others, strict=True)
        return next(
            (change for change, rest in pairs if key in (self.left(_all(rest)) or ())), None
        )

    def without(self, change: Change, key: Key) -> bool:
        """Whether this diagnostic, and no other instead, is gone without the change."""
        left = self.left(change)
        return left is not None and key not in left <= self.all

    def lacks(self, change: Change, key: Key) -> bool:
        """Whether there is no such diagnostic without the change, but perhaps others."""
        left = self.left(change)
        return left is not None and key not in left

    def left(self, change: Change) -> Found | None:
        """The diagnostics without the change; ``None`` if there is no time to know."""
        if change not in self.tried:
            if len(self.tried) >= _TRIES or time.monotonic() > self.end:
                return None
            left = keys(self.attempt(change))
            if not any(code.startswith("W") for code, _ in self.all):  # they hide no error
                left = frozenset(found for found in left if not found[0].startswith("W"))
            self.tried[change] = left
        return self.tried[change]

    def joined(self, cause: Change, group: list[Diagnostic]) -> Diagnostic:
        """One diagnostic for all with the same code and cause."""
        first, *others = sorted(group, key=lambda diagnostic: diagnostic.span)
        span = self.span(cause)
        related = [(first.span, first.label or "here"), *first.related]
        related += [
            (other.span, "here" if other.message == first.message else other.message)
            for other in others[: _SHOWN - 1]
        ]
        more = len(others) - _SHOWN + 1
        notes = (*first.notes, *([f"and in {more} more places"] if more > 0 else []))
        return replace(
            first,
            span=span,
            label="as set here",
            help=f"change it here, or at that step: {first.help}" if first.help else "",
            notes=notes,
            related=tuple((place, label) for place, label in related if place != span),
            fix=(),
        )

    def span(self, cause: Change) -> Span:
        """Where a change stands."""
        for name in cause.settings:
            return Span(f"--set {name}", 1, 1, 1, len(self.settings[name]) + 1)
        (path,) = cause.paths
        long = isinstance(self.value(path), dict | list)
        return self.top.key_span(path) if long else self.top.span(path)

    def value(self, path: DataPath) -> Any:
        """A part of the file."""
        found = self.top.data
        for part in path:
            found = found[part]
        return found


def _all(changes: Iterable[Change]) -> Change:
    """Several changes as one."""
    listed = list(changes)
    return Change(
        tuple(name for change in listed for name in change.settings),
        tuple(path for change in listed for path in change.paths),
    )
