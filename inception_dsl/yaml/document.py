"""Parsed YAML text: plain data with the location of every value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ..diagnostics.report import Edit, Span

DataPath: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A parsed file. ``spans[path]`` is the location of a value, ``keys[path]`` that of its key."""

    file: str
    data: Any
    spans: dict[DataPath, Span] = field(default_factory=dict)
    keys: dict[DataPath, Span] = field(default_factory=dict)
    aliases: dict[DataPath, Span] = field(default_factory=dict)
    """Where a value is written as an alias, ``*name``; its own location is that of the anchor."""
    dropped: set[DataPath] = field(default_factory=set)
    """Parts left out because of an error; what follows from them is not reported."""
    given: dict[str, set[str]] = field(default_factory=dict)
    """Attributes by op that the defaults of other files set, for blocks copied from them."""
    removed: dict[DataPath, Span] = field(default_factory=dict)
    """Where an overlay removed a field, or a step by its name; or gave a step another name."""
    replaced: dict[str, Any] = field(default_factory=dict)
    """Fields of the file that the command line replaced as a whole, with their old values."""
    layers: dict[str, list[Document]] = field(default_factory=dict)
    """Overlays of blocks that extend another one, until these are resolved: the documents whose
    ``blocks`` have them, in order."""
    origins: dict[str, str] = field(default_factory=dict)
    """The blocks that extend another one, each with the id of that one."""
    copied: dict[str, Span] = field(default_factory=dict)
    """Where the blocks of imported files are defined that an overlay changes."""
    original: dict[str, str] = field(default_factory=dict)
    """The fields of the paper of what the file extends."""
    _fields: dict[DataPath, list[DataPath]] = field(default_factory=dict)

    def fields(self, path: DataPath) -> list[DataPath]:
        """The fields of the mapping at ``path``."""
        if not self._fields:
            for found in self.keys:
                if found:
                    self._fields.setdefault(found[:-1], []).append(found)
        return self._fields.get(path, [])

    def lost(self, *path: str | int) -> bool:
        """Whether ``path``, or a part that contains it, was left out."""
        return bool(self.dropped) and any(
            path[:size] in self.dropped for size in range(1, len(path) + 1)
        )

    def span(self, path: DataPath) -> Span:
        """The location of ``path``, or of the nearest part that contains it."""
        while path and path not in self.spans:
            path = path[:-1]
        return self.spans.get(path) or Span(self.file, 1, 1, 1, 1)

    def cause(self, *paths: DataPath) -> Span | None:
        """Where an overlay removed one of ``paths``, if it did."""
        return next((self.removed[path] for path in paths if path in self.removed), None)

    def key_span(self, path: DataPath) -> Span:
        return self.keys.get(path) or self.span(path)


class _Broken:
    """Replaces a scalar in the data after its error was reported."""


BROKEN: Final = _Broken()


def removal(before: Span, value: Span) -> list[Edit]:
    """Edits that remove the field after ``before``; none if a value has several lines."""
    if any(s.line != s.end_line for s in (before, value)):
        return []
    return [
        Edit(Span(value.file, before.line, before.end_column, value.line, value.end_column), "")
    ]
