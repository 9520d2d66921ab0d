"""The sizes that run, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..ir.typed import TypedProgram
from ..types.tensor import AXES
from .size_conditions import AxisSizes
from .sizes import RunningSizes, Sizes, running_sizes
from .ties import all_tied, with_own_sizes

_SHOWN: Final = 3  # gaps in a sentence


def pixels(sizes: Sizes) -> str:
    """The range of sizes, without its gaps: ``at least 47x47 pixels``, ``5x5 to 9x9 pixels``."""
    least = "x".join(str(axis.least) for axis in sizes)
    most = "x".join(str(axis.most) for axis in sizes)
    if all(axis.most is None for axis in sizes):
        return _counted(f"at least {least}")
    if all(axis.most is not None for axis in sizes):
        return _counted(least if most == least else f"{least} to {most}")
    named = zip(AXES[len(sizes)], sizes, strict=True)
    return ", ".join(f"{_counted(_span(axis))} of {name}" for name, axis in named)


def _counted(number: str) -> str:
    return f"{number} {'pixel' if number in ('1', 'at least 1') else 'pixels'}"


def _span(axis: AxisSizes) -> str:
    if axis.most is None:
        return f"at least {axis.least}"
    return _run(axis.least, axis.most - axis.least + 1)


def _run(start: int, length: int) -> str:
    return f"{start} to {start + length - 1}" if length > 1 else str(start)


def left_out(sizes: Sizes) -> str:
    """The gaps, as the sizes ``71 to 94 and again every 32 pixels on each axis``; or empty."""
    words = [_gaps(axis) for axis in sizes]
    if len({*words}) == 1:
        return f"{words[0]} on each axis" if words[0] and len(words) > 1 else words[0]
    named = zip(AXES[len(sizes)], words, strict=True)
    return "; ".join(f"{name} {word}" for name, word in named if word)


def _gaps(axis: AxisSizes) -> str:
    listed = [_run(gap.start, gap.length) for gap in sorted(axis.gaps)]
    periods = {gap.period for gap in axis.gaps}
    if len(listed) > _SHOWN or len(periods) > 1:
        return f"{', '.join(listed[:_SHOWN])} and so on"
    again = f" and again every {max(periods)} pixels" if periods - {0} else ""
    return ", ".join(listed) + again


def described(sizes: Sizes) -> str:
    """The smallest size, the largest if there is one, and the gaps."""
    text = "x".join(str(axis.least) for axis in sizes)
    if any(axis.most is not None for axis in sizes):
        text += f", the largest {'x'.join(str(axis.most or 'any') for axis in sizes)}"
    gaps = left_out(sizes)
    return f"{text}, without the sizes {gaps}" if gaps else text


def all_sizes(typed: TypedProgram) -> str:
    """The sizes that run of all inputs, as the end of a sentence."""
    several = typed.program.several
    found = [
        sentence(running_sizes(typed, name), f" `{name}`" * several)
        for name in with_own_sizes(typed)
    ]
    for names, axes in all_tied(typed).items():
        found.append(f"{together(names)} have the same {axes_of(typed, axes)}")
    return "; ".join(found)


def together(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def axes_of(typed: TypedProgram, axes: Sequence[int]) -> str:
    """The names of axes of the maps: ``height and width``."""
    return together([AXES[typed.program.rank][axis] for axis in axes])


def sentence(sizes: RunningSizes, name: str = "") -> str:
    """The sizes that run, as the end of a sentence; ``name`` is that of one of several inputs."""
    text = f"the smallest input{name} is {described(sizes.inference)}"
    if sizes.training == sizes.inference:
        return text
    return f"{text}; with auxiliary heads {described(sizes.training)}"
