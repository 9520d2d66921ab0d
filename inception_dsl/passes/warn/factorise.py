"""W403: an expensive large convolution that can be factorised into smaller ones.

Szegedy et al. 2015, arXiv 1512.00567, section 3. Expensive means 1/20 of the network's
multiply-adds, for all its uses together. Two 3x3 replace a 5x5; 1xn and nx1 replace a larger nxn.
The filters between them are the geometric mean of input and output channels, as in section 3.1. Not
reported for the first layer, strides and auxiliary heads, where factors save little or have other
effects.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from ...ir.typed import TypedOp
from ...ops import Conv, ConvBn
from ...ops.base import axes
from .survey import Check, Found, Survey, Warn, command, field_span

SHARE = 20  # reported from 1/20 of the multiply-adds of the network


class Saving(NamedTuple):
    """The multiply-adds of a convolution as it is and factorised, and the filters ``between``."""

    typed: TypedOp
    kernel: int
    macs: int
    factorised: int
    between: int


def _find(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    whole = 0
    for case, typed in survey.layers(Conv, ConvBn):
        first = program.kind == "network" and typed.x in program.inputs.values()
        saving = None if first or case.context.auxiliary else _saving(typed)
        if saving is not None and saving.factorised < saving.macs:
            whole = whole or _whole(survey)
            yield Found(typed.node.origin, case.context, saving.macs, (saving, whole))


def _saving(typed: TypedOp) -> Saving | None:
    op, x, y = typed.op, typed.x, typed.y
    assert isinstance(op, Conv | ConvBn)
    if x.rank != 2 or op.groups != 1:
        return None
    kernel, *rest = axes(op.kernel_size, 2, "kernel_size")
    steps = {*axes(op.stride, 2, "stride"), *axes(op.dilation, 2, "dilation")}
    if kernel < 5 or rest != [kernel] or steps != {1} or y.positions() == 1:
        return None
    before, after = x.channels, y.channels
    between = max(1, round(math.sqrt(before * after)))
    (high, wide), (to_high, to_wide) = map(_numbers, (x.spatial, y.spatial))
    end = to_high * to_wide
    if kernel == 5:
        middle = ((high + to_high) // 2) * ((wide + to_wide) // 2)
        factorised = 9 * between * (middle * before + end * after)
    else:
        factorised = kernel * between * (high * to_wide * before + end * after)
    return Saving(typed, kernel, typed.macs, factorised, between)


def _numbers(spatial: tuple[int, ...]) -> tuple[int, int]:
    high, wide = spatial
    return high, wide


def _whole(survey: Survey) -> int:
    """The multiply-adds of the network without its auxiliary heads."""
    cases = [
        (c.typed, c.context)
        for c in survey.cases
        if isinstance(c.typed, TypedOp) and not c.context.auxiliary
    ]
    return sum(typed.macs * context.times for typed, context in cases)


def _describe(survey: Survey, found: list[Found]) -> Warn | None:
    whole = found[0].data[1]
    cases = [(one.data[0], one.context.times) for one in found]
    macs = sum(saving.macs * count for saving, count in cases)
    if macs * SHARE < whole:
        return None
    worst: Saving = cases[0][0]
    saved = macs - sum(saving.factorised * count for saving, count in cases)
    number_of = sum(count for _, count in cases)
    uses = "" if number_of == 1 else f" in its {number_of:,} uses"
    size = f"{worst.kernel}x{worst.kernel}"
    message = (
        f"this {size} `{worst.typed.op.op}` takes {macs:,} multiply-adds{uses}, "
        f"{_percent(macs, whole)} of the total"
    )
    rule = "factorise-5x5" if worst.kernel == 5 else "asymmetric"
    kernels = (
        "3` and `kernel_size: 3" if worst.kernel == 5 else "[1, {0}]` and `kernel_size: [{0}, 1]"
    )
    parts = f"`kernel_size: {kernels.format(worst.kernel)}`"
    low, high = (pick(saving.between for saving, _ in cases) for pick in (min, max))
    filters = f"{low}" if low == high else f"{low} to {high}"
    help = (
        f"use two convolutions, {parts}, with {filters} filters between them: this saves "
        f"{saved:,} multiply-adds ({_percent(saved, macs)})"
    )
    if _even(survey, worst.typed):
        help += command(survey, rule, found[0], worst.typed.node)
    return Warn(message, field_span(worst.typed.node.origin, "kernel_size"), help)


def _even(survey: Survey, typed: TypedOp) -> bool:
    """Whether a convolution has one kernel in all its uses, and one padding on all sides: the rules
    split no others.
    """
    kernels, sides = set[object](), set[object]()
    for _, use in survey.layers(Conv, ConvBn):
        if use.node is typed.node:
            assert isinstance(use.op, Conv | ConvBn)
            kernels.add(use.op.kernel_size)
            sides |= {*use.op.padding} if isinstance(use.op.padding, tuple) else {use.op.padding}
    return len(kernels) == len(sides) == 1 and isinstance(sides.pop(), str | int)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%"


CHECK = Check("W403", _find, _describe)
