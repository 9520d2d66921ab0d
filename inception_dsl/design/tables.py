"""Tables as aligned text, CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import aligned, printable, rule
from ..emit.latex import latex


class Line(NamedTuple):
    """A row: its texts, how far the first is indented, and whether it is a heading."""

    cells: Sequence[str]
    depth: int = 0
    heading: bool = False


class Table(NamedTuple):
    """Lines below the names of the columns; those from ``numbers`` on are aligned to the right,
    but for the last ``texts``.
    """

    columns: Sequence[str]
    lines: Sequence[Line]
    numbers: int
    texts: int = 0

    @property
    def left(self) -> frozenset[int]:
        """The columns that are aligned to the left."""
        count = len(self.columns)
        return frozenset((*range(self.numbers), *range(count - self.texts, count)))

    def text(self, style: Style = PLAIN) -> list[str]:
        """Aligned columns; the names have a line below, and headings are bold."""
        cells = [("  " * line.depth + line.cells[0], *line.cells[1:]) for line in self.lines]
        rows = [self.columns, *(tuple(map(printable, row)) for row in cells)]
        names, below, *lines = aligned([rows[0], rule(rows), *rows[1:]], self.left)
        paints = [style.strong if line.heading else str for line in self.lines]
        inner = (paint(line) for paint, line in zip(paints, lines, strict=True))
        return [style.frame(names), style.frame(below), *inner]

    def markdown(self) -> str:
        """A table of GitHub's Markdown; the first column is indented by spaces."""
        rule = ["---" if i in self.left else "---:" for i in range(len(self.columns))]
        rows = [[_markdown(text) for text in line.cells] for line in self.lines]
        for line, row in zip(self.lines, rows, strict=True):
            row[0] = "&nbsp;&nbsp;" * line.depth + (f"**{row[0]}**" if line.heading else row[0])
        found = [[*map(_markdown, self.columns)], rule, *rows]
        return "".join(f"| {' | '.join(row)} |\n" for row in found)

    def latex(self) -> str:
        """A ``tabular`` of the LaTeX package booktabs."""
        kinds = "".join("l" if i in self.left else "r" for i in range(len(self.columns)))
        rows: list[list[str]] = [[*map(latex, line.cells)] for line in self.lines]
        for line, row in zip(self.lines, rows, strict=True):
            row[0] = rf"\hspace{{{line.depth}em}}{row[0]}" if line.depth else row[0]
        body = "".join(_tabbed(row) for row in rows)
        head = _tabbed([latex(text) for text in self.columns])
        return (
            f"\\begin{{tabular}}{{@{{}}{kinds}@{{}}}}\n\\toprule\n{head}\\midrule\n{body}"
            "\\bottomrule\n\\end{tabular}\n"
        )


def comma_separated(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values (RFC 4180) with lines that end as on Unix."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _tabbed(row: Sequence[str]) -> str:
    return f"{' & '.join(row)} \\\\\n"


def _markdown(text: str) -> str:
    """The text for Markdown: no character of it is markup."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in printable(text))


_MARKUP: Final = "\\`*_{}[]<>#|~"
