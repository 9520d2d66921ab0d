"""Diagnostics and their source locations.

Stages never print and never raise an exception for an error in a spec: each takes a
:class:`Report`, adds its diagnostics, and returns a value or ``None``. The command line renders the
report at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from .codes import CODES
from .text import clipped, printable, width

MAX_SHOWN = 50
MAX_ERRORS = 1_000
_HELPED = 100  # help is not searched for beyond so many errors
Severity: TypeAlias = Literal["error", "warning"]


class Style(NamedTuple):
    """Terminal colours of the parts of a diagnostic; none by default."""

    codes: tuple[str, str, str, str, str] = ("", "", "", "", "")

    def severe(self, text: str, severity: Severity) -> str:
        return self._paint(0 if severity == "error" else 4, text)

    def strong(self, text: str) -> str:
        return self._paint(1, text)

    def frame(self, text: str) -> str:
        return self._paint(2, text)

    def help(self, text: str) -> str:
        return self._paint(3, text)

    def _paint(self, part: int, text: str) -> str:
        code = self.codes[part]
        return f"\x1b[{code}m{text}\x1b[0m" if code and text else text


PLAIN = Style()
COLOURED = Style(("1;31", "1", "34", "32", "1;33"))


SHIPPED: Final = "inception-dsl:"
"""The beginning of the name of a shipped spec, as ``inception-dsl:v4``."""


class Span(NamedTuple):
    """A location in a file: lines and columns count from 1; the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def contains(self, other: Span) -> bool:
        """Whether another location is in this one."""
        first = (self.line, self.column) <= (other.line, other.column)
        last = (other.end_line, other.end_column) <= (self.end_line, self.end_column)
        return self.file == other.file and first and last

    @property
    def on_command_line(self) -> bool:
        """Whether this is a location in an argument, such as ``--set classes:1:1``."""
        return self.file.startswith("--")

    @property
    def in_a_file(self) -> bool:
        """Whether this is a location in a file of the user: an editor can open it, edits apply.

        Not so on the command line, and in a shipped spec, which is read-only.
        """
        return not self.file.startswith(("--", SHIPPED))


class Edit(NamedTuple):
    """A replacement of the text at ``span``; an empty span is an insertion."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning: what is wrong, where, and how to fix it.

    ``help`` says the fix in words; ``fix`` has it as edits that a program can apply.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[tuple[Span, str], ...] = ()
    fix: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise KeyError(f"undocumented diagnostic code {self.code}")

    @property
    def severity(self) -> Severity:
        return "warning" if self.code.startswith("W") else "error"


@dataclass(slots=True)
class Report:
    """The errors (``diagnostics``) and ``warnings`` so far.

    ``texts`` has the text of every file that was read, to show its lines. ``failures`` are the
    exceptions of other packages behind errors, whose tracebacks ``--debug`` prints. ``several``: it
    is about several specs, so that errors in settings have a note that names the spec.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    several: bool = False
    _seen: set[tuple[str, Span, str]] = field(default_factory=set)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        help: str = "",
        notes: Iterable[str] = (),
        related: Iterable[tuple[Span, str]] = (),
        fix: Iterable[Edit] = (),
    ) -> None:
        """Add an error; a repeated error (code, location, message) is kept once."""
        more = tuple(notes), tuple(related), tuple(fix)
        self._add(Diagnostic(code, message, span, label, help, *more), self.diagnostics)

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        help: str = "",
        notes: Iterable[str] = (),
        related: Iterable[tuple[Span, str]] = (),
        fix: Iterable[Edit] = (),
    ) -> None:
        """Add a warning; a repeated warning (code, location) is kept once."""
        more = tuple(notes), tuple(related), tuple(fix)
        self._add(Diagnostic(code, message, span, "", help, *more), self.warnings)

    def include(self, found: Iterable[Diagnostic], texts: Mapping[str, str]) -> None:
        """Add the diagnostics of another report, with the texts of its files."""
        self.texts.update(texts)
        for diagnostic in found:
            self._add(
                diagnostic,
                self.warnings if diagnostic.severity == "warning" else self.diagnostics,
            )

    def _add(self, found: Diagnostic, to: list[Diagnostic]) -> None:
        warned = found.severity == "warning"  # once for each place, whatever the numbers are
        key = (found.code, found.span, "" if warned else found.message)
        if key not in self._seen:
            self._seen.add(key)
            to.append(found)

    def crowded(self, before: int) -> bool:
        """Whether there are ``MAX_ERRORS`` errors since ``before``, so that the search stops.

        The last error then has a note that says so.
        """
        if len(self.diagnostics) - before < MAX_ERRORS:
            return False
        last, note = (
            self.diagnostics[-1],
            f"stopped after {MAX_ERRORS} errors; there may be more",
        )
        if note not in last.notes:
            self.diagnostics[-1] = replace(last, notes=(*last.notes, note))
        return True

    @property
    def helping(self) -> bool:
        """Whether to search for help for the next error.

        Only for the first hundred: the search is slow, and nobody reads that far.
        """
        return len(self.diagnostics) < _HELPED

    @property
    def ok(self) -> bool:
        """Whether there are no errors; there may be warnings."""
        return not self.diagnostics

    def __iter__(self) -> Iterator[Diagnostic]:
        """Errors and warnings, sorted by location."""
        return iter(sorted([*self.diagnostics, *self.warnings], key=_order))

    def render(self, style: Style = PLAIN, limit: int = MAX_SHOWN) -> str:
        """All diagnostics, sorted by location, as text for a terminal.

        Beyond ``limit`` diagnostics, warnings are left out first; the last line counts the rest.
        """
        lines = {file: text.split("\n") for file, text in self.texts.items()}
        kept = sorted(
            [*sorted(self.diagnostics, key=_order), *sorted(self.warnings, key=_order)][:limit],
            key=_order,
        )
        shown = [render(d, lines, style) for d in kept]
        more = len(self.diagnostics) + len(self.warnings) - limit
        return "\n\n".join(shown + ([f"and {more:,} more"] if more > 0 else []))

    def counted(self) -> str:
        """``2 errors, 1 warning``."""
        counts = ((len(self.diagnostics), "error"), (len(self.warnings), "warning"))
        return ", ".join(
            f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count
        )


