"""A figure as data: boxes, lines and texts, with all positions in points.

The origin is the upper left corner and y grows downwards, as in SVG. All documents that draw a
figure draw this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

Point: TypeAlias = tuple[float, float]
Role: TypeAlias = Literal[
    "block", "conv", "pool", "dense", "norm", "activation", "other", "merge", "terminal"
]
FONT: Final = 8.0
"""The size of the text in boxes, in points."""
SMALL: Final = 7.5
"""The size of all other text."""
LINE: Final = 9.5
"""From one line of a box to the next."""
ROUND: Final = 3.0
"""The radius of the corners of lines."""
ARROW: Final = 4.0
"""The length of an arrowhead, which is as wide."""
BASELINE: Final = 0.36
"""How far the line on which letters stand is below the middle of a text, of its size."""


class Box(NamedTuple):
    """A box with one or two lines of text, centred.

    ``id`` is unique in the figure: the path of the layer, block or merge in the network, or in the
    block that is drawn. ``about`` is what a reader may want to know besides, a line for each.
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    role: Role
    about: tuple[str, ...] = ()

    @property
    def middle(self) -> float:
        """The x of its axis."""
        return self.x + self.width / 2


class Edge(NamedTuple):
    """A line from the box ``source`` to the box ``target``, with an arrowhead at its end."""

    source: str
    target: str
    points: tuple[Point, ...]


class Text(NamedTuple):
    """A line of text in the small size; it begins at ``x``, and ``y`` is its middle."""

    x: float
    y: float
    text: str


class Frame(NamedTuple):
    """A frame around the layers of a block or a repeated fork; ``title`` is beside its corner."""

    id: str
    x: float
    y: float
    width: float
    height: float
    title: Text


class Figure(NamedTuple):
    """A figure; ``name`` and ``title`` say what it shows, ``legend`` which colours mean what.

    The legend has a swatch, the upper left corner of which is given, and a text for each role.
    """

    name: str
    title: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    texts: tuple[Text, ...]
    frames: tuple[Frame, ...]
    legend: tuple[tuple[Role, Point, Text], ...] = ()


def strokes(edges: Iterable[Edge]) -> Iterator[Edge]:
    """The lines as they are drawn: where several leave a box together, only the first one is.

    Lines on each other look thicker than others on a screen. A line that leaves another one begins
    just before its corner, which is round.
    """
    drawn: dict[str, list[tuple[Point, ...]]] = {}
    for edge in edges:
        before = drawn.setdefault(edge.source, [])
        rest = min((_rest(edge.points, points) for points in before), key=_length, default=None)
        before.append(edge.points)
        yield edge._replace(points=rest) if rest else edge


def _rest(one: tuple[Point, ...], other: tuple[Point, ...]) -> tuple[Point, ...]:
    """The part of a line that is not on another one, from just before the corner between them."""
    pairs = enumerate(zip(one, other, strict=False))
    shared = next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
    if not 0 < shared < len(one):
        return one
    start, corner = one[shared - 1], one[shared - 1]
    if shared < len(other) and _way(start, one[shared]) == _way(start, other[shared]):
        corner = min(one[shared], other[shared], key=lambda point: _length((start, point)))
    elif shared > 1:
        start, shared = one[shared - 2], shared - 1
    far = _length((start, corner))
    if not far:
        return one
    part = max(0.0, 1 - ROUND / far)
    begin = start[0] + (corner[0] - start[0]) * part, start[1] + (corner[1] - start[1]) * part
    return (begin, *one[shared:])


def _length(points: Sequence[Point]) -> float:
    """The length of a line, all parts of which are horizontal or vertical."""
    return sum(abs(ax - bx) + abs(ay - by) for (ax, ay), (bx, by) in pairwise(points))


def _way(start: Point, end: Point) -> tuple[bool, bool, bool, bool]:
    """The direction from one point to another."""
    (ax, ay), (bx, by) = start, end
    return ax < bx, ax > bx, ay < by, ay > by
