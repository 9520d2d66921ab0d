"""Windows: how padding, stride and dilation are said in Keras, exactly.

Keras knows ``same`` and ``valid``. Every other padding is made before the layer; what depends on
the size of the input is computed from it when the model is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_dsl.backend import Window, literal

from .calls import TENSOR, Argument, Call, layer

NATIVE_ANY = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a convolution slides.

    ``pads`` before it, its own ``strides`` and ``padding``, ``subsample`` after it.
    """

    pads: str
    strides: str
    padding: str | None
    subsample: str


def per_axis(values: Sequence[int]) -> str:
    """One number where all axes have the same, else a tuple."""
    return literal(values[0] if len(set(values)) == 1 else tuple(values))


def pairs(pads: Sequence[tuple[int, int]]) -> str:
    """Pixels before and after each axis, as a tuple of pairs."""
    return literal(tuple(tuple(p) for p in pads))


def zero_padding(pads: Sequence[tuple[int, int]]) -> str:
    """The argument of a ``ZeroPadding`` layer, as short as it can be said."""
    if len(set(pads)) == 1 and pads[0][0] == pads[0][1]:
        return literal(pads[0][0])
    if len(pads) == 1:
        return literal(tuple(pads[0]))
    if all(before == after for before, after in pads):
        return literal(tuple(before for before, _ in pads))
    return pairs(pads)


def pad_layer(padding: str, rank: int, part: str) -> Call:
    return layer(f"ZeroPadding{rank}D", Argument("padding", padding, positional=True), part=part)


def pads_of(windows: Sequence[Window]) -> list[tuple[int, int]] | None:
    """The padding, if it is the same at every size."""
    found = [w.constant_pads for w in windows]
    return None if None in found else [p for p in found if p is not None]


def is_same(windows: Sequence[Window]) -> bool:
    """Whether explicit padding is what ``same`` means, at every size."""
    return all(
        w.stride == 1 and w.padding == Window(w.kernel, 1, w.dilation).constant_pads
        for w in windows
    )


def is_point(windows: Sequence[Window]) -> bool:
    """Whether windows are single pixels without padding, so that ``same`` equals ``valid``."""
    return all(w.extent == 1 and w.padding in ("same", (0, 0)) for w in windows)


def same_pads(windows: Sequence[Window]) -> str:
    """The padding of ``same`` as an expression on the tensor's size."""
    sizes = literal(tuple(w.extent for w in windows))
    strides = literal(tuple(w.stride for w in windows))
    return f"same_padding({TENSOR}, {sizes}, {strides})"


def plan(windows: Sequence[Window]) -> Plan:
    """How a convolution with these windows is said."""
    strides = per_axis([w.stride for w in windows])
    constant = pads_of(windows)
    if constant is not None:
        pads = zero_padding(constant) if any(map(sum, constant)) else ""
    else:
        pads = same_pads(windows) + ("[0]" if len(windows) == 1 else "")
    if any(w.stride > 1 for w in windows) and any(w.dilation > 1 for w in windows):
        return Plan(pads, "1", literal("valid"), strides)
    # of three axes in float64, TensorFlow (2.21) also cuts off what a stride beyond the window
    # would leave out
    skips = len(windows) == 3 and any(w.stride > w.extent for w in windows)
    if is_point(windows) and not skips:
        return Plan("", strides, NATIVE_ANY, "")
    if is_same(windows) or (windows[0].padding == "same" and not skips):
        return Plan("", strides, literal("same"), "")
    return Plan(pads, strides, literal("valid"), "")
