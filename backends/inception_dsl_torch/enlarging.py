"""Upsampling and the window of transposed convolutions in PyTorch."""

from __future__ import annotations

from inception_dsl.backend import (
    ConvTranspose,
    Expression,
    Form,
    LayerSite,
    Read,
    Scope,
    Upsample,
    call,
    literal,
    one_or_tuple,
)

from .helpers import Helpers
from .layers import Layer
from .moving import cropped, negative
from .windows import Slide, constant_pads, each_side, omitted, per_axis, side, symmetric

MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def upsample(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    by_size = site.ops(Upsample)[0].size is not None
    field = "size" if by_size else "factor"
    rows = [op.outputs((1,) * site.rank) for op in site.ops(Upsample)]
    slots = [site.each(field, a, tuple(row[a] for row in rows)) for a in range(site.rank)]
    keywords: dict[str, Expression] = {
        "size" if by_size else "scale_factor": per_axis(scope, slots)
    }
    method, corners = site.slot("method"), site.slot("align_corners")
    if not omitted([method], "nearest"):
        form = Form("mode", "str", lambda m: literal({"linear": MODES[site.rank]}.get(m, m)))
        keywords["mode"] = scope.text(method, form)
    if not omitted([corners], False):
        aligned = scope.text(corners)
        # PyTorch rejects the keyword with `nearest`, even if it is false
        keywords["align_corners"] = Read(f"{aligned} or None") if method.varies else aligned
    return Layer((call("nn.Upsample", **keywords),))


def transposed(site: LayerSite, scope: Scope) -> tuple[Slide, tuple[Expression, ...]]:
    """The window of a transposed convolution, and the layer after it that cuts off pixels."""
    axes = range(site.rank)
    slots = {"kernel_size": [site.axis("kernel", axis) for axis in axes]}
    crop: tuple[Expression, ...] = ()
    sized, padding = literal(False), site.slot("padding")
    if not omitted(strides := [site.axis("stride", axis) for axis in axes], 1):
        slots["stride"] = strides
    if padding.is_text and padding.varies:
        sized = Read(f'{scope.text(padding)} == "same"')
    elif padding.all("same"):
        sized = literal(site.open_window)
    else:
        pads = constant_pads(site)
        if not symmetric(pads):
            crop = (cropped(site, each_side(scope, site, pads, negative)),)
        elif not omitted(before := [side(site, pads, axis, 0) for axis in axes], 0):
            slots["padding"] = before
    rows = [op.more(site.rank) for op in site.ops(ConvTranspose)]
    more = [site.each("output_padding", a, tuple(row[a] for row in rows)) for a in axes]
    if padding.constant("same"):  # which excludes it
        more = [site.frame.fixed(0)] * site.rank
    if padding.all("same") and sized == literal(False):
        ends = [window.crops for window in site.windows[0]]
        more = [site.frame.fixed(max(-after, 0)) for _, after in ends]
        if any(before != max(after, 0) for before, after in ends):
            cuts = [-n for before, after in reversed(ends) for n in (before, max(after, 0))]
            crop = (cropped(site, literal(tuple(cuts))),)
        elif any(before for before, _ in ends):
            slots["padding"] = [site.frame.fixed(before) for before, _ in ends]
    if not omitted(more, 0):
        slots["output_padding"] = more
    if not omitted(dilations := [site.axis("dilation", axis) for axis in axes], 1):
        slots["dilation"] = dilations
    keywords = {k: one_or_tuple([scope.text(s) for s in found]) for k, found in slots.items()}
    return Slide((), keywords, frozenset(), sized, False), crop
