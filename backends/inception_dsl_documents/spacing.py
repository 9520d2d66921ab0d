"""The distances in a figure, in points."""

from __future__ import annotations

from typing import Final, NamedTuple

PAD: Final = 3.0
"""From the text to the edge of a box."""
GAP: Final = 11.0
"""Between boxes in a column."""
LABEL_GAP: Final = 16.0
"""The same where a shape is written beside the line."""
SPACE: Final = 5.5
"""Between branches."""
BUS: Final = 6.0
"""From the input of a fork to the line that divides it."""
DROP: Final = 9.0
BAR: Final = 12.0
LANE: Final = 6.0
INSET: Final = 8.0
TITLE: Final = 12.5
NEAR: Final = 6.0
"""An axis of a branch that is nearer than two corners to that of its fork becomes the same."""
LEAVE: Final = 3.0
"""Where a line leaves a column to the side."""
LABEL: Final = 6.5
"""From the middle of a shape to the box below it."""


class Gaps(NamedTuple):
    """The heights between boxes: see the constants of these names."""

    gap: float = GAP
    label_gap: float = LABEL_GAP
    bus: float = BUS
    drop: float = DROP
    label: float = LABEL


TIGHT: Final = Gaps(7.0, 9.5, 3.0, 7.0, 5.0)
"""Those of a figure that would be too high; a line still has room for a corner and an arrowhead."""


class Style(NamedTuple):
    """``double``: boxes have two lines. ``shapes``: the shapes of outputs are beside the lines.

    ``title_last``: the title of a frame is at the end of the flow, which is its upper edge.
    """

    double: bool
    shapes: bool
    title_last: bool
    gaps: Gaps = Gaps()
