"""Tables as aligned text, CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import aligned, printable, rule
from ..emit.latex import latex

_LONG: Final = 30  # characters of a text in LaTeX, from which on it is broken into lines
_PARAGRAPH: Final = r"p{0.2\linewidth}"
_WORD: Final = re.compile(r"(?<=[ ._/])")
_WIDE: Final = 95  # characters of a row, from which on the type is smaller


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
        """A ``tabular`` of the LaTeX package booktabs, in small type, for the width of a page."""
        names, below = [*map(len, self.columns)], [line.cells for line in self.lines]
        inner = [max(map(len, column)) for column in zip(*below, strict=True)] or [0] * len(names)
        widths = [*map(max, names, inner)]
        wrapped = {i for i in self.left if inner[i] > _LONG}
        size = "scriptsize" if sum(min(w, _LONG) for w in widths) > _WIDE else "footnotesize"
        kinds = "".join(
            _PARAGRAPH if i in wrapped else "l" if i in self.left else "r"
            for i in range(len(self.columns))
        )
        rows: list[list[str]] = [[*map(latex, line.cells)] for line in self.lines]
        for line, row in zip(self.lines, rows, strict=True):
            row[0] = rf"\hspace{{{line.depth}em}}{row[0]}" if line.depth else row[0]
            for i in wrapped:
                row[i] = _broken(row[i])
        body = "".join(_tabbed(row) for row in rows)
        head = _tabbed(
            latex(name)
            if size == "footnotesize"
            else _stacked(name, width, "lr"[i not in self.left])
            for i, (name, width) in enumerate(zip(self.columns, inner, strict=True))
        )
        return (
            f"{{\\{size}\\setlength{{\\tabcolsep}}{{3pt}}%\n"
            f"\\begin{{tabular}}{{@{{}}{kinds}@{{}}}}\n\\toprule\n{head}\\midrule\n{body}"
            "\\bottomrule\n\\end{tabular}}\n"
        )


def comma_separated(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values (RFC 4180) with lines that end as on Unix."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _broken(text: str) -> str:
    """A text of LaTeX that is broken into lines, also in paths and names."""
    for sign in ("/", r"\_"):
        text = text.replace(sign, rf"{sign}\allowbreak ")
    return rf"{{\raggedright {text}\par}}"


def _stacked(name: str, width: int, side: str) -> str:
    """The name of a column in lines that are about as wide as its texts, where words allow that."""
    lines = [""]
    parts = [part for part in _WORD.split(name) if part]
    most = max([width, *map(len, parts)]) + 2
    for part in parts:
        if lines[-1] and len((lines[-1] + part).rstrip()) > most:
            lines.append("")
        lines[-1] += part
    if len(lines) == 1:
        return latex(name)
    stacked = r" \\ ".join(latex(line.rstrip()) for line in lines)
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{stacked}\end{{tabular}}"


def _tabbed(row: Iterable[str]) -> str:
    return f"{' & '.join(row)} \\\\\n"


def _markdown(text: str) -> str:
    """The text for Markdown: no character of it is markup."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in printable(text))


_MARKUP: Final = "\\`*_{}[]<>#|~"
