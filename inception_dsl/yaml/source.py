"""Parses YAML text into plain data and a table ``{path: span}``.

Builds the data from PyYAML's event stream, which keeps locations and checks depth and size while
reading. Scalars follow the YAML 1.2 core schema (``no`` is text, ``1e-3`` a number). Duplicate
keys, tags, merge keys and multiple documents are errors.
"""

from __future__ import annotations

import itertools
from typing import Any, Final, NoReturn

import yaml

from ..diagnostics.report import Edit, Report, Span
from .characters import allowed, hidden_in
from .document import BROKEN, DataPath, Document, removal
from .scalars import FLOAT, INT, LONG, NUMERIC, ODD, SPECIAL, WORDS, decimal_digits

MAX_DEPTH: Final = 48
MAX_NODES: Final = 120_000
MAX_ENTRIES: Final = 10_000
MAX_KEYS: Final = 1_000
MAX_ANCHORS: Final = 100
_PARTS: Final = 4  # fields of a tuple that was split: at most three axes, and one more


_SPAN: Final = tuple.__new__
"""Creates a :class:`Span` in half the time of a call; every value has two."""


class _StopError(Exception):
    """Stops the builder after an error that makes the rest of the text meaningless."""


def parse(text: str, file: str, report: Report) -> Document | None:
    """The document in ``text``, or ``None`` if it cannot be parsed.

    Errors go into ``report``.
    """
    report.texts[file] = text
    if not allowed(text, file, report):
        return None
    document = Document(file, None)
    try:
        document.data = _Builder(text, document, report).build()
        return document
    except yaml.MarkedYAMLError as error:
        from .syntax import explained  # only errors need it

        mark = error.problem_mark or error.context_mark
        span = Span(file, 1, 1, 1, 2) if mark is None else _at(file, text, mark.line, mark.column)
        start = error.context_mark
        begun = None if start is None else _at(file, text, start.line, start.column)
        span, message, help, fix = explained(error.problem or "", text, span, begun)
        report.error("E103", message, span, help=help, fix=fix)
    except (yaml.YAMLError, RecursionError):
        report.error("E103", "the text is not valid YAML", Span(file, 1, 1, 1, 2))
    except _StopError:
        pass
    return None


def _at(file: str, text: str, line: int, column: int) -> Span:
    """The location that the parser reports; it counts the end of the text as another line."""
    if line > text.count("\n"):
        line, column = text.count("\n"), len(text) - text.rfind("\n") - 1
    return Span(file, line + 1, column + 1, line + 1, column + 2)


