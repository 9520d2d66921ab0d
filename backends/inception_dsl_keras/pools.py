"""Pools: Keras layers if they compute the same on every engine, else helper functions.

Average pools exclude padding from the mean. Keras' ``same`` does too, but on PyTorch (Keras 3.15)
it repeats the edge if the padding is not symmetric. In this case, and for padding that Keras cannot
express, the mean of the padded map is divided by the share of the window that lies inside the map.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from inception_dsl.backend import Code, LayerSite, literal, tupled

from .calls import Call, Keyword, Value, Writer, either, helper, layer, on_tensor
from .windows import (
    VALID,
    Sides,
    Windows,
    axes,
    is_same,
    native,
    no_padding,
    pad_layer,
    pads,
    pairs,
    sides,
    sizes,
    zero_padding,
)

INNER: Final = ("padded", "mean")
"""The layers inside of ``average_pool``."""


class Ceil(NamedTuple):
    """Whether the last window may extend past the end: in any use, and as source."""

    possible: bool
    text: Code


def max_pool(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    ceil = overhang(w, site)
    if not ceil.possible:
        word = native(w, site, is_same)
        if word.fits:
            return (called("MaxPooling", w, site, word.padding),)
    return (padded("max_pool", w, site, whole_padding(w, site, ceil)),)


def avg_pool(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    counts = site.slot("count_include_pad")
    counting = counts.symbolic and not site.unpadded
    if not counting and counts.all(True):
        return counted(w, site)
    ceil = overhang(w, site)
    if counting:
        return sometimes_counted(w, site, ceil, w.scope.text(counts))
    if not ceil.possible:
        word = native(w, site, same_average)
        if word.fits:
            return (called("AveragePooling", w, site, word.padding),)
    return (padded("average_pool", w, site, whole_padding(w, site, ceil), *INNER),)


def same_average(windows: Windows) -> bool:
    """Whether ``same`` is correct for an average pool with these windows, on every engine."""
    found = [w.constant_pads for w in windows]
    return is_same(windows) and all(pad is not None and pad[0] == pad[1] for pad in found)


def counted(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """An average pool that includes padding: the map is padded with zeros first."""
    before = pads(w, site, zero_padding)
    calls = () if before is None else (pad_layer(before, site.rank, "pad"),)
    ceil = overhang(w, site)
    if not ceil.possible:
        return *calls, called("AveragePooling", w, site, VALID)
    return *calls, padded("average_pool", w, site, remaining_padding(w, site, ceil), *INNER)


def sometimes_counted(w: Writer, site: LayerSite, ceil: Ceil, counts: Code) -> tuple[Call, ...]:
    """An average pool that includes padding in some uses, which pad with zeros first."""
    none = zero_padding(no_padding(site.rank))
    first = either(counts, lambda: pads(w, site, zero_padding) or none, lambda: none)
    second = either(
        counts, lambda: remaining_padding(w, site, ceil), lambda: whole_padding(w, site, ceil)
    )
    return (
        pad_layer(first, site.rank, "pad"),
        padded("average_pool", w, site, second, *INNER),
    )


def whole_padding(w: Writer, site: LayerSite, ceil: Ceil) -> Value:
    """The padding of a pool as a tuple of pairs, or as an expression of the tensor's size."""
    plain = pairs(no_padding(site.rank))
    return either(ceil.text, lambda: ceil_padding(w, site), lambda: pads(w, site, pairs) or plain)


def remaining_padding(w: Writer, site: LayerSite, ceil: Ceil) -> Value:
    """The padding of a pool whose input is padded already."""
    plain = pairs(no_padding(site.rank))
    return either(ceil.text, lambda: ceil_padding(w, site, done=True), lambda: plain)


def called(function: str, w: Writer, site: LayerSite, padding: Code | None) -> Call:
    """A call of a Keras pooling layer."""
    return layer(
        f"{function}{site.rank}D",
        sizes(w, site, "pool_size", "kernel", positional=True),
        sizes(w, site, "strides", "stride"),
        Keyword("padding", padding, VALID),
    )


def padded(function: str, w: Writer, site: LayerSite, padding: Value, *inner: str) -> Call:
    """A call of a helper function for pooling with explicit padding."""
    return helper(
        function,
        sizes(w, site, "pool_size", "kernel", positional=True),
        sizes(w, site, "strides", "stride", positional=True),
        Keyword("padding", padding, positional=True),
        inner=inner,
    )


def overhang(w: Writer, site: LayerSite) -> Ceil:
    """Whether the last window may extend past the end (``ceil_mode``)."""
    mode = site.slot("ceil_mode")
    rows = site.windows
    possible = mode.symbolic or any(w.ceil_mode and w.stride > 1 for row in rows for w in row)
    return Ceil(possible, w.scope.text(mode) if possible else literal(False))


def ceil_padding(w: Writer, site: LayerSite, *, done: bool = False) -> Value:
    """A call of ``ceil_padding``, or of ``ceil_padding_around`` if there is explicit padding.

    A last window that would start in the padding after the map does not count. ``done``: the map is
    padded already.
    """
    sizes, strides = axes(w, site, "kernel"), axes(w, site, "stride")
    explicit, none = explicit_sides(w, site), no_padding(site.rank)
    before = none if done else explicit
    if _fits(site) and before == none and len(set(sizes)) == len(set(strides)) == 1:
        return on_tensor("ceil_padding", sizes[0], strides[0])
    after = tupled(side for _, side in explicit)
    return on_tensor("ceil_padding_around", tupled(sizes), tupled(strides), pairs(before), after)


def _fits(site: LayerSite) -> bool:
    """Whether no window can start in the padding after the map."""
    windows = (window for row in site.windows for window in row)
    return all(x.padding == "same" or x.stride <= x.kernel - x.padding[1] for x in windows)


def explicit_sides(w: Writer, site: LayerSite) -> Sides:
    """The explicit padding of windows in ceil mode, which excludes ``same``."""
    if all(isinstance(value, str) for value in site.slot("padding").values):
        return no_padding(site.rank)
    return sides(w, site, tuple(found or () for found in site.pads()))
