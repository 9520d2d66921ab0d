"""Finds settings that are lost, as a later one sets the same field under another name.

``body.0.filters`` and ``body.reduce.filters`` may be one field, and ``input`` has ``input.height``.
What names mean depends on the spec, so the settings are applied, and the result says which of them
set each value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Report
from ..yaml.document import DataPath, Document
from ..yaml.source import parse
from .derived import FIELD
from .load import path_of, with_settings
from .reading import Limits, Reading
from .roots import root_of

_KINDS: Final = ("op", "use", "name")
"""Fields on whose value it depends whether a step, or an optimizer, keeps its other fields."""


class OverriddenError(ValueError):
    """A setting would be lost; the message names both."""


class Overridden(NamedTuple):
    """A setting, a later one, and the field that both set."""

    name: str
    by: str
    field: str

    def __str__(self) -> str:
        return f"`{self.name}` and `{self.by}` both set `{self.field}`"


def reject_overridden(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    varied: Mapping[str, Sequence[str]] = MappingProxyType({}),
    root: str | os.PathLike[str] | None = None,
) -> None:
    """Raise :class:`OverriddenError` if a setting is lost, as a later one sets the same field.

    ``varied`` have several values in turn, after those of the ``settings``.
    """
    for name in settings.keys() & varied.keys():
        raise OverriddenError(f"`{name}` is varied, and set to `{settings[name]}`")
    fixed = {name: [value] for name, value in settings.items()}
    if found := overridden(path, {**fixed, **varied}, root):
        raise OverriddenError(str(found))


def overridden(
    path: str | os.PathLike[str],
    settings: Mapping[str, Sequence[str]],
    root: str | os.PathLike[str] | None = None,
) -> Overridden | None:
    """The first of the ``settings`` that a later one replaces, wholly or in part.

    Each has one or more values, of which some kind replaces that of another. ``None`` if there is
    no such setting, or if the spec at ``path`` cannot be read.
    """
    for name, other in combinations(settings, 2):
        if not _alike(path_of(name), path_of(other)):
            continue
        for values in product(_kinds(settings[name]), _kinds(settings[other])):
            both = dict(zip((name, other), values, strict=True))
            alone = _set_by(name, path, {name: both[name]}, root)
            kept = _set_by(name, path, both, root)
            if len(kept) < len(alone):  # positions may differ: others can add or remove steps
                lost = next((field for field in alone if field not in kept), alone[0])
                return Overridden(name, other, ".".join(map(str, lost)))
    return None


def _alike(one: DataPath, other: DataPath) -> bool:
    """Whether two names can mean the same field, or one a part of the other.

    A position and a name can mean the same step; two positions, or two names, cannot.
    """
    if (one[0] == "params") != (other[0] == "params"):
        parameter, named = (one, other) if one[0] == "params" else (other, one)
        return parameter[1:2] in ((), named)
    return all(
        a == b or isinstance(a, int) != isinstance(b, int) for a, b in zip(one, other, strict=False)
    )


def _kinds(values: Sequence[str]) -> list[str]:
    """One of the values for each set of fields that they can set.

    ``null`` counts as a number: both say something of the same field.
    """
    found: dict[Any, str] = {}
    for value in values:
        parsed = parse(value, "", Report())
        if parsed is not None:
            data = 0 if parsed.data is None else parsed.data
            found.setdefault(_kind(data), value if parsed.data is not None else "0")
    return [*found.values()]


def _kind(data: Any) -> Any:
    """What decides which fields a value sets: its keys, its types, and the kind of a step."""
    if isinstance(data, dict):
        return (*((key, _kind(v), str(v) * (key in _KINDS)) for key, v in data.items()),)
    return (*map(_kind, data),) if isinstance(data, list) else type(data).__name__


def _set_by(
    name: str,
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    root: str | os.PathLike[str] | None,
) -> list[DataPath]:
    """The fields that one of the settings sets, if all are applied in their order."""
    reading = Reading(Report(), root_of(Path(path), root), Limits())
    document, _ = with_settings(path, settings, reading)
    label = f"--set {name}"
    if document is None:
        return []
    spans = ((p, document.key_span(p), document.span(p)) for p in _values(document))
    return [p for p, *found in spans if any(span.file == label for span in found)]


def _values(document: Document) -> Iterator[DataPath]:
    """The paths of all values that have no parts, but for what overlays note themselves."""
    stack: list[tuple[DataPath, Any]] = [((), document.data)]
    while stack:
        path, data = stack.pop()
        if isinstance(data, dict | list) and data:
            parts = data.items() if isinstance(data, dict) else enumerate(data)
            stack += [((*path, key), value) for key, value in parts]
        elif path[-1:] != (FIELD,):
            yield path
