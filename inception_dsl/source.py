"""YAML text to plain data beside a table ``{path: span}``.

Reads the event stream of PyYAML and builds the data itself, so that positions are kept, depth and size are bounded
while streaming, duplicate keys are refused and scalars follow the YAML 1.2 core schema (``no`` is text, ``1e-3`` a
number). Tags, merge keys and several documents are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from .diagnostics import Edit, Report, Span

DataPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 48
MAX_NODES: Final = 200_000
MAX_ANCHORS: Final = 100

_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]{1,32}|[0-9]{1,32}(\.[0-9]{0,32})?)([eE][-+]?[0-9]{1,3})?\Z")
_ODD: Final = re.compile(
    r"[-+]?(0[0-9_]+|0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+|[0-9][0-9_]*(:[0-5]?[0-9])+|[0-9]+(_[0-9]+)+)\Z"
)
_LONG: Final = re.compile(r"[-+]?[0-9]{19,}\Z")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIAL: Final = frozenset({".inf", ".Inf", ".INF", "-.inf", "+.inf", ".nan", ".NaN", ".NAN"})


@dataclass(slots=True)
class Document:
    """A parsed file. ``spans[path]`` is where a value stands, ``keys[path]`` where its key does."""

    file: str
    data: Any
    spans: dict[DataPath, Span] = field(default_factory=dict)
    keys: dict[DataPath, Span] = field(default_factory=dict)
    dropped: set[DataPath] = field(default_factory=set)
    """What had a mistake and was left out; what depends on it is not reported."""
    _fields: dict[DataPath, list[DataPath]] = field(default_factory=dict)

    def fields(self, path: DataPath) -> list[DataPath]:
        """The fields of the mapping at ``path``."""
        if not self._fields:
            for found in self.keys:
                if found:
                    self._fields.setdefault(found[:-1], []).append(found)
        return self._fields.get(path, [])

    def lost(self, *path: str | int) -> bool:
        """Whether ``path``, or what holds it, was left out."""
        return bool(self.dropped) and any(path[:size] in self.dropped for size in range(1, len(path) + 1))

    def span(self, path: DataPath) -> Span:
        """The place of ``path``, or of the nearest part of the document that encloses it."""
        while path and path not in self.spans:
            path = path[:-1]
        return self.spans.get(path) or Span(self.file, 1, 1, 1, 1)

    def key_span(self, path: DataPath) -> Span:
        return self.keys.get(path) or self.span(path)


class _Broken:
    """What stands in data for a scalar that was reported."""


BROKEN: Final = _Broken()


class _StopError(Exception):
    """Leaves the builder after the first mistake that makes the rest of the text meaningless."""


def parse(text: str, file: str, report: Report) -> Document | None:
    """The document in ``text``, or ``None`` where it cannot be read; mistakes go into ``report``."""
    report.texts[file] = text
    if not _characters_allowed(text, file, report):
        return None
    document = Document(file, None)
    try:
        document.data = _Builder(text, document, report).build()
        return document
    except yaml.MarkedYAMLError as error:
        from .syntax import explained  # only mistakes need it

        mark = error.problem_mark or error.context_mark
        span = Span(file, 1, 1, 1, 2) if mark is None else _at(file, mark.line, mark.column)
        message, help, fix = explained(error.problem or "", text, span)
        report.error("E103", message, span, help=help, fix=fix)
    except (yaml.YAMLError, RecursionError):
        report.error("E103", "the text is not valid YAML", Span(file, 1, 1, 1, 2))
    except _StopError:
        pass
    return None


def _at(file: str, line: int, column: int) -> Span:
    return Span(file, line + 1, column + 1, line + 1, column + 2)


def _characters_allowed(text: str, file: str, report: Report) -> bool:
    if len(text) > MAX_BYTES:
        report.error("E106", f"the file is larger than {MAX_BYTES:,} characters", Span(file, 1, 1, 1, 2))
        return False
    if text.isascii() and not _CONTROL.search(text):
        return True
    for number, line in enumerate(text.split("\n"), 1):
        for column, char in enumerate(line.rstrip("\r"), 1):
            if char != "\t" and not (char.isprintable() or char == "\u00a0"):
                span = Span(file, number, column, number, column + 1)
                report.error("E102", f"the invisible character U+{ord(char):04X} is not allowed", span)
                return False
    return True


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")


class _Builder:
    """Walks the events of one document once."""

    def __init__(self, text: str, document: Document, report: Report) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events = loader(text)
        self.document, self.report, self.file = document, report, document.file
        self.anchors: dict[str, tuple[Any, dict[DataPath, Span], dict[DataPath, Span], int]] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0

    def build(self) -> Any:
        try:
            self.events.get_event()
            self.events.get_event()
            event = self.events.get_event()
            if not isinstance(event, yaml.NodeEvent):
                self.report.error("E103", "the file is empty", Span(self.file, 1, 1, 1, 2))
                raise _StopError
            data = self.value(event, (), 0)
            self.events.get_event()
            after = self.events.get_event()
            if not isinstance(after, yaml.StreamEndEvent):
                self.stop("E105", "a spec is one document; a second one starts here", after)
            return data
        finally:
            self.events.dispose()

    def stop(self, code: str, message: str, event: Any, help: str = "") -> None:
        self.report.error(code, message, self.span(event), help=help)
        raise _StopError

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def value(self, event: Any, path: DataPath, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path)
        self.count(1, event)
        if event.tag is not None and event.tag != "!":
            self.stop("E105", f"tags are not allowed in a spec: `{event.tag}`", event)
        anchor, nodes = event.anchor, self.nodes
        if anchor is not None:
            if len(self.anchors) >= MAX_ANCHORS:
                self.stop("E106", f"more than {MAX_ANCHORS} anchors", event)
            self.open_anchors.add(anchor)
        if isinstance(event, yaml.ScalarEvent):
            data, span = self.scalar(event), self.span(event)
        else:
            if depth >= MAX_DEPTH:
                self.stop("E106", f"nested more than {MAX_DEPTH} deep", event)
            collect = self.mapping if isinstance(event, yaml.MappingStartEvent) else self.sequence
            data, end = collect(path, depth + 1, event)
            span = self.span(event)
            span = Span(self.file, span.line, span.column, end.end_mark.line + 1, end.end_mark.column + 1)
        self.document.spans[path] = span
        if anchor is not None:
            self.open_anchors.discard(anchor)
            size = len(path)
            spans = {k[size:]: v for k, v in self.document.spans.items() if k[:size] == path}
            keys = {k[size:]: v for k, v in self.document.keys.items() if k[:size] == path and k != path}
            self.anchors[anchor] = (data, spans, keys, self.nodes - nodes + 1)
        return data

    def count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.stop("E106", f"more than {MAX_NODES:,} values", event)

    def alias(self, event: Any, path: DataPath) -> Any:
        if event.anchor in self.open_anchors:
            self.stop("E105", f"`*{event.anchor}` stands inside the value it names", event)
        if event.anchor not in self.anchors:
            self.stop("E103", f"`*{event.anchor}` has no anchor `&{event.anchor}` before it", event)
        data, spans, keys, nodes = self.anchors[event.anchor]
        self.count(nodes, event)
        self.document.spans.update({path + k: v for k, v in spans.items()})
        self.document.keys.update({path + k: v for k, v in keys.items()})
        return data

    def sequence(self, path: DataPath, depth: int, _: Any) -> tuple[list[Any], Any]:
        items: list[Any] = []
        while not isinstance(event := self.events.get_event(), yaml.SequenceEndEvent):
            items.append(self.value(event, (*path, len(items)), depth))
        return items, event

    def mapping(self, path: DataPath, depth: int, _: Any) -> tuple[dict[Any, Any], Any]:
        items: dict[Any, Any] = {}
        last: Any = None
        while not isinstance(event := self.events.get_event(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self.stop("E103", "a key must be plain text", event)
            self.count(1, event)
            key = event.value if event.style else self.scalar(event)
            if isinstance(key, bool | float) or key is None:
                key = event.value
            if key == "<<":
                self.stop("E105", "merge keys (`<<`) are not allowed in a spec", event, "write the fields out")
            span = self.span(event)
            first = self.document.keys.get((*path, key))
            before = self.document.spans.get((*path, last)) if last is not None else None
            last = key if first is None else f"{key} (again)"
            value = self.value(self.events.get_event(), (*path, last), depth)
            if first is None:
                self.document.keys[(*path, key)], items[key] = span, value
            else:
                fix = _between(before, self.document.spans[(*path, last)])
                places = [(first, "it stands here first")]
                help = "remove one of the two"
                self.report.error("E104", f"the key `{key}` stands twice", span, related=places, help=help, fix=fix)
        return items, event

    def scalar(self, event: Any) -> Any:
        text = event.value
        if event.style:
            return text
        if text in _NULLS:
            return None
        if text in _BOOLS:
            return _BOOLS[text]
        if _INT.match(text):
            return int(text)
        if _ODD.match(text):
            decimal, span = _decimal(text), self.span(event)
            help = f"write `{decimal}`" if decimal else "write the number in plain decimal digits"
            fix = [Edit(span, decimal)] if decimal else []
            message = f"`{text}` means different numbers to different readers"
            self.report.error("E107", message, span, help=f"{help}, or quote it to make it text", fix=fix)
            return BROKEN
        if text in _SPECIAL or _LONG.match(text):
            self.report.error("E107", f"`{text[:32]}` is not a finite number of at most 18 digits", self.span(event))
            return BROKEN
        if _FLOAT.match(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                self.report.error("E107", f"`{text}` is too large", self.span(event))
                return BROKEN
            return number
        return text


def _between(before: Span | None, value: Span) -> list[Edit]:
    """What takes a field away that stands after the value at ``before``, where both end on their line."""
    if before is None or any(s.line != s.end_line for s in (before, value)):
        return []
    return [Edit(Span(value.file, before.line, before.end_column, value.line, value.end_column), "")]


def _decimal(text: str) -> str:
    """What YAML 1.2 reads as a number, in decimal digits; of times of day and the like, nothing."""
    digits = text.lstrip("+-").replace("_", "")
    if ":" in text or len(digits) > 18:
        return ""
    number = int(digits, 0) if digits[1:2] in ("o", "x", "b") else int(digits)
    return f"-{number}" if text.startswith("-") else str(number)
