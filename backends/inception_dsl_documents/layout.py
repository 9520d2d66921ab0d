"""The positions of a figure, from its tree.

A chain is one column, a fork has its branches side by side in their order, between a line that
divides and a bar that joins them. So no line crosses another, every chain is straight, and no
general layout algorithm is needed. The flow is downwards; :mod:`.sheet` turns it upwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from .figure import FONT, LINE, SMALL, Frame, Point, Text
from .fonts import text_width
from .lanes import Lane, arrivals, lanes_of
from .sheet import Sheet
from .spacing import BAR, INSET, LABEL, LABEL_GAP, LANE, LEAVE, NEAR, PAD, SPACE, TITLE, Style
from .tree import Branch, Chain, Fork, Group, Item, Leaf


class Cursor(NamedTuple):
    """A line that has begun at the box ``id``, with its points so far."""

    id: str
    points: tuple[Point, ...]

    def to(self, *points: Point) -> Cursor:
        return Cursor(self.id, (*self.points, *points))


class LeafNode:
    """A box."""

    left: float
    right: float
    height: float

    def __init__(self, leaf: Leaf, style: Style) -> None:
        self.leaf = leaf
        self.lines = leaf.label.lines if style.double else (leaf.label.line,)
        width = max(text_width(line, FONT) for line in self.lines) + 2 * PAD
        self.left = self.right = width / 2
        self.height = LINE * (2 if style.double else 1) + 5
        if leaf.role == "terminal":
            self.lines = (" ".join(leaf.label.lines),)
            self.left = self.right = text_width(self.lines[0], FONT) / 2 + 1.5 * PAD
            self.height = LINE + 3

    def draw(self, sheet: Sheet, x: float, y: float, cursors: Sequence[Cursor]) -> list[Cursor]:
        """Draw it from ``y`` on, and return the line that leaves it."""
        leaf = self.leaf
        for cursor in cursors:
            sheet.edge(cursor.id, leaf.id, cursor.to((x, y)).points)
        size = (x - self.left, y, self.left + self.right, self.height)
        sheet.box(leaf.id, size, self.lines, leaf.role, leaf.about)
        return [Cursor(leaf.id, ((x, y + self.height),))]


class GroupNode:
    """A frame around a chain, with boxes of two lines, and without shapes."""

    left: float
    right: float
    height: float

    def __init__(self, group: Group, style: Style) -> None:
        inner = style._replace(double=True, shapes=False)
        self.group, self.chain = group, ChainNode(group.chain, inner)
        self.before, self.after = (INSET, TITLE) if style.title_last else (TITLE, INSET)
        self.title_last = style.title_last
        self.left = max(self.chain.left + INSET, text_width(group.title, SMALL) + 2 * PAD)
        self.right = self.chain.right + INSET
        self.height = self.before + self.chain.height + self.after

    def draw(self, sheet: Sheet, x: float, y: float, cursors: Sequence[Cursor]) -> list[Cursor]:
        """Draw it from ``y`` on, and return the lines that leave it."""
        width, left = self.left + self.right, x - self.left
        middle = y + (self.height - TITLE / 2 if self.title_last else TITLE / 2)
        title = Text(left + PAD, middle, self.group.title)
        sheet.frame(Frame(self.group.id, left, y, width, self.height, title))
        ends = self.chain.draw(sheet, x, y + self.before, cursors)
        return [end.to((end.points[-1][0], y + self.height)) for end in ends]


class ForkNode:
    """Branches side by side; ``flat``: the bar that joins them is that of a fork around it."""

    left: float
    right: float
    height: float
    ends: list[float]

    def __init__(self, fork: Fork, style: Style, *, flat: bool = False) -> None:
        self.fork, self.flat, self.gaps = fork, flat, style.gaps
        joins = fork.merge == "concat"
        self.branches = [
            ChainNode(branch_chain(fork, b), style, joins=joins) for b in fork.branches
        ]
        notes = [text_width(b.note, SMALL) + 3 if b.note else 0 for b in fork.branches]
        noted = [] if fork.entry else notes
        at, axes = 0.0, list[float]()
        for number, branch in enumerate(self.branches):
            axes.append(at + branch.left)
            room = noted[number] if noted else 0
            at = axes[-1] + max(branch.right, room) + SPACE
        axis = (axes[0] + axes[-1]) / 2
        nearest = min(axes, key=lambda a: abs(a - axis))
        axis = nearest if abs(nearest - axis) < NEAR else axis
        self.axes = [a - axis for a in axes]
        ends = [a + e for a, b in zip(self.axes, self.branches, strict=True) for e in b.ends]
        self.half = max(text_width(fork.merge, SMALL) / 2 + PAD, *(abs(e) + 2 * PAD for e in ends))
        self.left, self.right = axis, at - SPACE - axis
        if not flat:
            self.left, self.right = max(self.left, self.half), max(self.right, self.half)
        self.ends = ends if flat else [0.0]
        self.lanes = sum(b.after is not None for b in fork.branches)
        self.top = (
            0.0
            if fork.entry
            else self.gaps.bus + self.gaps.drop + LANE * self.lanes + (2 if any(notes) else 0)
        )
        self.body = max(b.height for b in self.branches)
        self.height = self.top + self.body + (0 if flat else self.gaps.gap + BAR)

    def draw(
        self,
        sheet: Sheet,
        x: float,
        y: float,
        cursors: Sequence[Cursor],
        started: Mapping[int, Cursor] | None = None,
    ) -> list[Cursor]:
        """``started`` are the lines of the branches that begin elsewhere, by their numbers."""
        ends: list[Cursor] = []
        levels, bus = arrivals(started or {}, self.axes), self.gaps.bus
        for number, (branch, axis) in enumerate(zip(self.branches, self.axes, strict=True)):
            at, top = x + axis, y + self.top + self.body - branch.height
            if started and number in started:
                level = y + self.gaps.bus + LANE * (1 + levels[number])
                side = started[number].points[-1][0]
                own = [started[number].to((side, level), (at, level))]
            else:
                own = (
                    [] if self.fork.entry else [c.to((x, y + bus), (at, y + bus)) for c in cursors]
                )
            if (note := self.fork.branches[number].note) and not self.fork.entry:
                sheet.text(Text(at + 3, y + self.top - self.gaps.drop / 2, note))
            ends += branch.draw(sheet, at, top, own)
        if self.flat:
            return ends
        bar = y + self.top + self.body + self.gaps.gap
        for end in ends:
            sheet.edge(end.id, self.fork.id, end.to((end.points[-1][0], bar)).points)
        size = (x - self.half, bar, 2 * self.half, BAR)
        sheet.box(self.fork.id, size, (self.fork.merge,), "merge", self.fork.about)
        return [Cursor(self.fork.id, ((x, bar + BAR),))]


Node: TypeAlias = LeafNode | GroupNode | ForkNode


class ChainNode:
    """Items in a column. ``joins``: it is a branch of a concat, which also joins those of a concat
    at its end. ``first`` is the index of the first of these items in the whole chain; ``more``:
    more items follow in another column; ``passing`` are the items of which a line goes on there,
    negative if they are in a column before. ``ends`` is where its lines end, from its axis.
    """

    left: float
    right: float
    height: float
    ends: list[float]

    def __init__(
        self,
        chain: Chain,
        style: Style,
        *,
        joins: bool = False,
        first: int = 0,
        more: bool = False,
        passing: Collection[int] = (),
    ) -> None:
        self.chain, self.style = chain, style
        last = len(chain.items) - 1
        self.nodes = [node(i, style, flat=joins and n == last) for n, i in enumerate(chain.items)]
        self.left = max((n.left for n in self.nodes), default=2 * PAD)
        self.right = max((n.right for n in self.nodes), default=2 * PAD)
        axes = {n: f.axes for n, f in enumerate(self.nodes) if isinstance(f, ForkNode)}
        heads = [h.after - first for h in chain.heads]
        self.lanes = lanes_of(chain.items, axes, first, heads, passing)
        self.shown = self._shapes(more) if style.shapes else {}
        self.sides = self._lane_positions()
        gap, label_gap = style.gaps.gap, style.gaps.label_gap
        left = {*heads, *(lane.source for lane in self.lanes)}
        self.crowded = left & self.shown.keys()  # a line leaves beside the shape
        self.gaps = [label_gap if n in self.shown else gap for n in range(len(self.nodes))]
        self.gaps = [LABEL_GAP if n in self.crowded else g for n, g in enumerate(self.gaps)]
        self.height = sum(n.height for n in self.nodes) + sum(self.gaps[:-1])
        self.height += label_gap - gap if last in self.shown else 0
        self.ends = self._ends()

    def _ends(self) -> list[float]:
        last = self.nodes[-1] if self.nodes else None
        return last.ends if isinstance(last, ForkNode) and last.flat else [0.0]

    def _lane_positions(self) -> dict[Lane, float]:
        """The distance of each lane from the axis; the column gets as wide as they need."""
        found: dict[Lane, float] = {}
        for side in (-1, 1):
            own = [lane for lane in self.lanes if lane.side == side]
            for lane in own:
                nodes = self.nodes[max(lane.source + 1, 0) : lane.target + 1]
                widest = max((n.left if side < 0 else n.right for n in nodes), default=0.0)
                if side > 0:
                    beside = range(lane.source, lane.target)
                    widest = max([widest, *(self._label(n) for n in beside if n in self.shown)])
                inner = [found[o] for o in own if o in found and o.overlaps(lane)]
                found[lane] = max([widest, *inner]) + LANE
            most = max((found[lane] + PAD for lane in own), default=0.0)
            if side < 0:
                self.left = max(self.left, most)
            else:
                self.right = max(self.right, most)
        return found

    def _shapes(self, more: bool) -> dict[int, str]:
        """The shapes to write after items, by index: those that differ from the shape before."""
        found: dict[int, str] = {}
        shown = ""
        items = self.chain.items
        for number, item in enumerate(items if more else items[:-1]):
            following = _end(items[number + 1]) if number + 1 < len(items) else ""
            if isinstance(item, Leaf) and item.role == "terminal":
                shown = item.y
            elif item.y and item.y not in (shown, following):
                found[number] = shown = item.y
        self.right = max([self.right, *(4 + text_width(y, SMALL) for y in found.values())])
        return found

    def _label(self, number: int) -> float:
        """How far the shape after an item reaches from the axis."""
        return 4 + text_width(self.shown[number], SMALL)

    def draw(self, sheet: Sheet, x: float, y: float, cursors: Sequence[Cursor]) -> list[Cursor]:
        """Draw it from ``y`` on, and return the lines that leave it."""
        return self.drawn(sheet, x, y, cursors)[0]

    def drawn(
        self,
        sheet: Sheet,
        x: float,
        y: float,
        cursors: Sequence[Cursor],
        outside: Mapping[int, Cursor] | None = None,
    ) -> tuple[list[Cursor], list[Cursor]]:
        """Draw it, and return the lines that leave it, and one that leaves each item; ``outside``
        are the lines of items in columns before, by their negative index.
        """
        found, gaps = list(cursors), self.style.gaps
        exits: list[Cursor] = []
        for number, item in enumerate(self.nodes):
            if isinstance(item, ForkNode):
                lanes = [lane for lane in self.lanes if lane.target == number]
                started = {a.branch: self._lane(a, exits, outside or {}, x) for a in lanes}
                found = item.draw(sheet, x, y, found, started)
            else:
                found = item.draw(sheet, x, y, found)
            exits.append(found[0])
            y += item.height
            if number in self.shown:
                above = LABEL if number in self.crowded else gaps.label
                sheet.text(Text(x + 4, y + self.gaps[number] - above, self.shown[number]))
            y += self.gaps[number]
        return found, exits

    def passing(
        self, x: float, exits: Sequence[Cursor], outside: Mapping[int, Cursor]
    ) -> dict[int, Cursor]:
        """The lines that go on in a later column, by the index of their item."""
        lanes = (lane for lane in self.lanes if lane.target == len(self.nodes))
        return {lane.source: self._lane(lane, exits, outside, x) for lane in lanes}

    def _lane(
        self, lane: Lane, exits: Sequence[Cursor], outside: Mapping[int, Cursor], x: float
    ) -> Cursor:
        beside = x + lane.side * self.sides[lane]
        if lane.source < 0:
            start = outside[lane.source]
            return start.to((beside, start.points[-1][1]))
        start = exits[lane.source]
        at = start.points[-1][1] + LEAVE
        return start.to((x, at), (beside, at))


def node(item: Item, style: Style, *, flat: bool = False) -> Node:
    """The layout of an item; ``flat`` if it ends a branch of a concat."""
    if isinstance(item, Leaf):
        return LeafNode(item, style)
    if isinstance(item, Group):
        return GroupNode(item, style)
    return ForkNode(item, style, flat=flat and item.merge == "concat")


def _end(item: Item) -> str:
    """The shape in the box of an output."""
    return item.y if isinstance(item, Leaf) and item.role == "terminal" else ""


def branch_chain(fork: Fork, branch: Branch) -> Chain:
    """The chain of a branch; one of the fork of inputs begins with the box of its input."""
    if not fork.entry:
        return branch.chain
    from .labels import Label

    name, _, shape = branch.note.partition(" ")
    first = Leaf(f"input {name}", Label(name, shape), "terminal", shape)
    return Chain((first, *branch.chain.items))
