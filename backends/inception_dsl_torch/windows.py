"""How windows are written: kernel, stride, padding, dilation."""

from __future__ import annotations

from typing import Any

from inception_dsl.backend import Expression, Window, call, literal


def short(values: tuple[Any, ...]) -> str:
    """``3`` for equal numbers, else a tuple."""
    return literal(values[0] if len(set(values)) == 1 else values)


def sides(pads: tuple[tuple[int, int], ...]) -> str:
    """Padding as ``nn.ZeroPad2d`` takes it.

    That of ``F.pad``, or one number where all are equal.
    """
    flat = tuple(n for pair in pads for n in pair)
    return literal(flat[0]) if len(set(flat)) == 1 and len(flat) > 2 else each_side(pads)


def each_side(pads: tuple[tuple[int, int], ...]) -> str:
    """Padding as ``F.pad`` takes it: last axis first."""
    return literal(tuple(n for pair in reversed(pads) for n in pair))


def constant_pads(windows: tuple[Window, ...]) -> tuple[tuple[int, int], ...] | None:
    """The padding of every axis, or ``None`` where it depends on the size."""
    found = [w.constant_pads for w in windows]
    return None if None in found else tuple(p for p in found if p is not None)


def convolution(
    op: Any, windows: tuple[Window, ...]
) -> tuple[tuple[Expression, ...], dict[str, Expression], bool]:
    """Modules in front, keywords for the window, and whether padding is computed for each input."""
    keywords: dict[str, Expression] = {"kernel_size": short(tuple(w.kernel for w in windows))}
    if any(w.stride != 1 for w in windows):
        keywords["stride"] = short(tuple(w.stride for w in windows))
    pads = constant_pads(windows)
    front: tuple[Expression, ...] = ()
    if pads is not None and all(a == b for a, b in pads):
        if any(a for a, _ in pads):
            keywords["padding"] = short(tuple(a for a, _ in pads))
    elif pads is not None and op.padding == "same" and all(w.stride == 1 for w in windows):
        keywords["padding"] = literal("same")
    elif pads is not None:
        front = (call(f"nn.ZeroPad{len(windows)}d", sides(pads)),)
    if any(w.dilation != 1 for w in windows):
        keywords["dilation"] = short(tuple(w.dilation for w in windows))
    return front, keywords, pads is None