class _Builder:
    """Builds the data of one document from its events."""

    def __init__(self, text: str, document: Document, report: Report) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events = loader(text)
        self.get = self.events.get_event
        self.document, self.report, self.file = document, report, document.file
        self.anchors: dict[str, tuple[Any, int, *tuple[dict[DataPath, Span], ...]]] = {}
        self.open_anchors: set[str] = set()
        self.nodes, self.errors_before = 0, len(report.diagnostics)

    def build(self) -> Any:
        try:
            _, _, event = self.get(), self.get(), self.get()
            if not isinstance(event, yaml.NodeEvent):
                self.report.error("E103", "the file is empty", Span(self.file, 1, 1, 1, 2))
                raise _StopError
            data = self.value(event, (), 0)
            self.get()
            after = self.get()
            if not isinstance(after, yaml.StreamEndEvent):
                self.stop("E105", "expected one YAML document; a second one starts here", after)
            return data
        finally:
            self.events.dispose()

    def stop(self, code: str, message: str, event: Any, help: str = "") -> NoReturn:
        self.report.error(code, message, self.span(event), help=help)
        raise _StopError

    def error(self, code: str, message: str, span: Span, **details: Any) -> None:
        """Report an error after which parsing can continue; stop after too many."""
        if self.report.crowded(self.errors_before):
            raise _StopError
        self.report.error(code, message, span, **details)

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return _SPAN(
            Span, (self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        )

    def value(self, event: Any, path: DataPath, depth: int) -> Any:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self.alias(event, path)
        self.count(1, event)
        if kind is yaml.ScalarEvent and event.anchor is event.tag is None:  # nearly all values
            self.document.spans[path] = self.span(event)
            return self.text(event) if event.style else self.meaning(event.value, event)
        if event.tag is not None and event.tag != "!":
            self.stop("E105", f"tags are not allowed: `{event.tag}`", event)
        anchor, nodes = event.anchor, self.nodes
        if anchor is not None:
            if len(self.anchors) >= MAX_ANCHORS:
                self.stop("E106", f"more than {MAX_ANCHORS} anchors", event)
            self.open_anchors.add(anchor)
        if kind is yaml.ScalarEvent:
            data, span = (
                self.text(event) if event.style else self.meaning(event.value, event),
                self.span(event),
            )
        else:
            if depth >= MAX_DEPTH:
                self.stop("E106", f"more than {MAX_DEPTH} levels of nesting", event)
            data, end = (self.mapping if kind is yaml.MappingStartEvent else self.sequence)(
                path, depth + 1
            )
            start, end = event.start_mark, end.end_mark
            span = Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        self.document.spans[path] = span
        if anchor is not None:
            self.name(anchor, data, path, self.nodes - nodes + 1)
        return data

    def count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.stop("E106", f"more than {MAX_NODES:,} values", event)

    def name(self, anchor: str, data: Any, path: DataPath, nodes: int) -> None:
        """Save the value of an anchor, with its locations, for later aliases."""
        self.open_anchors.discard(anchor)
        size, document = len(path), self.document
        found = (
            {k[size:]: v for k, v in table.items() if k[:size] == path and (own or k != path)}
            for table, own in (
                (document.spans, True),
                (document.keys, False),
                (document.aliases, True),
            )
        )
        self.anchors[anchor] = (data, nodes, *found)

    def alias(self, event: Any, path: DataPath) -> Any:
        if event.anchor in self.open_anchors:
            self.stop("E105", f"alias `*{event.anchor}` is inside its own anchor", event)
        if event.anchor not in self.anchors:
            self.stop(
                "E103",
                f"undefined alias `*{event.anchor}`",
                event,
                f"define `&{event.anchor}` before it",
            )
        data, nodes, *found = self.anchors[event.anchor]
        self.count(nodes, event)
        document = self.document
        for table, own in zip(
            (document.spans, document.keys, document.aliases), found, strict=True
        ):
            table.update({path + k: v for k, v in own.items()})
        document.aliases[path] = self.span(event)
        return data

    def sequence(self, path: DataPath, depth: int) -> tuple[list[Any], Any]:
        items: list[Any] = []
        while type(event := self.get()) is not yaml.SequenceEndEvent:
            if len(items) >= MAX_ENTRIES:
                self.stop("E106", f"list with more than {MAX_ENTRIES:,} entries", event)
            items.append(self.value(event, (*path, len(items)), depth))
        return items, event

    def mapping(self, path: DataPath, depth: int) -> tuple[dict[Any, Any], Any]:
        items: dict[Any, Any] = {}
        last: Any = None
        keys, spans, get = self.document.keys, self.document.spans, self.get
        while type(event := get()) is not yaml.MappingEndEvent:
            if type(event) is not yaml.ScalarEvent:
                self.stop("E103", "a key must be text or a number", event)
            self.nodes += 1
            key = self.text(event)
            if key == "<<" or (not event.style and key[:1] in NUMERIC):
                key = self.odd_key(event)
            here = (*path, key)
            if key in items:
                before, last = spans[(*path, last)], f"{key} (again)"
                self.value(get(), (*path, last), depth)
                details = {
                    "help": "remove one of them",
                    "fix": removal(before, spans[(*path, last)]),
                }
                first = [(keys[here], "first defined here")]
                self.error(
                    "E104",
                    f"duplicate key `{key}`",
                    self.span(event),
                    related=first,
                    **details,
                )
                continue
            if len(items) >= MAX_KEYS:
                self.stop("E106", f"mapping with more than {MAX_KEYS:,} keys", event)
            keys[here], last = self.span(event), key
            items[key] = self.value(get(), here, depth)
            if type(key) is str and key[-1:] == ")":
                self.parenthesised(items, path, event)
        return items, event

    def parenthesised(self, items: dict[Any, Any], path: DataPath, event: Any) -> None:
        """Report a tuple such as ``{key: (3, 3)}``, which YAML reads as several fields.

        ``event`` is the key that ends with the closing parenthesis.
        """
        cut: list[Any] = []
        for key in itertools.islice(reversed(items), _PARTS):
            cut.insert(0, key)
            if items[key] is not None:
                break
        first, *rest = cut
        start, value = self.document.spans[(*path, first)], items[first]
        if (
            not rest
            or not isinstance(value, str)
            or value[:1] != "("
            or start.line != event.end_mark.line + 1
        ):
            return
        text = ", ".join([value, *map(str, rest)])
        for part in rest:
            del items[part]
        items[first] = BROKEN
        span = start._replace(end_column=event.end_mark.column + 1)
        write = f"[{text[1:-1]}]"
        message, help = (
            f"`{text[:40]}` is not a list: its commas separate fields",
            f"write `{write}`, or quote it to make it text",
        )
        self.error("E108", message, span, help=help, fix=[Edit(span, write)])

    def text(self, event: Any) -> str:
        """The text of a scalar; an escape for an invisible character is an error."""
        found: str = event.value
        if event.style != '"' or (found.isascii() and found.isprintable()):
            return found
        hidden = hidden_in(found.replace("\n", " "))
        if hidden is not None:
            self.stop(
                "E102",
                f"the invisible character U+{ord(hidden):04X} is not allowed, even as an escape",
                event,
            )
        return found

    def odd_key(self, event: Any) -> Any:
        """A key without quotes that may be an integer; any other scalar is text as a key."""
        if event.value == "<<":
            self.stop(
                "E105",
                "merge keys (`<<`) are not allowed",
                event,
                "list the fields, or use `defaults`",
            )
        key = self.meaning(event.value, event)
        return key if isinstance(key, int) and not isinstance(key, bool) else event.value

    def meaning(self, text: str, event: Any) -> Any:
        """The value of a scalar without quotes."""
        if text[:1] not in NUMERIC:
            return WORDS.get(text, text)
        if INT.match(text):
            return int(text)
        if ODD.match(text):
            decimal = decimal_digits(text)
            help = f"write `{decimal}`" if decimal else "write the number in plain decimal digits"
            fix = [Edit(self.span(event), decimal)] if decimal else []
            message = f"ambiguous number `{text[:32]}`: YAML versions read it differently"
            self.error(
                "E107",
                message,
                self.span(event),
                help=f"{help}, or quote it to make it text",
                fix=fix,
            )
            return BROKEN
        if text in SPECIAL or LONG.match(text):
            self.error(
                "E107",
                f"expected a finite number with at most 18 digits, found `{text[:32]}`",
                self.span(event),
            )
            return BROKEN
        if FLOAT.match(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                self.error("E107", f"number `{text[:32]}` is too large", self.span(event))
                return BROKEN
            return number
        return text
