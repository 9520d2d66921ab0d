"""How windows are written: kernel, stride, padding, dilation, for all uses of a layer at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Expression,
    LayerSite,
    Read,
    Scope,
    Slot,
    call,
    literal,
)

Pads = tuple[tuple[int, int], ...]


class Slide(NamedTuple):
    """How a convolution slides: modules in front, keywords, and whether padding is computed for
    each input.

    ``pairs`` are the keywords whose value is a tuple.
    """

    front: tuple[Expression, ...]
    keywords: dict[str, Code]
    pairs: frozenset[str]
    dynamic: bool


def joined(texts: Sequence[Code]) -> Code:
    """The tuple of some values."""
    text = f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    return Read(text) if any(isinstance(t, Read) for t in texts) else Code(text)


def per_axis(scope: Scope, slots: Sequence[Slot]) -> Code:
    """One number where all axes have the same, else a tuple."""
    return one_or_tuple([scope.text(slot) for slot in slots])


def one_or_tuple(texts: Sequence[Code]) -> Code:
    """One value where all are the same, else the tuple of them."""
    return texts[0] if len(set(texts)) == 1 else joined(texts)


def omitted(slots: Sequence[Slot], default: object) -> bool:
    """Whether all are ``default`` and no parameter has a say in them."""
    return all(slot.all(default) and not (slot.term and slot.term.parts) for slot in slots)


def constant_pads(site: LayerSite) -> list[Pads] | None:
    """The padding of every use, or nothing where it depends on the size of the input."""
    found = site.pads()
    pads = [p for p in found if p is not None]
    if len(pads) == len(found):
        return pads
    if not site.every("padding", "same"):  # some uses pad by the size, others by a number
        raise site.frame.split(site.node, [p is None for p in found])
    return None


def side(site: LayerSite, pads: Sequence[Pads], axis: int, end: int) -> Slot:
    """The padding on one side of an axis."""
    return site.pad(axis, end, tuple(p[axis][end] for p in pads))


def each_side(scope: Scope, site: LayerSite, pads: Sequence[Pads]) -> Code:
    """Padding as ``F.pad`` takes it: last axis first."""
    axes = reversed(range(site.rank))
    return joined([scope.text(side(site, pads, axis, end)) for axis in axes for end in (0, 1)])


def sides(scope: Scope, site: LayerSite, pads: Sequence[Pads]) -> Code:
    """Padding as ``nn.ZeroPad2d`` takes it: as ``F.pad``, or one number where all are equal."""
    slots = [side(site, pads, axis, end) for axis in range(site.rank) for end in (0, 1)]
    texts = {scope.text(slot) for slot in slots}
    return texts.pop() if len(texts) == 1 and site.rank > 1 else each_side(scope, site, pads)


def symmetric(pads: Sequence[Pads]) -> bool:
    """Whether both sides of every axis have the same padding in every use."""
    return all(before == after for p in pads for before, after in p)


def convolution(site: LayerSite, scope: Scope) -> Slide:
    """How a convolution slides."""
    axes = range(site.rank)
    kernels = [site.axis("kernel", axis) for axis in axes]
    strides = [site.axis("stride", axis) for axis in axes]
    dilations = [site.axis("dilation", axis) for axis in axes]
    slots = {"kernel_size": kernels}
    if not omitted(strides, 1):
        slots["stride"] = strides
    front: tuple[Expression, ...] = ()
    pads, same = constant_pads(site), False
    if pads is not None and symmetric(pads):
        padding = [side(site, pads, axis, 0) for axis in axes]
        if not omitted(padding, 0):
            slots["padding"] = padding
    elif pads is not None and site.every("padding", "same") and all(s.all(1) for s in strides):
        same = True
    elif pads is not None:
        front = (call(f"nn.ZeroPad{site.rank}d", sides(scope, site, pads)),)
    if not omitted(dilations, 1):
        slots["dilation"] = dilations
    texts = {key: [scope.text(slot) for slot in found] for key, found in slots.items()}
    keywords = {key: one_or_tuple(found) for key, found in texts.items()}
    keywords |= {"padding": literal("same")} if same else {}
    pairs = frozenset(key for key, found in texts.items() if len(set(found)) > 1)
    return Slide(front, keywords, pairs, pads is None)
