"""Ops that only move, add or remove values in PyTorch: padding, cropping, blocks, shuffles."""

from __future__ import annotations

from inception_dsl.backend import (
    Code,
    Crop,
    Expression,
    LayerSite,
    Scope,
    Slot,
    ZeroPad,
    call,
    constant,
    literal,
    multiply,
    subtract,
)

from .helpers import Helpers
from .layers import Layer
from .windows import sides


def zero_pad(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    pads = [op.pads(site.rank) for op in site.ops(ZeroPad)]
    return Layer((call(f"nn.ZeroPad{site.rank}d", sides(scope, site, pads)),))


def crop(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    cuts = [op.cuts(site.rank) for op in site.ops(Crop)]
    return Layer((cropped(site, sides(scope, site, cuts, negative)),))


def cropped(site: LayerSite, sides: Code) -> Expression:
    """A layer that cuts off pixels: negative padding."""
    return call(f"nn.ZeroPad{site.rank}d", sides)


def negative(slot: Slot) -> Slot:
    """The slot of the negative of a number."""
    term = subtract(constant(0), slot.term)
    return slot._replace(values=tuple(-v for v in slot.values), term=term)


def channel_shuffle(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    module = shuffled(scope, site.slot("groups"))
    if site.rank:
        return Layer((module,))
    # nn.ChannelShuffle rejects vectors (N, C): reshape to a map of one position
    map_of_one = call("nn.Unflatten", literal(1), literal((-1, 1)))
    return Layer((map_of_one, module, call("nn.Flatten")))


def shuffled(scope: Scope, groups: Slot) -> Expression:
    """A layer that shuffles channels."""
    return call("nn.ChannelShuffle", scope.text(groups))


def space_to_depth(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """PyTorch's class has the channels first; a shuffle puts them last."""
    module = call(helpers.pixel_unshuffle(site.rank), scope.text(site.slot("block_size")))
    last = site.alike("order") == ("channels_last",)
    return Layer((module, shuffled(scope, site.channels)) if last else (module,))


def depth_to_space(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """The inverse of :func:`space_to_depth`."""
    size = site.slot("block_size")
    module = call(helpers.pixel_shuffle(site.rank), scope.text(size))
    if site.alike("order") == ("channels_first",):
        return Layer((module,))
    positions = size
    for _ in range(site.rank - 1):
        values = tuple(n * b for n, b in zip(positions.values, size.values, strict=True))
        positions = size._replace(values=values, term=multiply(positions.term, size.term))
    return Layer((shuffled(scope, positions), module))
