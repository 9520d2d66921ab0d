"""Columns of LaTeX tables: how wide their texts are, and how they fit into a page.

Widths are estimates for Computer Modern, which is wider than Times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from inception_dsl.backend import Code, divided, latex

SIZES: Final = (("footnotesize", 8.0), ("scriptsize", 7.5))
"""Sizes of text from the largest: the command, and how many points a width of 1 below is."""
GAP: Final = 2.5
"""``tabcolsep`` in points: half of the space between two columns."""
_LONG: Final = 14
"""From how many letters on a word may be divided."""
_ENDS: Final = re.compile(r"[ /]|-(?!.$)")
"""Where a line may end."""
_WIDTHS: Final = {
    **dict.fromkeys("ijl.,;:'!|", 0.3),
    **dict.fromkeys("frstI()[]- \N{NO-BREAK SPACE}", 0.42),
    **dict.fromkeys("cez", 0.48),
    **dict.fromkeys("bdhknpqu", 0.6),
    **dict.fromkeys("wACDEFGHJKLNOPQRSTUVXYZB#×+⊙", 0.84),
    **dict.fromkeys("mMW%@", 1.0),
    "→": 1.1,
}


class Column(NamedTuple):
    """A column: two lines of heading, how it is aligned (``l`` or ``r``), and its texts.

    ``least``: they may be broken into lines of this width, in points, and more. ``dropped``: the
    column is left out if not all fit.
    """

    above: str
    head: str
    align: str = "l"
    cells: Sequence[str] = ()
    least: float = 0
    dropped: bool = False

    def width(self, em: float) -> float:
        """The width of its widest text in points."""
        return max(text_width(text, em) for text in (self.above, self.head, *self.cells))

    def narrowest(self, em: float) -> float:
        """The least width that its texts can have in points: that of its longest words."""
        if not self.least:
            return self.width(em)
        words = (w for text in (self.head, *self.cells) for w in _ENDS.split(text))
        return max(self.least, *(text_width(w, em) for w in words if len(w) <= _LONG))


class Fit(NamedTuple):
    """How columns fit: the size of the text, and by the number of each column that is kept its
    width in points, if its texts are broken into lines.
    """

    size: str
    em: float
    widths: dict[int, float | None]

    def format(self, columns: list[Column]) -> Code:
        """The argument of ``tabular``."""
        kinds = (f"p{{{w:.0f}pt}}" if w else columns[i].align for i, w in self.widths.items())
        return Code(f"@{{}}{''.join(kinds)}@{{}}")

    def cells(self, texts: Sequence[str]) -> list[Code]:
        """The texts of a line as LaTeX; what takes several lines is not justified, and its long
        words may be divided.
        """
        return [self.cell(texts[i], width) for i, width in self.widths.items()]

    def cell(self, text: str, width: float | None) -> Code:
        """A text as LaTeX."""
        if not width or text_width(text, self.em) <= width:
            return latex(text)
        return Code(rf"\raggedright\hangindent=.7em {divided(text, _LONG)}")


def text_width(text: str, em: float) -> float:
    """The width of a text in points."""
    return em * sum(_WIDTHS.get(character, 0.53) for character in text)


def fitted(columns: list[Column], room: float) -> Fit:
    """The largest size of text with which all columns fit; else the smallest, without those that
    can be left out.
    """
    every = [*range(len(columns))]
    fits = [_fit(columns, every, room, *size) for size in SIZES]
    kept = [i for i in every if not columns[i].dropped]
    last, _ = _fit(columns, kept, room, *SIZES[-1])
    return next((fit for fit, free in fits if free >= 0), last)


def _fit(
    columns: list[Column], kept: list[int], room: float, size: str, em: float
) -> tuple[Fit, float]:
    """The fit with one size of text, and how much room is left, in points.

    What the least widths leave goes to the columns whose texts are broken into lines, the
    narrowest first.
    """
    natural = {i: columns[i].width(em) for i in kept}
    widths = {i: min(n, columns[i].narrowest(em)) for i, n in natural.items()}
    free = room - 2 * GAP * (len(kept) - 1) - sum(widths.values())
    for i in sorted(kept, key=lambda i: natural[i]):
        more = min(natural[i] - widths[i], max(free, 0))
        widths[i] += more
        free -= more
    return Fit(size, em, {i: w if w < natural[i] else None for i, w in widths.items()}), free
