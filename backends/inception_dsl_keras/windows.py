"""How padding, stride and dilation are written in Keras, for all uses of a block.

Keras supports ``same`` and ``valid``. Any other padding is a layer before the convolution; padding
that depends on the input size is computed when the model is built.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import (
    Code,
    Group,
    Item,
    LayerSite,
    Slot,
    Symbol,
    Window,
    add,
    call,
    composed,
    constant,
    literal,
    multiply,
    one_or_tuple,
    subtract,
    tupled,
)

from .calls import (
    Call,
    Keyword,
    OnTensor,
    Value,
    Writer,
    either,
    layer,
    on_tensor,
)

Windows: TypeAlias = "Sequence[Window]"
Sides: TypeAlias = "tuple[tuple[Code, Code], ...]"
ZERO = literal(0)
SAME = literal("same")
VALID = literal("valid")


class Native(NamedTuple):
    """Whether ``same`` or ``valid`` expresses a padding in every use, and which one.

    ``padding`` is ``None`` if both do.
    """

    fits: bool
    padding: Code | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a convolution is written.

    ``pads`` is the argument of a padding layer before it, ``subsample`` that of a layer after it;
    ``strides`` and ``padding`` are its own arguments.
    """

    pads: Value | None
    strides: Keyword
    padding: Code | None
    subsample: Keyword | None = None


def plan(w: Writer, site: LayerSite) -> Plan:
    """How a convolution with these windows is written."""
    strides = sizes(w, site, "strides", "stride", "1")
    # Keras rejects strides with dilation: convolve at stride 1, then keep every n-th pixel
    if any(strided_and_dilated(windows) for windows in site.windows):
        subsample = Keyword("strides", strides.value)
        one = Keyword("strides", literal(1), "1", kind="int")
        return Plan(pads(w, site, zero_padding), one, VALID, subsample)
    word = native(w, site, same_convolution)
    if word.fits:
        return Plan(None, strides, word.padding)
    return Plan(pads(w, site, zero_padding), strides, VALID)


def strided_and_dilated(windows: Windows) -> bool:
    """Whether windows have both a stride and a dilation, which Keras does not support."""
    return any(w.stride > 1 for w in windows) and any(w.dilation > 1 for w in windows)


def same_convolution(windows: Windows) -> bool:
    """Whether ``same`` is correct for a convolution with these windows."""
    # Conv3D in float64 on TensorFlow 2.21 cuts off pixels if the stride exceeds the window
    skips = len(windows) == 3 and any(w.stride > w.extent for w in windows)
    return not skips and is_same(windows)


def is_same(windows: Windows) -> bool:
    """Whether the padding equals that of ``same``, at every input size."""
    point = all(w.extent == 1 and w.padding in ("same", (0, 0)) for w in windows)
    return point or all(
        w.padding == "same"
        or (w.stride == 1 and w.padding == Window(w.kernel, 1, w.dilation).constant_pads)
        for w in windows
    )


def is_valid(windows: Windows) -> bool:
    """Whether there is no padding, at every input size."""
    return all(w.constant_pads == (0, 0) for w in windows)


def native(w: Writer, site: LayerSite, same: Callable[[Windows], bool]) -> Native:
    """``same`` or ``valid`` for the padding; the function ``same`` tests if ``same`` is correct."""
    padding, rows = site.slot("padding"), site.windows
    if padding.symbolic and padding.is_text:
        if site.never_same:
            return Native(True, VALID)
        modes = zip(padding.values, rows, strict=True)
        fits = all(word == "valid" or same(windows) for word, windows in modes)
        return Native(True, w.scope.text(padding)) if fits else Native(False)
    if site.open_padding and not _follows(site, padding):
        return Native(False)
    if padding.all("same") and site.open_window:
        return Native(all(map(same, rows)), SAME)
    words = [
        word
        for word, means in ((SAME, same), (VALID, is_valid))
        if all(means(windows) for windows in rows)
    ]
    return Native(bool(words), words[0] if len(words) == 1 else None)


def _follows(site: LayerSite, padding: Slot) -> bool:
    """Whether the padding only reads symbols that kernel or dilation read."""
    read: set[Symbol] = set()
    for field in ("kernel", "dilation"):
        terms = [site.axis(field, axis).term for axis in range(site.rank)]
        read |= {symbol for term in terms if term is not None for symbol in term.symbols}
    return padding.term is not None and set(padding.term.symbols) <= read


