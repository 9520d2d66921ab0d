"""Upsampling and transposed convolutions in Keras.

Keras's transposed convolution pads with ``same`` as the language does; other padding is cut off by
a layer after it. Keras has no layers for linear upsampling on one and on three axes, with
``align_corners``, or to a size, and its bilinear one rounds to float32 on TensorFlow: they are a
helper function.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.backend import (
    Code,
    ConvTranspose,
    LayerSite,
    Read,
    Report,
    TypedOp,
    TypedProgram,
    Upsample,
    one_or_tuple,
    tupled,
    walk_program,
)

from .activations import activated, outcome
from .calls import Call, Keyword, Writer, helper, layer, on_tensor, variables
from .moving import crop_layer
from .windows import SAME, VALID, ZERO, no_padding, sides, sized, sizes


def upsample(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """Keras's layer for ``nearest`` by a factor, else the helper function."""
    by_size = site.ops(Upsample)[0].size is not None
    field = "size" if by_size else "factor"
    rows = [op.outputs((1,) * site.rank) for op in site.ops(Upsample)]
    slots = [site.each(field, a, tuple(row[a] for row in rows)) for a in range(site.rank)]
    numbers = [w.scope.text(slot) for slot in slots]
    if not by_size and site.slot("method").constant("nearest"):
        return (layer(f"UpSampling{site.rank}D", sized("size", numbers, positional=True)),)
    size = tupled(numbers) if by_size else on_tensor("upsampled_size", tupled(numbers))
    arguments = (
        Keyword("size", size, positional=True),
        w.option("method", site, "method", positional=True),
        w.option("align_corners", site, "align_corners"),
    )
    return (helper("upsampled", *arguments, reads=True),)


def conv_transpose(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """A transposed convolution, and the layer after it that cuts off pixels."""
    padding = site.slot("padding")
    word = padding.is_text and padding.varies
    mode = w.scope.text(padding) if word else SAME if padding.all("same") else VALID
    none = no_padding(site.rank)
    cuts = none if padding.is_text else sides(w, site, [found or () for found in site.pads()])
    more = added(w, site, mode)
    if mode == SAME and site.rank == 3 and short(site):
        # its gradient is a Conv3D with `same`, which drops pixels in float64 (TensorFlow 2.21);
        # with `valid` Keras adds the same pixels, and those of longer windows are cut off
        mode = VALID
        rows = [[(max(x.crops[0], 0), max(x.crops[1], 0)) for x in row] for row in site.windows]
        cuts = sides(w, site, rows)
    crop = (crop_layer(cuts, site.rank, "crop"),) if cuts != none else ()
    called = layer(
        f"Conv{site.rank}DTranspose",
        w.option("filters", site, "filters", positional=True),
        sizes(w, site, "kernel_size", "kernel", positional=True),
        sizes(w, site, "strides", "stride", "1"),
        Keyword("padding", mode, VALID),
        *more,
        *outcome(w, site),
        variables=variables(site),
    )
    return (called, *crop, *activated(w, site, ""))


def added(w: Writer, site: LayerSite, mode: Code) -> tuple[Keyword, ...]:
    """The pixels at the end.

    Without the argument, Keras adds pixels where the window is shorter than the stride, which is
    right for ``same`` only.
    """
    if mode == SAME:
        return ()
    rows = [op.more(site.rank) for op in site.ops(ConvTranspose)]
    axes = range(site.rank)
    slots = [site.each("output_padding", axis, tuple(row[axis] for row in rows)) for axis in axes]
    texts = [w.scope.text(slot) for slot in slots]
    if not (short(site) or site.open_window or {*texts} != {ZERO}):
        return ()
    number = one_or_tuple(texts)
    if mode != VALID:
        number = Read(f"None if {mode} == {SAME} else {number}")
    return (Keyword("output_padding", number),)


def short(site: LayerSite) -> bool:
    """Whether a window is shorter than its stride."""
    return any(x.extent < x.stride for windows in site.windows for x in windows)


def refused(typed: TypedProgram) -> Iterator[tuple[TypedOp, str]]:
    """Transposed convolutions that Keras does not have, each with the field."""
    for _, node in walk_program(typed):
        if not isinstance(node, TypedOp) or not isinstance(node.op, ConvTranspose):
            continue
        if node.op.groups > 1:
            yield node, "groups"
        elif any(window.dilation > 1 for window in node.op.windows(node.x.rank)):
            yield node, "dilation"


def check_transposed(typed: TypedProgram, report: Report) -> bool:
    """Whether Keras has every transposed convolution on all engines; reports those it has not."""
    why = {
        "groups": "Keras has no `groups` in transposed convolutions",
        "dilation": "Keras on TensorFlow has no `dilation` in transposed convolutions on a CPU",
    }
    found = {node.node.origin.span(field): field for node, field in refused(typed)}
    for span, field in found.items():
        help = "write `upsample` and a `conv`, or build this network for PyTorch only"
        report.error("E503", why[field], span, help=help)
    return not found
