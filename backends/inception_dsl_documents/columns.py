"""A whole figure: a chain in as many columns as the page needs, with its heads at the side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Final, NamedTuple

from .figure import SMALL, Figure, Role
from .layout import ChainNode, Cursor
from .sheet import Sheet
from .sizes import COLUMN, PAGE, TEXT
from .spacing import DROP, GAP, LANE, LEAVE, SPACE, TIGHT, Gaps, Style
from .tree import Chain, Fork, Head


class Room(NamedTuple):
    """The width and height that a figure may have in print, in points."""

    width: float
    height: float


_POINT: Final = 72 / 72.27  # that of TeX
_HEIGHT, _HIGHER = 7 * 72.0, 9 * 72.0  # ``article`` with a caption, and classes for conferences
COLUMN_ROOMS: Final = tuple(Room(COLUMN * _POINT, height) for height in (_HEIGHT, _HIGHER))
"""The rooms for a figure in a column, the best one first."""
PAGE_ROOMS: Final = (
    Room(TEXT * _POINT, _HEIGHT),
    Room(PAGE * _POINT, _HEIGHT),
    Room(PAGE * _POINT, _HIGHER),
)
"""The rooms for a figure on a page, the best one first."""
LEAST: Final = 6.0
"""The size of type that can be read in print, in points."""
_GUTTER: Final = 22.0
_COLUMNS: Final = 6
_ACROSS: Final = 2
"""The most items whose lines go on in the next column, if type is too small without that."""
_WORTH: Final = 1.05
"""By how much a further column has to make type larger."""


def arranged(
    name: str,
    title: str,
    chain: Chain,
    style: Style,
    *,
    up: bool,
    names: dict[Role, str],
    column: bool = False,
) -> Figure:
    """The figure of a chain, in as few columns as its type in the best room allows."""
    rooms = COLUMN_ROOMS if column else PAGE_ROOMS
    high = next(place for place, room in enumerate(rooms) if room.height > _HEIGHT)

    def best(gaps: Gaps, across: int = 0) -> _Best:
        found: _Best | None = None
        for count in range(1, _COLUMNS + 1):
            sheet = Sheet()
            if not draw_columns(sheet, chain, style._replace(gaps=gaps), count, across):
                break
            figure = sheet.figure(name, title, up=up, names=names)
            own = _Best(*_fitted(figure, rooms), figure)
            found = own if found is None or own.better(found) else found
            if found.place == 0 and found.scale * _WORTH >= 1:
                break
        assert found is not None  # one column is always drawn
        return found

    usual = best(style.gaps)
    if usual.place < high:
        return usual.figure
    tight = best(TIGHT)
    if tight.place < high:
        return tight.figure
    if usual.place < len(rooms):
        return usual.figure
    found = usual
    for gaps, across in product((style.gaps, TIGHT), range(1, _ACROSS + 1)):
        divided = best(gaps, across)
        if divided.place < high:
            return divided.figure
        if gaps is style.gaps and divided.better(found):
            found = divided
    return found.figure


class _Best(NamedTuple):
    """The figure that fits best so far, with the number of its room and its scale."""

    place: int
    scale: float
    figure: Figure

    def better(self, other: _Best) -> bool:
        """Whether it is in a better room, or its type is so much larger that it is worth it."""
        larger = self.scale > other.scale * _WORTH
        return self.place < other.place or (self.place == other.place and larger)


def printed(figure: Figure, rooms: Sequence[Room]) -> float:
    """The scale at which a figure fits the first room in which its type can be read, at most 1.

    If there is none, that of the widest room which is on a page of ``article``.
    """
    return _fitted(figure, rooms)[1]


def _fitted(figure: Figure, rooms: Sequence[Room]) -> tuple[int, float]:
    """The number of the room of a figure, and its scale; the last number if no type can be read."""
    scales = [min(1.0, r.width / figure.width, r.height / figure.height) for r in rooms]
    for place, scale in enumerate(scales):
        if scale * SMALL >= LEAST:
            return place, scale
    return len(rooms), scales[-2]


def draw_columns(sheet: Sheet, chain: Chain, style: Style, count: int, across: int = 0) -> bool:
    """Draw a chain in so many columns; false if it cannot be divided so often. The lines of at most
    ``across`` items, beside that of the chain itself, go on in the next column.
    """
    cuts = _cuts(chain, style, count, across)
    if len(cuts) != count + 1:
        return False
    at = 0.0
    cursors: list[Cursor] = []
    passing: dict[int, Cursor] = {}
    for first, last in pairwise(cuts):
        heads = [head for head in chain.heads if first <= head.after < last]
        part, more = Chain(chain.items[first:last], tuple(heads)), last < len(chain.items)
        leaving = [source - first for source in _crossing(chain, last)] if more else []
        column = ChainNode(part, style, first=first, more=more, passing=leaving)
        axis = at + column.left
        if cursors:
            gutter = at - _GUTTER / 2
            cursors = [
                c.to((gutter, c.points[-1][1]), (gutter, -GAP), (axis, -GAP)) for c in cursors
            ]
        outside = {source - first: cursor for source, cursor in passing.items()}
        cursors, exits = column.drawn(sheet, axis, 0, cursors, outside)
        placed = _heads(sheet, column, style, axis, [(h, exits[h.after - first]) for h in heads])
        below = max([column.height, *(h.bottom for h in placed)]) + GAP
        at = max([axis + column.right, *(h.right for h in placed)]) + _GUTTER
        lines = column.passing(axis, exits, outside)
        passing = {
            source + first: _across(lines[source], at + LANE * place, below, len(lines) - place)
            for place, source in enumerate(sorted(lines))
        }
        at += LANE * len(lines)
        cursors = [c.to((c.points[-1][0], below + LANE * len(lines))) for c in cursors]
    return True


def _across(line: Cursor, at: float, below: float, place: int) -> Cursor:
    """A line that goes on in the column at ``at``, above those between it and that of the chain:
    they are as many as its ``place``.
    """
    gutter, above = at - _GUTTER / 2, -GAP - LANE * place
    return line.to((line.points[-1][0], below), (gutter, below), (gutter, above))


def _cuts(chain: Chain, style: Style, count: int, across: int) -> list[int]:
    """Where to divide a chain for columns of about the same height: indices of first items."""
    node, total = ChainNode(chain, style), 0.0
    ends = []
    for own, gap in zip(node.nodes, node.gaps, strict=True):
        total += own.height + gap
        ends.append(total)
    allowed = [n for n in range(2, len(ends) - 1) if len(_crossing(chain, n)) <= across]
    cuts = [0]
    for number in range(1, count):
        wanted = total * number / count
        later = [n for n in allowed if n > cuts[-1]]
        if not later:
            break
        cuts.append(min(later, key=lambda n: abs(ends[n - 1] - wanted)))
    return [*cuts, len(chain.items)]


def _crossing(chain: Chain, cut: int) -> list[int]:
    """The items before a cut with which a branch behind it begins."""
    return sorted({start for start, end in _spans(chain) if start < cut <= end})


def _spans(chain: Chain) -> list[tuple[int, int]]:
    """The items after which a branch begins, each with the index of its fork."""
    return [
        (branch.after, index)
        for index, item in enumerate(chain.items)
        if isinstance(item, Fork)
        for branch in item.branches
        if branch.after is not None
    ]


class _Placed(NamedTuple):
    """A head in a column of heads, from ``top`` to ``bottom``, and where that column ends."""

    column: int
    top: float
    bottom: float
    right: float


def _heads(
    sheet: Sheet,
    column: ChainNode,
    style: Style,
    axis: float,
    heads: Sequence[tuple[Head, Cursor]],
) -> list[_Placed]:
    """Draw the heads of a column at its right; one that begins later is nearer, so that the line to
    another one passes before it.
    """
    plain = style._replace(shapes=False)
    nodes = [ChainNode(Chain((*head.chain.items, head.output)), plain) for head, _ in heads]
    tops = [cursor.points[-1][1] + LEAVE + DROP for _, cursor in heads]
    chosen = _chosen(tops, [top + n.height + GAP for top, n in zip(tops, nodes, strict=True)])
    left = axis + column.right + 2 * SPACE
    found = []
    for place in range(len(heads)):
        own = [n for n, c in chosen.items() if c == place]
        middle = left + max((nodes[n].left for n in own), default=0.0)
        right = middle + max((nodes[n].right for n in own), default=0.0)
        for n in own:
            x, y = heads[n][1].points[-1]
            cursor = heads[n][1].to((x, y + LEAVE), (middle, y + LEAVE))
            nodes[n].draw(sheet, middle, tops[n], [cursor])
            found.append(_Placed(place, tops[n], tops[n] + nodes[n].height, right))
        left = right + 2 * SPACE
    return found


def _chosen(tops: Sequence[float], bottoms: Sequence[float]) -> dict[int, int]:
    """The column of each head: the nearest in which it is on no other one and on no line."""
    chosen: dict[int, int] = {}
    for own in sorted(range(len(tops)), key=lambda number: -tops[number]):
        level, bottom = tops[own] - DROP, bottoms[own]
        for place in range(len(tops)):
            if all(
                not (place == c and level < bottoms[n] and tops[n] - DROP < bottom)
                and not (c > place and level < tops[n] - DROP < bottom)
                for n, c in chosen.items()
            ):
                chosen[own] = place
                break
    return chosen
