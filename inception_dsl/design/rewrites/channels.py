"""Numbers of channels as they can be written in a step: a number, or an expression."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ...ir.program import Chain, ForkNode, Node, OpNode
from ...ops import SAME_SHAPE, AvgPool, MaxPool
from ...types.expression import Expression
from ...types.width import Width
from .places import Place

Channels = int | str
"""What a field can say: a number, ``$name`` or ``${…}``."""
_KEEPING: Final = (*SAME_SHAPE, AvgPool, MaxPool)
_NAME: Final = re.compile(r"\w+\Z", re.ASCII)


def before(place: Place, width: Width) -> Channels | None:
    """The channels of the input of a step, for a field that ``width`` scales; ``None`` if no text
    gives them in all its uses.
    """
    text = _written(place, place.position)
    return _chosen(place, text, _one(width, (typed.x.channels for typed in place.types)))


def after(place: Place, width: Width) -> Channels | None:
    """The same for its output."""
    found = _one(width, (typed.y.channels for typed in place.types))
    return _chosen(place, _of(place.node, place), found)


def between(place: Place, width: Width) -> Channels:
    """The filters between the parts of a convolution: the geometric mean of those of its input and
    output, or with parameters of several values their mean; its own if its input has no text.
    """
    types = place.layers
    means = (max(1, round(math.sqrt(t.x.channels * t.y.channels))) for t in types)
    mean = _one(width, means)
    own = _of(place.node, place)
    assert own is not None
    if mean is not None:
        return mean
    start = _written(place, place.position)
    return own if start in (None, own) else combined(f"({inner(start)} + {inner(own)}) // 2")


def share(of: Channels | None, ratio: int) -> Channels | None:
    """A share of a number of channels, at least 1."""
    if of is None or isinstance(of, int):
        return of and max(1, of // ratio)
    text = inner(of)
    return combined(f"{text if _NAME.match(text) else f'({text})'} // {ratio}")


def inner(value: Channels | None) -> str:
    """What stands for a value in an expression."""
    text = str(value)
    return text[2:-1].strip() if text.startswith("${") else text.removeprefix("$")


def combined(text: str) -> str:
    """An expression as it is written."""
    return f"${text}" if _NAME.match(text) and not text.isdecimal() else f"${{{text}}}"


def _chosen(place: Place, text: Channels | None, number: int | None) -> Channels | None:
    """The number, or of a block that is built alone the text: it is for other inputs, too."""
    alone = place.in_block and not place.owner
    return text if number is None or (alone and text is not None) else number


def _one(width: Width, numbers: Iterable[int]) -> int | None:
    """The number to write if all are equal; ``width`` makes it what it is."""
    found = {*numbers}
    return (width.unscaled(found.pop()) or None) if len(found) == 1 else None


def _written(place: Place, position: int) -> Channels | None:
    """The text of the channels before a step of the chain of ``place``."""
    if (found := _last(place.chain[:position], place)) != "":
        return found
    start = place.start
    if start is None:
        return "$in_channels" if place.in_block else None
    fork = start.node
    assert isinstance(fork, ForkNode)
    if fork.split is not None or fork.after or fork.inputs:
        return None
    return _written(start, start.position)


def _last(chain: Chain, place: Place) -> Channels | None:
    """The text of the channels after a chain; empty if it keeps those of its input."""
    for node in reversed(chain):
        if not isinstance(node, OpNode) or not isinstance(node.op, _KEEPING):
            return _of(node, place)
    return ""


def _of(node: Node, place: Place) -> Channels | None:
    """The text of the channels after a step."""
    if node.each:
        return None
    if isinstance(node, OpNode):
        value = getattr(node.op, node.op.channels_field, None)
        found = value.text if isinstance(value, Expression) else value
        return found if isinstance(found, int | str) else None
    if not isinstance(node, ForkNode) or node.split is not None or node.after:
        return None
    fork = place if node is place.node else None
    ends = [_last(chain, place) for _, chain in node.branches]
    if fork is not None:
        ends = [_written(fork, fork.position) if end == "" else end for end in ends]
    if any(end in (None, "") for end in ends):
        return None
    return _sum(ends) if node.merge == "concat" else ends[0]


def _times(count: int, text: str) -> str:
    return f"{count} * {text if _NAME.match(text) else f'({text})'}"


def _sum(ends: list[Channels | None]) -> Channels:
    """The sum of texts; the numbers in it are added up."""
    number = sum(end for end in ends if isinstance(end, int))
    counts = Counter(inner(end) for end in ends if isinstance(end, str))
    if not counts:
        return number
    parts = [part if count == 1 else _times(count, part) for part, count in counts.items()]
    return combined(" + ".join([*parts, *([str(number)] if number else [])]))
