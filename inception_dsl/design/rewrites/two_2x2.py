"""``two-2x2``: a 3x3 as two 2x2.

Szegedy et al. 2015, arXiv 1512.00567, section 3.2: it saves 11 %, where 3x1 and 1x3 save 33 %.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from .convolutions import FILTERS, like, middle, number, padding, parts_of, splits, square
from .rule import Replacement, Rule, Values
from .written import Written

_BEFORE: Final = [[1, 0], [1, 0]]
"""Pixels before each axis only: together the two layers are padded as the 3x3 was."""


def _obstacle(written: Written, values: Values) -> str:
    place = written.place
    if found := splits(written, values):
        return found
    if number(place, "stride") != 1 or number(place, "dilation") != 1:
        return "two 2x2 cannot be centred on its pixels: it has a stride or a dilation"
    return (
        "" if padding(place) in ("same", "valid", 0, 1) else "it has more than 1 pixel of padding"
    )


def _replaced(written: Written, values: Values) -> Replacement:
    pixels = padding(written.place)
    if pixels == "same":
        one, two = {"padding": _BEFORE}, {}
    elif pixels == 1:
        one, two = {"padding": _BEFORE}, {"padding": [[0, 1], [0, 1]]}
    else:
        one, two = parts_of(written, [pixels, pixels])
    layer = like(written, "2x2", filters=middle(written, values), kernel_size=2, **one)
    own = [edit for field, value in two.items() for edit in written.set(field, value)]
    edits = (*written.item.before(layer), *written.set("kernel_size", 2), *own)
    return Replacement(edits, 2)


RULE: Final = Rule(
    name="two-2x2",
    summary="two 2x2 convolutions in place of a 3x3",
    source="Szegedy et al. 2015, section 3.2",
    target="a `conv` or `conv_bn` with a 3x3 kernel",
    wants=partial(square, size=3),
    obstacle=_obstacle,
    replaced=_replaced,
    options=(FILTERS,),
    note="the paper finds it worse than `asymmetric`, which saves 33% of a 3x3 instead of 11%",
)
