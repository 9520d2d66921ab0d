"""Places in a spec and what is wrong there.

Stages never print and never raise at a user: each takes a :class:`Report`, adds what it finds, and returns a value or
``None``. The command line renders the report at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .codes import CODES

WIDTH = 160


class Span(NamedTuple):
    """A place in a file: lines and columns count from 1, the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: what is, where, and what to write instead."""

    code: str
    message: str
    span: Span
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[tuple[Span, str], ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise KeyError(f"undocumented diagnostic code {self.code}")


@dataclass(slots=True)
class Report:
    """The mistakes found so far, and the text of every file that was read (to show the lines)."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

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
    ) -> None:
        """Add one mistake; the same mistake at the same place is kept once."""
        found = Diagnostic(code, message, span, label, help, tuple(notes), tuple(related))
        if not any(d.code == code and d.span == span and d.message == message for d in self.diagnostics):
            self.diagnostics.append(found)

    @property
    def ok(self) -> bool:
        return not self.diagnostics

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self.diagnostics, key=lambda d: (d.span, d.code)))

    def render(self) -> str:
        """All mistakes, in the order of their places, as text for a terminal."""
        shown = [render(d, self.texts.get(d.span.file)) for d in self]
        return "\n\n".join(shown)


def render(diagnostic: Diagnostic, text: str | None) -> str:
    """One mistake with the line it stands on and a caret under it."""
    d = diagnostic
    lines = [f"error[{d.code}]: {printable(d.message)}", f"  --> {printable(str(d.span))}"]
    source = text.splitlines() if text is not None else []
    if 1 <= d.span.line <= len(source):
        code = source[d.span.line - 1]
        end = d.span.end_column if d.span.end_line == d.span.line else len(code) + 1
        before, marked, after = _clipped(code, d.span.column - 1, max(end - 1, d.span.column))
        number = str(d.span.line)
        gutter = " " * len(number)
        lines += [
            f"{gutter} |",
            f"{number} | {before}{marked}{after}".rstrip(),
            f"{gutter} | {' ' * len(before)}{'^' * max(1, len(marked))} {printable(d.label)}".rstrip(),
        ]
    lines += [f"  = {printable(f'{span}: {note}')}" for span, note in d.related]
    lines += [f"  = {printable(note)}" for note in d.notes]
    if d.help:
        lines.append(f"  = help: {printable(d.help)}")
    return "\n".join(lines)


def _clipped(line: str, start: int, end: int) -> tuple[str, str, str]:
    """What stands before, in and after the place that is marked, as much as fits on a screen."""
    before, marked, after = printable(line[:start]), printable(line[start:end]), printable(line[end:])
    if len(before) + len(marked) + len(after) <= WIDTH:
        return before, marked, after
    marked = marked if len(marked) <= WIDTH else f"{marked[: WIDTH - 1]}…"
    room = (WIDTH - len(marked)) // 2 + 1
    return _end(before, room), marked, after if len(after) <= room else f"{after[:room]}…"


def _end(text: str, room: int) -> str:
    return text if len(text) <= room else f"…{text[len(text) - room :]}"


def printable(text: str) -> str:
    """``text`` with every control character shown as an escape, so that a spec cannot steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be."""
    import difflib  # only mistakes need it

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(word: str, known: Iterable[str], *, what: str) -> str:
    """A help line: the nearest known word, or all of them."""
    words = sorted(known)
    best = nearest(word, words)
    if best is not None:
        return f"did you mean `{best}`?"
    return f"{what}: {', '.join(words)}" if words else ""
