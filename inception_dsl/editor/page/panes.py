"""The data of the page: plain texts and numbers, never markup."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from ...backend.protocol import Backend
from ...design import comparison
from ...design.compared import Difference
from ...design.figure import draws
from ...design.summary import Summary
from ...design.tables import Table
from ...diagnostics.explain.explanations import explanations
from ...diagnostics.report import COLOURED, MAX_SHOWN, Diagnostic, Report, render
from ...diagnostics.text import printable
from ...ir.typed import TypedProgram
from .highlighting import pieces
from .results import Emitted, Followed, Version

Json: TypeAlias = Any
_PAINT: Final = re.compile(r"\x1b\[([0-9;]*)m")
_CLASSES: Final = dict(
    zip(COLOURED.codes, ("error", "strong", "frame", "help", "warning"), strict=True)
)
FIGURE, PAGE, TEXT = "figure", "page", "text"


def kind_of(backend: Backend) -> str:
    """How the page shows what a backend writes: as a figure, a page of its own, or as text."""
    if draws(backend):
        return FIGURE
    return PAGE if backend.documents and backend.suffix == ".html" else TEXT


def followed(one: Followed) -> Json:
    """What the page shows of a spec besides its panes."""
    good = one.good
    about = [printable(line) for line in Summary(good.typed).heading()] if good else []
    return {
        "name": one.name,
        "about": about,
        "good": good is not None,
        "stale": good is not None and one.good_number != one.number,
        "version": one.good_number,
        "busy": one.busy,
        "failure": one.failure,
        **problems(one.report),
    }


def problems(report: Report) -> Json:
    """The errors and warnings, as the terminal shows them."""
    lines = {file: text.split("\n") for file, text in report.texts.items()}
    found = sorted(report, key=lambda d: d.severity)  # errors first
    return {
        "counted": report.counted(),
        "errors": len(report.diagnostics),
        "diagnostics": [_diagnostic(d, lines) for d in found[:MAX_SHOWN]],
        "more": max(0, len(found) - MAX_SHOWN),
    }


def _diagnostic(found: Diagnostic, lines: Mapping[str, Sequence[str]]) -> Json:
    head, _, *rest = render(found, lines, COLOURED).split("\n")  # the second is the location
    end = len(rest) - len(found.notes) - bool(found.help)
    known = explanations()[found.code]
    return {
        "severity": found.severity,
        "head": painted(head),
        "where": printable(str(found.span)),
        "excerpt": painted("\n".join(rest[:end])),
        "advice": [painted(line.strip()) for line in rest[end:]],
        "code": found.code,
        "about": str(known),
    }


def painted(text: str) -> list[tuple[str, str]]:
    """A text with colours of the terminal: pairs of a class, or "", and a part of the text.

    Texts of specs have no such colours in them, as what cannot be printed is escaped.
    """
    parts, kind = [], ""
    for index, part in enumerate(_PAINT.split(text)):
        if index % 2:
            kind = _CLASSES.get(part, "")
        elif part:
            parts.append((kind, part))
    return parts


def summary(typed: TypedProgram) -> Json:
    """All rows with their paths, and the facts; ``depth`` is that of rows that are shown first."""
    found = Summary(typed, sys.maxsize)
    rows = table(found.table())
    for line, row in zip(rows["lines"], found.rows(), strict=True):
        line["path"] = "/".join(row.path)
    facts = [[printable(text) for text in pair] for pair in found.facts()]
    return {"table": rows, "facts": facts, "depth": Summary(typed).depth}


def table(found: Table) -> Json:
    """A table; numbers are in the columns from ``numbers`` on."""
    lines = [
        {"cells": [*map(printable, one.cells)], "depth": one.depth, "heading": one.heading}
        for one in found.lines
    ]
    return {"columns": [*map(printable, found.columns)], "numbers": found.numbers, "lines": lines}


def compared(versions: Sequence[Version]) -> Json:
    """The table of several networks, a line for each."""
    return {"tables": [table(comparison.table([Summary(one.typed) for one in versions]))]}


def difference(old: Version, new: Version) -> Json:
    """What differs from a baseline."""
    found = Difference(old.typed, new.typed, (old.spec, new.spec))
    return {"tables": [*map(table, found.tables())], "same": not found}


def emitted(found: Emitted, backend: Backend) -> Json:
    """The files of a backend: texts in pieces; figures and pages by name only."""
    as_text = kind_of(backend) == TEXT
    files = [
        {"name": name, "pieces": pieces(name, content) if as_text else None}
        for name, content in found.files.items()
        if isinstance(content, str)
    ]
    binary = [name for name, content in found.files.items() if isinstance(content, bytes)]
    return {"files": files, "binary": binary, **problems(found.report)}
