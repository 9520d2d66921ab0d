"""``asymmetric``: n x n as 1 x n and n x 1.

Szegedy et al. 2015, arXiv 1512.00567, section 3.2, figures 3 and 6: a 3x3 costs 33 % less. The
paper finds that it does not work well on early layers, but on maps of 12 to 20 pixels.
"""

from __future__ import annotations

from typing import Final

from .convolutions import (
    FILTERS,
    like,
    middle,
    number,
    padding,
    parts_of,
    splits,
    square,
    without_allow,
)
from .rule import Option, Replacement, Rule, Values
from .written import Written

_ORDER: Final = Option(
    "first", ("1xn", "nx1"), "the kernel of the first of the new layers", "1xn", "1xn"
)


def _replaced(written: Written, values: Values) -> Replacement:
    place, pixels = written.place, padding(written.place)
    size, stride = number(place, "kernel_size"), number(place, "stride")
    flat = values["first"] == "1xn"

    def along(across: int, other: int) -> tuple[list[int], list[int]]:
        """The field of both layers, on their own axis and on the other one."""
        own, turned = [other, across], [across, other]
        return (own, turned) if flat else (turned, own)

    kernels = along(size, 1)
    one, two = parts_of(written, ["", ""] if isinstance(pixels, str) else along(pixels, 0))
    strides = along(stride, 1)
    extra = {"stride": strides[0]} if stride > 1 else {}
    suffix = "x".join(map(str, kernels[0]))
    fields = {"filters": middle(written, values), "kernel_size": kernels[0], **one}
    layer = {**like(written, suffix, **fields), **extra}
    changes = {"kernel_size": kernels[1], **two, **({"stride": strides[1]} if extra else {})}
    own = [edit for field, value in changes.items() for edit in written.set(field, value)]
    edits = (*written.item.before(layer), *own, *without_allow(written))
    return Replacement(edits, 2)


RULE: Final = Rule(
    name="asymmetric",
    summary="1xn and nx1 convolutions in place of an nxn",
    source="Szegedy et al. 2015, section 3.2",
    target="a `conv` or `conv_bn` with a square kernel above 1x1",
    wants=square,
    obstacle=splits,
    replaced=_replaced,
    options=(FILTERS, _ORDER),
    note="the paper advises it for maps of 12 to 20 pixels, not for early layers",
)
