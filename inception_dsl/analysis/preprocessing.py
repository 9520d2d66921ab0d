"""The section ``preprocessing`` of a network."""

from __future__ import annotations

from ..diagnostics.report import Report
from ..ir.program import Origin
from ..ir.sections import Preprocessing, Resize
from ..language import sections
from ..language.inputs import has_names
from ..language.models import NetworkFile
from ..types.tensor import many
from .records import tensor_type


def preprocessing(
    model: NetworkFile | None, origin: Origin, report: Report
) -> Preprocessing | None:
    """The section, with one mean and std, or one for each channel; reports what does not fit."""
    found = model.preprocessing if model else None
    if model is None or found is None:
        return None
    if has_names(model.input):
        message = "`preprocessing` is for a network with one input"
        help = "remove it, and prepare each input before the network"
        report.error("E203", message, origin.document.key_span(("preprocessing",)), help=help)
        return None
    channels = model.input.get("channels", 0)
    for name in ("mean", "std"):
        value, span = getattr(found, name), origin.span("preprocessing", name)
        if found.per_image and name in found.model_fields_set:
            message = f"`{name}` is that of each image with `per_image: true`"
            report.error("E203", message, span, help=f"remove `{name}` or `per_image`")
        elif isinstance(value, tuple) and channels and len(value) != channels:
            values, of = many(len(value), "value"), many(channels, "channel")
            report.error("E203", f"`{name}` has {values}, but the input has {of}", span)
    resize = None if found.resize is None else _resize(model, found.resize, origin, report)
    return Preprocessing(
        found.channel_order, found.scale, found.mean, found.std, found.per_image, resize
    )


def _resize(model: NetworkFile, found: sections.Resize, origin: Origin, report: Report) -> Resize:
    spatial = tensor_type(model.input).spatial
    size, axes = found.size or spatial, many(len(spatial), "spatial axis", "spatial axes")
    size = size if isinstance(size, tuple) else (size,) * len(spatial)
    if len(size) != len(spatial):
        message = f"`size` has {many(len(size), 'value')}, but the input has {axes}"
        report.error("E203", message, origin.span("preprocessing", "resize", "size"))
    if found.antialias:
        span = origin.span("preprocessing", "resize", "antialias")
        if found.method == "nearest":
            report.error("E203", "`antialias` needs `method: linear`", span, help="remove it")
        elif len(spatial) != 2:
            message = f"`antialias` needs 2 spatial axes, but the input has {axes}"
            report.error("E203", message, span, help="remove it")
    return Resize(size, found.method, found.antialias)
