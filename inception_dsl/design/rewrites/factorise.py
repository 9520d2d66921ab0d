"""``factorise-5x5`` and ``factorise-7x7``: a large kernel as several 3x3.

Szegedy et al. 2015, arXiv 1512.00567, section 3.1, figure 1; Table 1 has the 7x7 of the stem. The
receptive field stays. The stride is that of the last layer, so that the shape stays, too.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from .convolutions import FILTERS, like, middle, padding, parts_of, splits, square, without_allow
from .rule import Replacement, Rule, Values
from .written import Written


def _replaced(written: Written, values: Values, count: int) -> Replacement:
    pixels = padding(written.place)
    shares = [pixels if isinstance(pixels, str) else (pixels + n) // count for n in range(count)]
    *first, last = parts_of(written, shares)
    layers = []
    for index, pad in enumerate(first):
        suffix = "3x3" if index == 0 else f"3x3_{index + 1}"
        filters = middle(written, values)
        layers.append(like(written, suffix, filters=filters, kernel_size=3, **pad))
    own = [edit for field, value in last.items() for edit in written.set(field, value)]
    kernel = written.set("kernel_size", 3)
    edits = (*written.item.before(*layers), *kernel, *own, *without_allow(written))
    return Replacement(edits, count)


def _rule(size: int, count: int, words: str, source: str) -> Rule:
    return Rule(
        name=f"factorise-{size}x{size}",
        summary=f"{words} 3x3 convolutions in place of a {size}x{size}",
        source=source,
        target=f"a `conv` or `conv_bn` with a {size}x{size} kernel",
        wants=partial(square, size=size),
        obstacle=splits,
        replaced=partial(_replaced, count=count),
        options=(FILTERS,),
    )


FIVE: Final = _rule(5, 2, "two", "Szegedy et al. 2015, section 3.1")
SEVEN: Final = _rule(7, 3, "three", "Szegedy et al. 2015, sections 3.1 and 6")
