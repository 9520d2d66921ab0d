"""The use that is being inferred, for messages."""

from __future__ import annotations

from typing import NamedTuple

from ..diagnostics.report import Span
from .program import Node, UseNode


def cause(node: Node) -> Span:
    """The span that makes a step many: its ``repeat``, its ``use``, or the step itself."""
    if node.repeat != 1:
        return node.origin.span("repeat")
    return node.origin.span("use") if isinstance(node, UseNode) else node.origin.span()


class Turn(NamedTuple):
    """A use that is being inferred, and the index of its repetition, from 1."""

    use: UseNode
    nth: int
    total: int

    @property
    def note(self) -> str:
        ordinal = f" ({nth(self.nth)} of {self.total:,})" if self.total > 1 else ""
        return f"in: {self.use.origin.span('use')}, use of `{self.use.block}`{ordinal}"


def nth(number: int) -> str:
    """``number`` as an ordinal: 1st, 2nd, 3rd."""
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number:,}{ending}"
