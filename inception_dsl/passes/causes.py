"""Errors and warnings in a line that only a setting, an overlay or a default makes wrong.

They are reported where the change stands: on the command line, or in the file that the command
names. What the cause is, is tried: without it, the spec must compile without the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from ..diagnostics.report import Diagnostic, Span
from ..yaml.document import DataPath, Document

_TRIES: Final = 60
_SHOWN: Final = 3
_MANY: Final = 100
_FIXED: Final = frozenset({"network", "block", "extends", "import", "requires"})
Found: TypeAlias = frozenset[tuple[str, Span]]
"""Errors and warnings by code and location."""


class Change(NamedTuple):
    """A setting of the command line by its name, or a part of the file that the command names."""

    setting: str = ""
    path: DataPath = ()


Attempt: TypeAlias = Callable[[Change], Iterable[Diagnostic]]
"""Compiles without a change, and returns the errors, or the warnings if there are none."""


def at_causes(
    found: list[Diagnostic], top: Document, settings: Mapping[str, str], attempt: Attempt
) -> list[Diagnostic]:
    """The diagnostics, each where the change stands that causes it, once for each change.

    ``top`` is the text of the file that the command names. Nothing is tried for so many errors that
    nobody reads them all.
    """
    if len(found) > _MANY:
        return found
    return _Causes(found, top, settings, attempt).moved()


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
    ) -> None:
        self.found, self.top, self.settings, self.attempt = found, top, settings, attempt
        self.all = keys(found)
        self.tried: dict[Change, Found] = {}

    def moved(self) -> list[Diagnostic]:
        """All diagnostics in the order in which they were found."""
        kept: list[Diagnostic] = []
        groups: dict[tuple[str, Change], list[Diagnostic]] = {}
        for diagnostic in self.found:
            cause = self.cause(diagnostic)
            if cause is None:
                kept.append(diagnostic)
            else:
                groups.setdefault((diagnostic.code, cause), []).append(diagnostic)
        return [*kept, *(self.joined(cause, group) for (_, cause), group in groups.items())]

    def cause(self, diagnostic: Diagnostic) -> Change | None:
        """The change without which there is no such diagnostic, if there is one."""
        span = diagnostic.span
        if span.on_command_line:
            return None
        key = diagnostic.code, span
        settings = map(Change, self.settings)
        found = next((change for change in settings if self.without(change, key)), None)
        if found is not None or span.file == self.top.file:
            return found
        data = self.top.data if isinstance(self.top.data, dict) else {}
        names = data.keys() - _FIXED if "extends" in data else data.keys() & {"defaults"}
        first = (Change(path=(name,)) for name in data if name in names)
        found = next((change for change in first if self.without(change, key)), None)
        return None if found is None else self.narrowed(found, key)

    def narrowed(self, change: Change, key: tuple[str, Span]) -> Change:
        """The smallest part of a change that is a cause by itself."""
        value = self.top.data
        for part in change.path:
            value = value[part]
        for name in value if isinstance(value, dict) else ():
            inner = Change(path=(*change.path, name))
            if self.without(inner, key):
                return self.narrowed(inner, key)
        return change

    def without(self, change: Change, key: tuple[str, Span]) -> bool:
        """Whether this diagnostic, and no other instead, is gone without the change."""
        if change not in self.tried:
            if len(self.tried) >= _TRIES:
                return False
            self.tried[change] = keys(self.attempt(change))
        left = self.tried[change]
        if not any(code.startswith("W") for code, _ in self.all):  # those of errors hide no error
            left = frozenset(found for found in left if not found[0].startswith("W"))
        return key not in left <= self.all

    def joined(self, cause: Change, group: list[Diagnostic]) -> Diagnostic:
        """One diagnostic for all with the same code and cause."""
        first, *others = sorted(group, key=lambda diagnostic: diagnostic.span)
        related = [(first.span, first.label or "here"), *first.related]
        related += [(other.span, other.label or "here") for other in others[: _SHOWN - 1]]
        more = len(others) - _SHOWN + 1
        notes = (*first.notes, *([f"and in {more} more places"] if more > 0 else []))
        return replace(
            first,
            span=self.span(cause),
            label="as set here",
            help="",
            notes=notes,
            related=tuple(related),
            fix=(),
        )

    def span(self, cause: Change) -> Span:
        """Where a change stands."""
        if cause.setting:
            value = self.settings[cause.setting]
            return Span(f"--set {cause.setting}", 1, 1, 1, len(value) + 1)
        value = self.top.data
        for part in cause.path:
            value = value[part]
        long = isinstance(value, dict | list)
        return self.top.key_span(cause.path) if long else self.top.span(cause.path)
