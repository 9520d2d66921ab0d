"""What must hold for the positions of every figure, computed from its boxes and lines alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from inception_dsl_documents.figure import FONT, SMALL, Box, Edge, Figure, Frame, Point
from inception_dsl_documents.fonts import text_width

Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""
EPS = 1e-6


def problems(figure: Figure) -> list[str]:
    """Everything that is wrong with the geometry of a figure."""
    found = [*_overlaps(figure), *_texts(figure), *_outside(figure), *_frames(figure)]
    return [*found, *_lines(figure), *_ends(figure)]


def crossings(figure: Figure) -> list[tuple[str, str]]:
    """The pairs of lines with different beginnings that cross, or run on top of each other."""
    segments = [(e, a, b) for e in figure.edges for a, b in pairwise(e.points)]
    found = []
    for (e, a, b), (f, c, d) in combinations(segments, 2):
        if e.source != f.source and (_cross(a, b, c, d) or _on_top(a, b, c, d)):
            found.append((f"{e.source} -> {e.target}", f"{f.source} -> {f.target}"))
    return list(dict.fromkeys(found))


def _overlaps(figure: Figure) -> Iterator[str]:
    if len({b.id for b in figure.boxes}) != len(figure.boxes):
        yield "two boxes have the same id"
    for a, b in combinations(figure.boxes, 2):
        if _meet(area(a), area(b)):
            yield f"the boxes {a.id} and {b.id} overlap"


def _texts(figure: Figure) -> Iterator[str]:
    """Text is inside its box, and other text is on no box, line or text."""
    for box in figure.boxes:
        size = SMALL if box.role == "merge" else FONT
        for line in box.lines:
            if text_width(line, size) > box.width - 2:
                yield f"the text of {box.id} is wider than the box: {line}"
    texts = [*figure.texts, *(f.title for f in figure.frames), *(t for _, _, t in figure.legend)]
    areas = [
        (t.text, (t.x, t.y - 0.36 * SMALL, t.x + text_width(t.text, SMALL), t.y + 0.36 * SMALL))
        for t in texts
    ]
    for (text, one), (other, two) in combinations(areas, 2):
        if _meet(one, two):
            yield f"the texts {text} and {other} overlap"
    for text, own in areas:
        for box in figure.boxes:
            if _meet(own, area(box)):
                yield f"the text {text} is on the box {box.id}"
        for edge in figure.edges:
            if any(_through(p, q, own) for p, q in pairwise(edge.points)):
                yield f"the text {text} is on the line {edge.source} -> {edge.target}"


def _outside(figure: Figure) -> Iterator[str]:
    points = [p for e in figure.edges for p in e.points]
    for part in (*figure.boxes, *figure.frames):
        left, top, right, bottom = area(part)
        points += [(left, top), (right, bottom)]
    points += [(t.x + text_width(t.text, SMALL), t.y + 0.36 * SMALL) for t in figure.texts]
    points += [(t.x + text_width(t.text, SMALL), t.y + 0.36 * SMALL) for _, _, t in figure.legend]
    if any(not (0 <= x <= figure.width and 0 <= y <= figure.height) for x, y in points):
        yield "something is outside of the figure"


def _frames(figure: Figure) -> Iterator[str]:
    """Frames are inside of one another or apart, and so are boxes and frames."""
    parts = [(f.id, area(f)) for f in figure.frames]
    for (name, own), (other, two) in combinations(parts, 2):
        if _meet(own, two) and not (_within(own, two) or _within(two, own)):
            yield f"the frames {name} and {other} overlap"
    for name, own in parts:
        for box in figure.boxes:
            if _meet(own, area(box)) and not _within(area(box), own):
                yield f"the box {box.id} is on the frame {name}"


def _lines(figure: Figure) -> Iterator[str]:
    for edge in figure.edges:
        for a, b in pairwise(edge.points):
            if abs(a[0] - b[0]) > EPS and abs(a[1] - b[1]) > EPS:
                yield f"the line {edge.source} -> {edge.target} is not straight"
            for box in figure.boxes:
                if _through(a, b, area(box)):
                    yield f"the line {edge.source} -> {edge.target} runs through {box.id}"


def _ends(figure: Figure) -> Iterator[str]:
    """Lines begin and end at the edges of their boxes."""
    boxes = {box.id: area(box) for box in figure.boxes}
    for edge in figure.edges:
        ends = ((edge.points[0], boxes[edge.source]), (edge.points[-1], boxes[edge.target]))
        for (x, y), (left, top, right, bottom) in ends:
            beside = left - EPS <= x <= right + EPS
            if not beside or min(abs(y - top), abs(y - bottom)) > EPS:
                yield f"the line {edge.source} -> {edge.target} does not touch its boxes"


def bent(figure: Figure) -> list[Edge]:
    """The lines between two boxes that are joined by nothing else, and are not straight."""
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    for edge in figure.edges:
        begun[edge.source] = begun.get(edge.source, 0) + 1
        ended[edge.target] = ended.get(edge.target, 0) + 1
    return [
        edge
        for edge in figure.edges
        if begun[edge.source] == ended[edge.target] == 1 and len(edge.points) > 2
    ]


def area(part: Box | Frame) -> Area:
    return part.x, part.y, part.x + part.width, part.y + part.height


def _meet(a: Area, b: Area) -> bool:
    across = a[0] < b[2] - EPS and b[0] < a[2] - EPS
    return across and a[1] < b[3] - EPS and b[1] < a[3] - EPS


def _within(inner: Area, outer: Area) -> bool:
    starts = outer[0] <= inner[0] and outer[1] <= inner[1]
    return starts and inner[2] <= outer[2] and inner[3] <= outer[3]


def _through(a: Point, b: Point, own: Area) -> bool:
    line = (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
    wide = (line[0] - 2 * EPS, line[1] - 2 * EPS, line[2] + 2 * EPS, line[3] + 2 * EPS)
    inner = (own[0] + 4 * EPS, own[1] + 4 * EPS, own[2] - 4 * EPS, own[3] - 4 * EPS)
    return _meet(wide, inner)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether a horizontal and a vertical segment cross, or one ends on the other."""
    if (abs(a[1] - b[1]) < EPS) == (abs(c[1] - d[1]) < EPS):
        return False
    (h1, h2), (v1, v2) = ((a, b), (c, d)) if abs(a[1] - b[1]) < EPS else ((c, d), (a, b))
    low, high = sorted((h1[0], h2[0]))
    top, bottom = sorted((v1[1], v2[1]))
    return low - EPS < v1[0] < high + EPS and top - EPS < h1[1] < bottom + EPS


def _on_top(a: Point, b: Point, c: Point, d: Point) -> bool:
    for axis in (0, 1):
        if max(a[axis], b[axis], c[axis], d[axis]) - min(a[axis], b[axis], c[axis], d[axis]) < EPS:
            one = sorted((a[1 - axis], b[1 - axis]))
            two = sorted((c[1 - axis], d[1 - axis]))
            return one[0] < two[1] - EPS and two[0] < one[1] - EPS
    return False
