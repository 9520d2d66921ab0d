"""Collects what a layout draws, and makes the figure of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .figure import SMALL, Box, Edge, Figure, Frame, Point, Role, Text
from .fonts import text_width
from .labels import ROLES

MARGIN: Final = 2.0
_SWATCH: Final = 8.0
_ENTRY: Final = 12.0
"""Between the entries of a legend."""
_ROW: Final = 12.0


class Sheet:
    """The parts of a figure that flows downwards."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.texts: list[Text] = []
        self.frames: list[Frame] = []

    def box(
        self,
        id: str,
        size: tuple[float, float, float, float],
        lines: tuple[str, ...],
        role: Role,
        about: tuple[str, ...],
    ) -> None:
        """Add a box; ``size`` is its left, top, width and height."""
        self.boxes.append(Box(id, *size, lines, role, about))

    def edge(self, source: str, target: str, points: Iterable[Point]) -> None:
        """Add a line."""
        self.edges.append(Edge(source, target, straightened(points)))

    def text(self, text: Text) -> None:
        """Add a text beside boxes."""
        self.texts.append(text)

    def frame(self, frame: Frame) -> None:
        """Add a frame."""
        self.frames.append(frame)

    def figure(self, name: str, title: str, *, up: bool, names: dict[Role, str]) -> Figure:
        """The figure, flowing upwards or downwards, with a legend below it.

        ``names`` are the texts of the legend for the roles that need other ones.
        """
        left = min(x for x, _ in self._corners())
        right = max(x for x, _ in self._corners())
        top, bottom = min(y for _, y in self._corners()), max(y for _, y in self._corners())
        used = [role for role in ROLES if any(b.role == role for b in self.boxes)]
        entries = [(role, names.get(role, ROLES[role][0])) for role in used if role != "merge"]
        widest = max((_entry(text) for _, text in entries), default=0.0) - _ENTRY
        width = max(right - left, widest)
        dx = MARGIN - left + (width - (right - left)) / 2

        def turned(y: float, height: float = 0.0) -> float:
            return (bottom - y - height if up else y - top) + MARGIN

        boxes = [b._replace(x=b.x + dx, y=turned(b.y, b.height)) for b in self.boxes]
        texts = [t._replace(x=t.x + dx, y=turned(t.y)) for t in self.texts]
        edges = [
            e._replace(points=tuple((x + dx, turned(y)) for x, y in e.points)) for e in self.edges
        ]
        frames = [
            f._replace(
                x=f.x + dx,
                y=turned(f.y, f.height),
                title=f.title._replace(x=f.title.x + dx, y=turned(f.title.y)),
            )
            for f in self.frames
        ]
        height = bottom - top + 2 * MARGIN
        legend, rows = _legend(entries, width, height)
        return Figure(
            name, title, width + 2 * MARGIN, height + rows * _ROW + (MARGIN if rows else 0),
            tuple(boxes), tuple(edges), tuple(texts), tuple(frames), tuple(legend),
        )  # fmt: skip

    def _corners(self) -> Iterable[Point]:
        areas = [(b.x, b.y, b.width, b.height) for b in self.boxes]
        areas += [(f.x, f.y, f.width, f.height) for f in self.frames]
        for x, y, width, height in areas:
            yield x, y
            yield x + width, y + height
        for text in self.texts:
            yield text.x, text.y - SMALL / 2
            yield text.x + text_width(text.text, SMALL), text.y + SMALL / 2
        for edge in self.edges:
            yield from edge.points


def straightened(points: Iterable[Point]) -> tuple[Point, ...]:
    """A line without points that are on the straight line between their neighbours."""
    found: list[Point] = []
    for point in points:
        if found and _near(point, found[-1]):
            continue
        if len(found) > 1 and any(
            abs(found[-2][a] - found[-1][a]) < 1e-6 and abs(point[a] - found[-1][a]) < 1e-6
            for a in (0, 1)
        ):
            found.pop()
        found.append(point)
    return tuple(found)


def _near(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < 1e-6 and abs(a[1] - b[1]) < 1e-6


def _entry(text: str) -> float:
    """The width of an entry of the legend, with the space after it."""
    return _SWATCH + 3 + text_width(text, SMALL) + _ENTRY


def _row_width(line: Sequence[tuple[Role, str]]) -> float:
    return sum(_entry(text) for _, text in line) - _ENTRY


def _balanced(entries: Sequence[tuple[Role, str]], width: float) -> list[list[tuple[Role, str]]]:
    """The entries in as few rows as the width allows, the widest of which is as short as it can."""
    lines = _rows(entries, width)
    while lines:
        widest = max(map(_row_width, lines))
        narrower = _rows(entries, widest - 0.01)
        if len(narrower) > len(lines) or max(map(_row_width, narrower)) >= widest:
            break
        lines = narrower
    return lines


def _rows(entries: Sequence[tuple[Role, str]], width: float) -> list[list[tuple[Role, str]]]:
    """The entries in rows, each as full as the width allows."""
    lines: list[list[tuple[Role, str]]] = []
    for entry in entries:
        if not lines or _row_width([*lines[-1], entry]) > width + 1e-6:
            lines.append([])
        lines[-1].append(entry)
    return lines


def _legend(
    entries: Sequence[tuple[Role, str]], width: float, below: float
) -> tuple[list[tuple[Role, Point, Text]], int]:
    """The entries of the legend in centred rows of about one width, and the number of rows."""
    lines = _balanced(entries, width)
    found: list[tuple[Role, Point, Text]] = []
    for row, line in enumerate(lines):
        x = MARGIN + (width - _row_width(line)) / 2
        y = below + row * _ROW
        for role, text in line:
            found.append((role, (x, y), Text(x + _SWATCH + 3, y + _SWATCH / 2, text)))
            x += _entry(text)
    return found, len(lines)
