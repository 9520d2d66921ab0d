"""The terms of a fork: how it divides the channels of its input, and those after its merge."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from ..ir.program import ForkNode
from ..ir.typed import TypedFork
from ..types.split import EQUAL, REST
from ..types.terms import Term, add, constant, divide, subtract
from .frames import Frame, Slot


def _end(before: Slot, size: Slot) -> Slot:
    """The end of a part that begins at the end ``before`` it."""
    values = tuple(a + b for a, b in zip(before.values, size.values, strict=True))
    hint = f"{size.hint.removesuffix('_channels')}_end"
    return Slot(
        size.frame, values, add(before.term, size.term), hint, sized=before.sized or size.sized
    )


def divided(
    frame: Frame, node: ForkNode, typed: tuple[TypedFork, ...], x: Term | None
) -> tuple[Slot, ...]:
    """The sizes of the parts that the branches get; none if there is no ``split``.

    One branch gets everything: that is no split either.
    """
    if node.split is None or len(node.branches) == 1:
        return ()
    count = len(node.branches)
    found: list[Slot] = []
    for index, (name, _) in enumerate(node.branches):
        values, hint = tuple(t.branches[index][1].x.channels for t in typed), f"{name}_channels"
        written = node.sizes[index] if node.sizes else EQUAL
        if written in (EQUAL, REST):
            term = divide(x, constant(count)) if written == EQUAL else None
            found.append(Slot(frame, values, term, hint, sized=term is None))
        else:
            found.append(frame.channels(values, written, hint))
    if REST in node.sizes:
        own, left = node.sizes.index(REST), x
        for slot in [*found[:own], *found[own + 1 :]]:
            left = subtract(left, slot.term)
        found[own] = found[own]._replace(term=left, sized=left is None)
    return tuple(found)


def ends(sizes: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Where each part of these sizes ends, except the last."""
    return tuple(accumulate(sizes[:-1], _end))


def merged(
    frame: Frame, node: ForkNode, typed: tuple[TypedFork, ...], terms: Iterable[Term | None]
) -> Term | None:
    """The term of the channels after a merge of branches with these ``terms``."""
    values = tuple(t.y.channels for t in typed)
    if node.merge == "concat":
        total: Term | None = constant(0)
        for term in terms:
            total = add(total, term)
        return frame.held(total, values)
    found = [term for term in terms if frame.holds(term, values)]
    return next(
        (term for term in found if term is not None and not term.parts), found[0] if found else None
    )
