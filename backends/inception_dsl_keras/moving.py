"""Ops that only move, add or remove values in Keras: padding, cropping, blocks, shuffles."""

from __future__ import annotations

from inception_dsl.backend import Crop, LayerSite, ZeroPad, literal

from .calls import Call, Keyword, Writer, helper, layer
from .windows import Sides, pad_layer, sides, zero_padding


def flatten(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (layer("Flatten"),)


def zero_pad(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    rows = [op.pads(site.rank) for op in site.ops(ZeroPad)]
    return (pad_layer(zero_padding(sides(w, site, rows)), site.rank, ""),)


def crop(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (crop_layer(sides(w, site, [op.cuts(site.rank) for op in site.ops(Crop)]), site.rank),)


def crop_layer(cuts: Sides, rank: int, part: str = "") -> Call:
    """A layer that cuts off pixels."""
    cropping = Keyword("cropping", zero_padding(cuts), positional=True)
    return layer(f"Cropping{rank}D", cropping, part=part)


def channel_shuffle(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (helper("channel_shuffle", w.option("groups", site, "groups", positional=True)),)


def blocks(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """``space_to_depth`` or ``depth_to_space``."""
    size = w.option("block_size", site, "block_size", positional=True)
    (order,) = site.alike("order")
    order_of = Keyword("order", literal(order), positional=True)
    return (helper(site.op.op, size, order_of, reads=True),)
