"""A chart as SVG: the page, its title, two axes with ticks, and texts.

Light, or dark where the reader prefers it; always light on paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape
from typing import Final, NamedTuple

from ..diagnostics.text import printable

WIDTH, HEIGHT = 760, 500
LEFT, RIGHT, TOP, BOTTOM = 86, 28, 64, 62
_DECADES: Final = 20  # a range from less than a 20th of its end has a logarithmic axis
_SPARSE: Final = 3_000  # from this range on, a logarithmic axis has powers of ten only
_TICKS: Final = 6
_STYLE: Final = """\
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.about, .tick { fill: #59636e; }
.label { font-size: 11px; }
.page { fill: #ffffff; }
.grid { stroke: #e4e7eb; }
.axis { stroke: #8c959f; fill: none; }
@media screen and (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .about, .tick { fill: #9198a1; }
  .page { fill: #0d1117; }
  .grid { stroke: #2a313a; }
  .axis { stroke: #656c76; }
}
"""


class Scale(NamedTuple):
    """An axis: numbers from ``least`` to ``most`` are at positions from ``start`` to ``end``."""

    least: float
    most: float
    start: float
    end: float
    logarithmic: bool

    def at(self, number: float) -> float:
        """The position of a number, in points."""
        low, high, here = (
            (math.log10(n) for n in (self.least, self.most, number))
            if self.logarithmic
            else (self.least, self.most, number)
        )
        return self.start + (here - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers along the axis."""
        if self.logarithmic:
            decades = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)))
            steps = (1, 2, 5) if self.most / self.least < _SPARSE else (1,)
            found = [float(step * 10**n) for n in (*decades, decades.stop) for step in steps]
            return [n for n in found if self.least <= n <= self.most]
        step = _round_step((self.most - self.least) / _TICKS)
        first, last = math.ceil(self.least / step), math.floor(self.most / step)
        return [index * step for index in range(first, last + 1)]


def scale(least: float, most: float, start: float, end: float) -> Scale:
    """The axis for numbers from ``least`` to ``most``, with some room on both sides."""
    if 0 < least < most / _DECADES:
        room = (most / least) ** 0.04
        return Scale(least / room, most * room, start, end, True)
    room = 0.06 * (most - least) or 0.1 * abs(most) or 1
    return Scale(max(least - room, 0), most + room, start, end, False)


def head(title: str, about: str, mark: str, style: str) -> Iterator[str]:
    """The beginning of a file: its second line, what it shows, and ``style`` for what follows."""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img">\n{mark}\n<title>{escaped(title)}</title>\n'
        f"<style>\n{_STYLE}{style}</style>\n"
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>\n'
    )
    yield words(LEFT, 28, cut(title, 70), "title") + words(LEFT, 48, cut(about, 100), "about")


class Axis(NamedTuple):
    """An axis with its name; ``spelled`` writes a number at a tick."""

    name: str
    scale: Scale
    spelled: Callable[[float], str]

    @property
    def title(self) -> str:
        """The name, and whether the axis is logarithmic."""
        return f"{self.name}{' (log scale)' * self.scale.logarithmic}"


def axes(x: Axis, y: Axis) -> Iterator[str]:
    """The grid, the ticks and the names of both axes."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in x.scale.ticks():
        at = f"{x.scale.at(tick):.1f}"
        yield f'<line class="grid" x1="{at}" y1="{TOP}" x2="{at}" y2="{bottom}"/>\n'
        yield words(x.scale.at(tick), bottom + 18, x.spelled(tick), "tick", "middle")
    for tick in y.scale.ticks():
        at = f"{y.scale.at(tick):.1f}"
        yield f'<line class="grid" x1="{LEFT}" y1="{at}" x2="{right}" y2="{at}"/>\n'
        yield words(LEFT - 8, y.scale.at(tick) + 4, y.spelled(tick), "tick", "end")
    yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>\n'
    middle = (TOP + bottom) / 2
    yield words((LEFT + right) / 2, bottom + 44, x.title, "axis-name", "middle")
    yield (
        f'<text class="axis-name" text-anchor="middle" transform="translate(22 {middle:.1f}) '
        f'rotate(-90)">{escaped(y.title)}</text>\n'
    )


def short(number: float) -> str:
    """A number with at most two decimals, none from 100 on, or two digits below 0.1."""
    if abs(number) < 0.1:
        return f"{number:.2g}"
    shown = f"{number:,.2f}" if abs(number) < 100 else f"{number:,.0f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def cut(shown: str, most: int) -> str:
    """A text with at most so many characters."""
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def words(x: float, y: float, shown: str, kind: str, anchor: str = "start") -> str:
    """A text at a position; ``kind`` is its class, ``anchor`` the end that is there."""
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {at}>{escaped(shown)}</text>\n'


def escaped(shown: str) -> str:
    """A text without markup, as XML allows it."""
    return escape(printable(shown))


def _round_step(step: float) -> float:
    """The next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(n * power for n in (1, 2, 2.5, 5, 10, 20) if n * power >= step)