def axes(w: Writer, site: LayerSite, field: str) -> tuple[Code, ...]:
    """An attribute of the windows on each axis."""
    return tuple(w.scope.text(site.axis(field, axis)) for axis in range(site.rank))


def sizes(
    w: Writer,
    site: LayerSite,
    keyword: str,
    field: str,
    default: str | None = None,
    *,
    positional: bool = False,
) -> Keyword:
    """An attribute of the windows as an argument: one number, or one for each axis."""
    return sized(keyword, axes(w, site, field), default, positional=positional)


def sized(
    keyword: str, values: Sequence[Code], default: str | None = None, *, positional: bool = False
) -> Keyword:
    """An argument that is one number, or one for each axis."""
    kind = "int" if len(set(values)) == 1 else f"tuple[{', '.join(['int'] * len(values))}]"
    return Keyword(keyword, one_or_tuple(values), default, positional, kind)


def pad_layer(padding: Value, rank: int, part: str) -> Call:
    return layer(f"ZeroPadding{rank}D", Keyword("padding", padding, positional=True), part=part)


def pairs(sides: Sides) -> Code:
    """Pixels before and after each axis, as a tuple of pairs."""
    return tupled(tupled(side) for side in sides)


def zero_padding(sides: Sides) -> Code:
    """The argument of a ``ZeroPadding`` layer in its shortest form."""
    if len(set(sides)) == 1 and sides[0][0] == sides[0][1]:
        return sides[0][0]
    if len(sides) == 1:
        return tupled(sides[0])
    if all(before == after for before, after in sides):
        return tupled(before for before, _ in sides)
    return pairs(sides)


def no_padding(rank: int) -> Sides:
    """No padding."""
    return ((ZERO, ZERO),) * rank


def pads(w: Writer, site: LayerSite, form: Callable[[Sides], Code]) -> Value | None:
    """Explicit padding, printed by ``form``; ``None`` if no use has any."""
    padding = site.slot("padding")
    word = padding.symbolic and padding.is_text
    closed = not site.open_padding or (word and site.never_same)
    if closed and all(is_valid(windows) for windows in site.windows):
        return None
    if word:
        mode = w.scope.text(padding)
        test = composed(f"{mode} == {SAME}", mode)
        return either(test, lambda: same_pads(w, site, form), lambda: form(no_padding(site.rank)))
    if padding.all("same") and not _fixed(site):
        return same_pads(w, site, form)
    return form(sides(w, site, tuple(found or () for found in site.pads())))


def _fixed(site: LayerSite) -> bool:
    """Whether the padding of ``same`` is a constant."""
    return None not in site.pads() and not site.open_window


def sides(w: Writer, site: LayerSite, rows: Sequence[Sequence[tuple[int, int]]]) -> Sides:
    """Pixels before and after each axis; ``rows`` are their values in every use."""

    def one(axis: int, side: int) -> Code:
        return w.scope.text(site.pad(axis, side, tuple(row[axis][side] for row in rows)))

    return tuple((one(axis, 0), one(axis, 1)) for axis in range(site.rank))


def same_pads(w: Writer, site: LayerSite, form: Callable[[Sides], Code]) -> OnTensor:
    """The padding of ``same`` as an expression of the tensor's size."""
    arguments = tupled(extents(w, site)), tupled(axes(w, site, "stride"))
    if form is pairs or site.rank > 1:
        return on_tensor("same_padding", *arguments)

    def single(x: str) -> Group:
        items = call("same_padding", x, *arguments).items
        return Group("same_padding(", tuple(Item(i.value) for i in items), ")[0]")

    return OnTensor(single, ("same_padding",))


def extents(w: Writer, site: LayerSite) -> tuple[Code, ...]:
    """The pixels that a window spans on each axis."""
    found = []
    for axis in range(site.rank):
        kernel, dilation = site.axis("kernel", axis), site.axis("dilation", axis)
        if not dilation.symbolic and dilation.all(1):
            found.append(w.scope.text(kernel))
            continue
        values = tuple(windows[axis].extent for windows in site.windows)
        span = multiply(subtract(kernel.term, constant(1)), dilation.term)
        found.append(w.scope.text(Slot(site.frame, values, add(span, constant(1)), "window_size")))
    return tuple(found)
