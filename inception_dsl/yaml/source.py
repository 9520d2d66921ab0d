"""YAML text to plain data beside a table ``{path: span}``.

Reads the event stream of PyYAML and builds the data itself, so that positions are kept, depth and
size are bounded while streaming, duplicate keys are refused and scalars follow the YAML 1.2 core
schema (``no`` is text, ``1e-3`` a number). Tags, merge keys and several documents are refused.
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
_PARTS: Final = 4  # of what looks like a tuple: one for each axis, and one


_SPAN: Final = tuple.__new__
"""Makes a :class:`Span` at half the time; there are two for each value."""


class _StopError(Exception):
    """Leaves the builder after the first mistake that makes the rest of the text meaningless."""


def parse(text: str, file: str, report: Report) -> Document | None:
    """The document in ``text``, or ``None`` where it cannot be read.

    Mistakes go into ``report``.
    """
    report.texts[file] = text
    if not allowed(text, file, report):
        return None
    document = Document(file, None)
    try:
        document.data = _Builder(text, document, report).build()
        return document
    except yaml.MarkedYAMLError as error:
        from .syntax import explained  # only mistakes need it

        mark = error.problem_mark or error.context_mark
        span = Span(file, 1, 1, 1, 2) if mark is None else _at(file, text, mark.line, mark.column)
        message, help, fix = explained(error.problem or "", text, span)
        report.error("E103", message, span, help=help, fix=fix)
    except (yaml.YAMLError, RecursionError):
        report.error("E103", "the text is not valid YAML", Span(file, 1, 1, 1, 2))
    except _StopError:
        pass
    return None


def _at(file: str, text: str, line: int, column: int) -> Span:
    """The place that a parser names; it counts the end of the text as a line of its own."""
    if line > text.count("\n"):
        line, column = text.count("\n"), len(text) - text.rfind("\n") - 1
    return Span(file, line + 1, column + 1, line + 1, column + 2)


class _Builder:
    """Walks the events of one document once."""

    def __init__(self, text: str, document: Document, report: Report) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events = loader(text)
        self.get = self.events.get_event
        self.document, self.report, self.file = document, report, document.file
        self.anchors: dict[str, tuple[Any, dict[DataPath, Span], dict[DataPath, Span], int]] = {}
        self.open_anchors: set[str] = set()
        self.nodes, self.mistakes = 0, len(report.diagnostics)

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
                self.stop("E105", "a spec is one document; a second one starts here", after)
            return data
        finally:
            self.events.dispose()

    def stop(self, code: str, message: str, event: Any, help: str = "") -> NoReturn:
        self.report.error(code, message, self.span(event), help=help)
        raise _StopError

    def mistake(self, code: str, message: str, span: Span, **details: Any) -> None:
        """Report what does not keep the rest from being read.

        Of too many mistakes the rest does not matter.
        """
        if self.report.crowded(self.mistakes):
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
            self.stop("E105", f"tags are not allowed in a spec: `{event.tag}`", event)
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
                self.stop("E106", f"nested more than {MAX_DEPTH} deep", event)
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
        """Keep a value with its places for the aliases to come."""
        self.open_anchors.discard(anchor)
        size = len(path)
        spans = {k[size:]: v for k, v in self.document.spans.items() if k[:size] == path}
        keys = {
            k[size:]: v for k, v in self.document.keys.items() if k[:size] == path and k != path
        }
        self.anchors[anchor] = (data, spans, keys, nodes)

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

    def sequence(self, path: DataPath, depth: int) -> tuple[list[Any], Any]:
        items: list[Any] = []
        while type(event := self.get()) is not yaml.SequenceEndEvent:
            if len(items) >= MAX_ENTRIES:
                self.stop("E106", f"a list of more than {MAX_ENTRIES:,} entries", event)
            items.append(self.value(event, (*path, len(items)), depth))
        return items, event

    def mapping(self, path: DataPath, depth: int) -> tuple[dict[Any, Any], Any]:
        items: dict[Any, Any] = {}
        last: Any = None
        keys, spans, get = self.document.keys, self.document.spans, self.get
        while type(event := get()) is not yaml.MappingEndEvent:
            if type(event) is not yaml.ScalarEvent:
                self.stop("E103", "a key must be plain text", event)
            self.nodes += 1
            key = self.text(event)
            if key == "<<" or (not event.style and key[:1] in NUMERIC):
                key = self.odd_key(event)
            here = (*path, key)
            if key in items:
                before, last = spans[(*path, last)], f"{key} (again)"
                self.value(get(), (*path, last), depth)
                details = {
                    "help": "remove one of the two",
                    "fix": removal(before, spans[(*path, last)]),
                }
                first = [(keys[here], "it stands here first")]
                self.mistake(
                    "E104",
                    f"the key `{key}` stands twice",
                    self.span(event),
                    related=first,
                    **details,
                )
                continue
            if len(items) >= MAX_KEYS:
                self.stop("E106", f"a mapping of more than {MAX_KEYS:,} keys", event)
            keys[here], last = self.span(event), key
            items[key] = self.value(get(), here, depth)
            if type(key) is str and key[-1:] == ")":
                self.parenthesised(items, path, event)
        return items, event

    def parenthesised(self, items: dict[Any, Any], path: DataPath, event: Any) -> None:
        """Report ``{key: (3, 3)}``, whose commas separate fields.

        ``event`` is the key that ends it.
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
        place = start._replace(end_column=event.end_mark.column + 1)
        write = f"[{text[1:-1]}]"
        message, help = (
            f"the commas of `{text[:40]}` separate fields",
            f"write `{write}`, or put it in quotes",
        )
        self.mistake("E108", message, place, help=help, fix=[Edit(place, write)])

    def text(self, event: Any) -> str:
        """The text of a scalar.

        Escapes in double quotes write no character that the file may not have.
        """
        found: str = event.value
        if event.style != '"' or (found.isascii() and found.isprintable()):
            return found
        hidden = hidden_in(found.replace("\n", " "))
        if hidden is not None:
            self.stop(
                "E102",
                f"the invisible character U+{ord(hidden):04X} is not allowed, nor its escape",
                event,
            )
        return found

    def odd_key(self, event: Any) -> Any:
        """A key without quotes that may be a number.

        Other kinds of scalars are text where they are keys.
        """
        if event.value == "<<":
            self.stop(
                "E105", "merge keys (`<<`) are not allowed in a spec", event, "write the fields out"
            )
        key = self.meaning(event.value, event)
        return key if isinstance(key, int) and not isinstance(key, bool) else event.value

    def meaning(self, text: str, event: Any) -> Any:
        """What a scalar without quotes means."""
        if text[:1] not in NUMERIC:
            return WORDS.get(text, text)
        if INT.match(text):
            return int(text)
        if ODD.match(text):
            decimal = decimal_digits(text)
            help = f"write `{decimal}`" if decimal else "write the number in plain decimal digits"
            fix = [Edit(self.span(event), decimal)] if decimal else []
            message = f"`{text[:32]}` means different numbers to different readers"
            self.mistake(
                "E107",
                message,
                self.span(event),
                help=f"{help}, or quote it to make it text",
                fix=fix,
            )
            return BROKEN
        if text in SPECIAL or LONG.match(text):
            self.mistake(
                "E107",
                f"`{text[:32]}` is not a finite number of at most 18 digits",
                self.span(event),
            )
            return BROKEN
        if FLOAT.match(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                self.mistake("E107", f"`{text[:32]}` is too large", self.span(event))
                return BROKEN
            return number
        return text
