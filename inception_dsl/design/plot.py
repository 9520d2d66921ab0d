"""The Pareto plot of a sweep as SVG: every variant a point, the front with its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from .chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Scale,
    axes,
    cut,
    escaped,
    head,
    scale,
    short,
    words,
)
from .measured import AXES, Variant
from .sweep import Sweep

MARK: Final = "<!-- inception-dsl sweep"
"""The beginning of the second line of a file that this module wrote."""
_MANY: Final = 25  # points of the front, from which on they are smaller
_APART: Final = 5  # points of space between two labels
_LETTER: Final = 6.8  # points: the width of a character of 11 points, about
_LONGEST: Final = 40  # characters of a label
_STYLE: Final = """\
.other { fill: #8c959f; fill-opacity: 0.55; }
.front { fill: #0969da; stroke: #ffffff; }
.line { fill: none; stroke: #0969da; stroke-width: 1.5; stroke-opacity: 0.7; }
@media screen and (prefers-color-scheme: dark) {
  .front { fill: #4493f8; stroke: #0d1117; }
  .line { stroke: #4493f8; }
}
"""


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
    frame = chain(_head(sweep, key), axes(_axis(sweep.x, x), _axis(sweep.y, y)))
    return chain(frame, shown, _front(sweep, front, others, x, y))


def _head(sweep: Sweep, key: str) -> Iterator[str]:
    title = f"{sweep.spec}: {AXES[sweep.y]} for {AXES[sweep.x]}"
    about = f"{', '.join(sweep.names)} varied; {sweep.counts}"
    return head(title, about, mark(key), _STYLE)


def _axis(name: str, scale: Scale) -> Axis:
    return Axis(AXES[name], scale, lambda number: _number(number, name))


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
            f"<title>{escaped(title)}</title></circle>\n"
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
        text = cut(texts[index], _LONGEST)
        wide = _LETTER * len(text)
        for start, baseline, anchor in ((a - 8, b - 7, "end"), (a + 8, b + 15, "start")):
            left = start - wide if anchor == "end" else start
            box = left, baseline - 9, left + wide, baseline + 2
            inside = box[0] >= LEFT and box[1] >= TOP and box[2] <= WIDTH - 2
            if inside and not any(_meet(box, other) for other in taken):
                taken.append((box[0], box[1] - _APART, box[2], box[3] + _APART))
                yield words(start, baseline, text, "label", anchor)
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
        return f"{short(number / 1e6)} MB"
    if axis == "receptive-field":
        return f"{number:,.0f}"
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= size:
            return f"{short(number / size)}{unit}"
    return short(number)
