"""How kernel, stride, padding and dilation are written in PyTorch, for all uses of a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    one_or_tuple,
    tupled,
)

Pads = tuple[tuple[int, int], ...]


class Slide(NamedTuple):
    """The window of a convolution: modules before it (``front``), and its keywords.

    ``sized``: the padding is computed from the input size (:func:`sized_padding`); ``pairs`` are
    the keywords whose value is a tuple; ``word``: the padding is a string (``same``, ``valid``).
    """

    front: tuple[Expression, ...]
    keywords: dict[str, Code]
    pairs: frozenset[str]
    sized: Code
    word: bool


def per_axis(scope: Scope, slots: Sequence[Slot]) -> Code:
    """One number if all axes have the same, else a tuple."""
    return one_or_tuple([scope.text(slot) for slot in slots])


def each_axis(scope: Scope, slots: Sequence[Slot]) -> Code:
    """A tuple of the numbers of all axes."""
    return tupled([scope.text(slot) for slot in slots])


def omitted(slots: Sequence[Slot], default: object) -> bool:
    """Whether a keyword can be left out: all slots are ``default`` and depend on no parameter."""
    return all(slot.constant(default) for slot in slots)


def sized_padding(site: LayerSite, scope: Scope) -> Code:
    """Whether padding is computed from the input size: ``True``, ``False``, or a test of the
    ``padding`` argument.

    Computed padding is correct for any window, so it is also used if the window has parameters.
    """
    padding = site.slot("padding")
    if padding.is_text and padding.varies:
        return Read(f'{scope.text(padding)} == "same"')
    return literal(None in site.pads() or site.open_same)


def constant_pads(site: LayerSite) -> list[Pads]:
    """The padding of all uses in which it does not depend on the input size."""
    return [pads for pads in site.pads() if pads is not None]


def side(site: LayerSite, pads: Sequence[Pads], axis: int, end: int) -> Slot:
    """The padding on one side of an axis."""
    return site.pad(axis, end, tuple(p[axis][end] for p in pads))


def each_side(
    scope: Scope,
    site: LayerSite,
    pads: Sequence[Pads],
    changed: Callable[[Slot], Slot] = lambda slot: slot,
) -> Code:
    """Padding in the order of ``F.pad``, last axis first; ``changed`` before it is written."""
    axes = reversed(range(site.rank))
    slots = (side(site, pads, axis, end) for axis in axes for end in (0, 1))
    return tupled(scope.text(changed(slot)) for slot in slots)


def sides(
    scope: Scope,
    site: LayerSite,
    pads: Sequence[Pads],
    changed: Callable[[Slot], Slot] = lambda slot: slot,
) -> Code:
    """Padding for ``nn.ZeroPad2d``: in the order of ``F.pad``, or one number if all are equal."""
    slots = [side(site, pads, axis, end) for axis in range(site.rank) for end in (0, 1)]
    texts = {scope.text(changed(slot)) for slot in slots}
    if len(texts) == 1 and site.rank > 1:
        return texts.pop()
    return each_side(scope, site, pads, changed)


def symmetric(pads: Sequence[Pads]) -> bool:
    """Whether both sides of every axis have the same padding in every use."""
    return all(before == after for p in pads for before, after in p)


def convolution(site: LayerSite, scope: Scope) -> Slide:
    """The window of a convolution."""
    axes = range(site.rank)
    kernels = [site.axis("kernel", axis) for axis in axes]
    strides = [site.axis("stride", axis) for axis in axes]
    dilations = [site.axis("dilation", axis) for axis in axes]
    slots = {"kernel_size": kernels}
    if not omitted(strides, 1):
        slots["stride"] = strides
    front: tuple[Expression, ...] = ()
    same, sized, padding = Code(""), literal(False), site.slot("padding")
    if padding.is_text and omitted(strides, 1):  # padding="same" requires stride 1
        pads = constant_pads(site)
        if padding.varies or site.open_window or not symmetric(pads):
            same = scope.text(padding)
        elif not omitted(found := [side(site, pads, axis, 0) for axis in axes], 0):
            slots["padding"] = found
    elif (sized := sized_padding(site, scope)) == literal(False):
        pads = constant_pads(site)
        found = [side(site, pads, axis, 0) for axis in axes]
        if not symmetric(pads):
            front = (call(f"nn.ZeroPad{site.rank}d", sides(scope, site, pads)),)
        elif not omitted(found, 0):
            slots["padding"] = found
    if not omitted(dilations, 1):
        slots["dilation"] = dilations
    texts = {key: [scope.text(slot) for slot in found] for key, found in slots.items()}
    keywords = {key: one_or_tuple(found) for key, found in texts.items()}
    keywords |= {"padding": same} if same else {}
    pairs = frozenset(key for key, found in texts.items() if len(set(found)) > 1)
    return Slide(front, keywords, pairs, sized, bool(same))