def _order(diagnostic: Diagnostic) -> tuple[Span, str]:
    return diagnostic.span, diagnostic.code


def render(diagnostic: Diagnostic, lines: Mapping[str, Sequence[str]], style: Style = PLAIN) -> str:
    """A diagnostic: its source line with carets below, then related locations, notes and help."""
    d = diagnostic
    spans = [d.span, *(span for span, _ in d.related)]
    gutter = max((len(str(s.line)) for s in spans if _line(s, lines) is not None), default=1)
    shown = [
        style.severe(f"{d.severity}[{d.code}]", d.severity)
        + style.strong(f": {printable(d.message)}")
    ]
    here = _excerpt(d.span, d.label, "^", lines, gutter, style, d.severity)
    shown += [f"  {style.frame('-->')} {printable(str(d.span))}", *here]
    for span, label in d.related:
        excerpt = _excerpt(span, label, "-", lines, gutter, style)
        location = printable(str(span) if excerpt or not label else f"{span}: {label}")
        shown += [f"  {style.frame(':::')} {location}", *excerpt]
    shown += [f"  {style.frame('=')} {printable(note)}" for note in d.notes]
    if d.help:
        shown.append(f"  {style.frame('=')} {style.help('help')}: {printable(d.help)}")
    return "\n".join(shown)


def _line(span: Span, lines: Mapping[str, Sequence[str]]) -> str | None:
    known = lines.get(span.file, ())
    return (
        known[span.line - 1].rstrip("\r") if 1 <= span.line <= len(known) and any(known) else None
    )


def _excerpt(
    span: Span,
    label: str,
    mark: str,
    lines: Mapping[str, Sequence[str]],
    gutter: int,
    style: Style,
    severity: Severity | None = None,
) -> list[str]:
    """The source line of ``span`` underlined with ``mark``; empty if the file's text is unknown."""
    code = _line(span, lines)
    if code is None:
        return []
    end = span.end_column if span.end_line == span.line else len(code) + 1
    before, marked, after = clipped(code, span.column - 1, max(end - 1, span.column))
    empty, number = style.frame(f"{'':{gutter}} |"), style.frame(f"{span.line:{gutter}} |")
    under = mark * max(1, width(marked))
    underline = f"{under} {printable(label)}".rstrip()
    painted = style.severe(underline, severity) if severity else style.frame(underline)
    text = f"{before}{marked}{after}".rstrip()
    return [
        empty,
        f"{number} {text}" if text else number,
        f"{empty} {' ' * width(before)}{painted}",
    ]
