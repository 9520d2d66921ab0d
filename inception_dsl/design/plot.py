"""The Pareto plot of a sweep as SVG: every variant a point, those on the front with their values.

Light, or dark where the reader prefers it; always light on paper.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from itertools import chain
from typing import Final, NamedTuple

from ..diagnostics.text import printable
from .measured import AXES, Variant
from .sweep import Sweep

MARK: Final = "<!-- inception-dsl sweep"
"""The beginning of the second line of a file that this module wrote."""
WIDTH, HEIGHT = 760, 500
LEFT, RIGHT, TOP, BOTTOM = 86, 28, 64, 62
_DECADES: Final = 20  # a range from less than a 20th of its end has a logarithmic axis
_SPARSE: Final = 3_000  # from this range on, a logarithmic axis has powers of ten only
_TICKS: Final = 6
_MANY: Final = 25  # points of the front, from which on they are smaller
_APART: Final = 5  # points of space between two labels
_LETTER: Final = 6.8  # points: the width of a character of 11 points, about
_LONGEST: Final = 40  # characters of a label
_STYLE: Final = """\
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.about, .tick { fill: #59636e; }
.label { font-size: 11px; }
.page { fill: #ffffff; }
.grid { stroke: #e4e7eb; }
.axis { stroke: #8c959f; fill: none; }
.other { fill: #8c959f; fill-opacity: 0.55; }
.front { fill: #0969da; stroke: #ffffff; }
.line { fill: none; stroke: #0969da; stroke-width: 1.5; stroke-opacity: 0.7; }
@media screen and (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .about, .tick { fill: #9198a1; }
  .page { fill: #0d1117; }
  .grid { stroke: #2a313a; }
  .axis { stroke: #656c76; }
  .front { fill: #4493f8; stroke: #0d1117; }
  .line { stroke: #4493f8; }
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


def scale(least: int, most: int, start: float, end: float) -> Scale:
    """The axis for numbers from ``least`` to ``most``, with some room on both sides."""
    if 0 < least < most / _DECADES:
        room = (most / least) ** 0.04
        return Scale(least / room, most * room, start, end, True)
    room = 0.06 * (most - least) or 0.1 * abs(most) or 1
    return Scale(max(least - room, 0), most + room, start, end, False)


def mark(key: str) -> str:
    """The second line of the plot of the sweep with this :func:`.partial.key`."""
    return f"{MARK} {key} -->"


def plot(sweep: Sweep, key: str = "") -> Iterator[str]:
    """The SVG, in parts; nothing if no variant is within the limits."""
    points = {sweep.point(one) for one in sweep} - {None}
    numbers = [point for point in points if point is not None]
    if not numbers:
        return iter(())
    xs, ys = zip(*numbers, strict=True)
    x = scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y = scale(min(ys), max(ys), HEIGHT - BOTTOM, TOP)
    front = {point: one for one in sweep.front() if (point := sweep.point(one))}
    others = {(round(x.at(a)), round(y.at(b))) for a, b in numbers if (a, b) not in front}
    shown = [*map(_other, sorted(others))]
    return chain(_head(sweep, key), _axes(x, y, sweep), shown, _front(sweep, front, others, x, y))


def _head(sweep: Sweep, key: str) -> Iterator[str]:
    title = f"{sweep.spec}: {AXES[sweep.y]} for {AXES[sweep.x]}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img">\n{mark(key)}\n<title>{_text(title)}</title>\n'
        f'<style>\n{_STYLE}</style>\n<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>\n'
    )
    about = f"{', '.join(sweep.names)} varied; {sweep.counts}"
    yield _words(LEFT, 28, _cut(title, 70), "title") + _words(LEFT, 48, _cut(about, 100), "about")


def _axes(x: Scale, y: Scale, sweep: Sweep) -> Iterator[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in x.ticks():
        at = f"{x.at(tick):.1f}"
        yield f'<line class="grid" x1="{at}" y1="{TOP}" x2="{at}" y2="{bottom}"/>\n'
        yield _words(x.at(tick), bottom + 18, _number(tick, sweep.x), "tick", "middle")
    for tick in y.ticks():
        at = f"{y.at(tick):.1f}"
        yield f'<line class="grid" x1="{LEFT}" y1="{at}" x2="{right}" y2="{at}"/>\n'
        yield _words(LEFT - 8, y.at(tick) + 4, _number(tick, sweep.y), "tick", "end")
    yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>\n'
    names = [f"{AXES[a]}{' (log scale)' * s.logarithmic}" for a, s in ((sweep.x, x), (sweep.y, y))]
    middle = (TOP + bottom) / 2
    yield _words((LEFT + right) / 2, bottom + 44, names[0], "axis-name", "middle")
    yield (
        f'<text class="axis-name" text-anchor="middle" transform="translate(22 {middle:.1f}) '
        f'rotate(-90)">{_text(names[1])}</text>\n'
    )


def _other(place: tuple[int, int]) -> str:
    """A point that is not on the front; those that share a pixel are drawn once."""
    return f'<circle class="other" cx="{place[0]}" cy="{place[1]}" r="2.5"/>\n'


def _front(
    sweep: Sweep,
    front: Mapping[tuple[int, int], Variant],
    others: Collection[tuple[int, int]],
    x: Scale,
    y: Scale,
) -> Iterator[str]:
    """The front: a line, its points, and their values where there is room."""
    found = sorted(front.items())
    places = [(x.at(a), y.at(b)) for (a, b), _ in found]
    path = "".join(f"H{a:.1f}V{b:.1f}" for a, b in places[1:])
    yield f'<path class="line" d="M{places[0][0]:.1f} {places[0][1]:.1f}{path}"/>\n'
    size = 4.5 if len(places) <= _MANY else 3
    for (point, one), (a, b) in zip(found, places, strict=True):
        title = f"{_values(sweep.names, one)}: {_number(point[0], sweep.x)} {AXES[sweep.x]}, "
        title += f"{_number(point[1], sweep.y)} {AXES[sweep.y]}"
        yield (
            f'<circle class="front" cx="{a:.1f}" cy="{b:.1f}" r="{size}">'
            f"<title>{_text(title)}</title></circle>\n"
        )
    columns = [len({one.values[i] for _, one in found}) for i in range(len(sweep.names))]
    names = [n for n, count in zip(sweep.names, columns, strict=True) if count > 1]
    texts = [_values(sweep.names, one, names or sweep.names) for _, one in found]
    yield from _labels(texts, places, others)
    yield "</svg>\n"


def _labels(
    texts: Sequence[str],
    places: Sequence[tuple[float, float]],
    others: Collection[tuple[float, float]],
) -> Iterator[str]:
    """Labels left above the points, where no point is better; else right below.

    A label that would cover another, or a point, is left out: first those in between.
    """
    taken: list[_Box] = [(a - 4, b - 4, a + 4, b + 4) for a, b in (*places, *others)]
    for index in dict.fromkeys((0, len(places) - 1, *range(len(places)))):
        a, b = places[index]
        text = _cut(texts[index], _LONGEST)
        wide = _LETTER * len(text)
        for start, baseline, anchor in ((a - 8, b - 7, "end"), (a + 8, b + 15, "start")):
            left = start - wide if anchor == "end" else start
            box = left, baseline - 9, left + wide, baseline + 2
            inside = box[0] >= LEFT and box[1] >= TOP and box[2] <= WIDTH - 2
            if inside and not any(_meet(box, other) for other in taken):
                taken.append((box[0], box[1] - _APART, box[2], box[3] + _APART))
                yield _words(start, baseline, text, "label", anchor)
                break


_Box = tuple[float, float, float, float]


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _values(names: Sequence[str], one: Variant, shown: Collection[str] = ()) -> str:
    """``width 0.5, input 224``; of all names, or those that are ``shown``."""
    pairs = zip(names, one.values, strict=True)
    return ", ".join(f"{name} {value}" for name, value in pairs if name in (shown or names))


def _number(number: float, axis: str) -> str:
    """``1.5G``; memory as ``8.9 MB``, pixels as they are."""
    if axis in ("activations", "training"):
        return f"{_short(number / 1e6)} MB"
    if axis == "receptive-field":
        return f"{number:,.0f}"
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= size:
            return f"{_short(number / size)}{unit}"
    return _short(number)


def _short(number: float) -> str:
    text = f"{number:,.2f}" if abs(number) < 100 else f"{number:,.0f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _round_step(step: float) -> float:
    """The next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(n * power for n in (1, 2, 2.5, 5, 10, 20) if n * power >= step)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _words(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {at}>{_text(text)}</text>\n'


def _text(text: str) -> str:
    """A text without markup, as XML allows it."""
    return escape(printable(text))
