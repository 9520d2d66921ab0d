"""The lowering table: how each op is written in Keras, for all uses of a block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from inception_dsl.backend import (
    Activation,
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    ChannelShuffle,
    Conv,
    ConvBn,
    ConvTranspose,
    Crop,
    Dense,
    DepthToSpace,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    L2Normalize,
    LayerNorm,
    LayerSite,
    LocalResponseNorm,
    MaxPool,
    Op,
    Scale,
    SeparableConv,
    SpaceToDepth,
    Upsample,
    ZeroPad,
    literal,
)

from .activations import activated, activation, activation_argument, activation_layer, outcome
from .calls import (
    Call,
    Keyword,
    Made,
    OnTensor,
    Variable,
    Writer,
    below,
    helper,
    layer,
    variables,
)
from .enlarging import conv_transpose, upsample
from .moving import blocks, channel_shuffle, crop, flatten, zero_pad
from .pools import avg_pool, max_pool
from .windows import Plan, pad_layer, plan, sized, sizes, strided_and_dilated

CONV_BN: Final = "conv_bn"
"""The helper function of the op: one for each activation, unless that is an argument."""


def lower(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """The calls of an op, in order."""
    return LOWERING[type(site.op)](w, site)


def conv(w: Writer, site: LayerSite, part: str = "") -> tuple[Call, ...]:
    filters = w.option("filters", site, "filters", positional=True)
    groups = w.option("groups", site, "groups", "1")
    return convolution("Conv", w, site, (filters,), (groups,), part)


def convolution(
    function: str,
    w: Writer,
    site: LayerSite,
    first: tuple[Keyword, ...],
    options: tuple[Keyword, ...],
    part: str = "",
    found: tuple[Variable, ...] = (),
) -> tuple[Call, ...]:
    """A convolution with the layers around it: padding, subsampling, activation."""
    slide = plan(w, site)
    arguments = (*first, *sliding(w, site, slide), *options, *outcome(w, site))
    found = found or variables(site, part)
    called = layer(f"{function}{site.rank}D", *arguments, part=part, variables=found)
    return (
        *padding(slide, site.rank, below(part, "pad")),
        called,
        *subsampling(slide, site.rank, below(part, "stride")),
        *activated(w, site, part),
    )


def padding(slide: Plan, rank: int, part: str) -> tuple[Call, ...]:
    """The padding layer before a convolution, if it needs one."""
    return () if slide.pads is None else (pad_layer(slide.pads, rank, part),)


def subsampling(slide: Plan, rank: int, part: str) -> tuple[Call, ...]:
    """The layer after a convolution that drops pixels, if it needs one: a max pool of size 1."""
    if slide.subsample is None:
        return ()
    one = Keyword("pool_size", literal(1), positional=True)
    return (layer(f"MaxPooling{rank}D", one, slide.subsample, part=part),)


def sliding(w: Writer, site: LayerSite, slide: Plan) -> tuple[Keyword, ...]:
    """The arguments for the window: kernel size, strides, padding, dilation."""
    return (
        sizes(w, site, "kernel_size", "kernel", positional=True),
        slide.strides,
        Keyword("padding", slide.padding, literal("valid"), kind="str"),
        sizes(w, site, "dilation_rate", "dilation", "1"),
    )


def conv_bn(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """One call of a helper function; separate layers if the convolution is subsampled."""
    parts = dict(site.parts())
    first, norm, function = parts["conv"], parts["bn"], site.slot("activation")
    slide = plan(w, first)
    if slide.subsample is not None:
        linear = not function.varies and function.all("none")
        after = () if linear else (activation_layer(w, function, ""),)
        return *conv(w, first, "conv"), normalised(w, norm, "bn"), *after
    arguments = (
        w.option("filters", site, "filters", positional=True, kind="int"),
        *(replace(a, default=None) for a in sliding(w, first, slide)),
        w.option("groups", site, "groups", kind="int"),
        w.option("use_bias", site, "use_bias", kind="bool"),
        *norm_options(w, norm, switches=False),
    )
    made: tuple[Made, ...] = (
        Made("conv", variables(first, "conv")),
        Made("bn", variables(norm, "bn")),
    )
    call = Call(CONV_BN, arguments, helper=True, made=made)
    before = padding(slide, site.rank, "conv_pad")
    if w.joined:
        argument = replace(activation_argument(w, function), positional=False)
        made = (*made, Made("activation"))
        names = tuple(dict.fromkeys(function.values))
        return *before, replace(
            call, arguments=(*arguments, argument), made=made, activations=names
        )
    fixed = str(function.values[0])
    made = made if fixed == "none" else (*made, Made(fixed))
    return *before, replace(call, made=made, fixed=fixed)


def norm_options(w: Writer, site: LayerSite, *, switches: bool = True) -> tuple[Keyword, ...]:
    """The arguments of a normalisation layer.

    ``switches``: ``center`` and ``scale`` are left out if they are on.
    """
    default = "True" if switches else None
    decay = isinstance(site.op, BatchNorm)
    momentum = (w.option("momentum", site, "decay", kind="float"),) if decay else ()
    return (
        *momentum,
        w.option("epsilon", site, "epsilon", kind="float"),
        w.option("center", site, "center", default, kind="bool"),
        w.option("scale", site, "scale", default, kind="bool"),
    )


def normalised(w: Writer, site: LayerSite, part: str = "") -> Call:
    """A batch norm layer."""
    options = norm_options(w, site)
    return layer("BatchNormalization", *options, part=part, variables=variables(site, part))


def batch_norm(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (normalised(w, site),)


def layer_norm(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (layer("LayerNormalization", *norm_options(w, site), variables=variables(site)),)


def group_norm(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    groups = w.option("groups", site, "groups", positional=True)
    options = norm_options(w, site)
    return (layer("GroupNormalization", groups, *options, variables=variables(site)),)


def depthwise_conv(w: Writer, site: LayerSite, part: str = "") -> tuple[Call, ...]:
    """A depthwise layer if all Keras engines support its strides, else a grouped convolution."""
    multiplier = w.option("depth_multiplier", site, "depth_multiplier", "1")
    if has_depthwise(site):
        return convolution("DepthwiseConv", w, site, (), (multiplier,), part)
    channels = OnTensor(lambda x: f"{x}.shape[-1]")
    filters = channels
    if multiplier.written:
        factor = w.scope.text(site.slot("depth_multiplier"), tight=True)
        filters = OnTensor(lambda x: f"{factor} * {x}.shape[-1]")
    first = (Keyword("filters", filters, positional=True),)
    found = variables(site, part, "grouped")
    return convolution("Conv", w, site, first, (Keyword("groups", channels, "1"),), part, found)


def has_depthwise(site: LayerSite) -> bool:
    """Whether Keras has the layer: at most two axes, and equal strides in every use."""
    return site.rank < 3 and all(len({x.stride for x in row}) == 1 for row in site.windows)


def separable_conv(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    parts = dict(site.parts())
    first, second = parts["depthwise"], parts["pointwise"]
    if not has_depthwise(first) or any(map(strided_and_dilated, first.windows)):
        return *depthwise_conv(w, first, "depthwise"), *conv(w, second, "pointwise")
    found = [
        Variable("depthwise/kernel", "depthwise_kernel"),
        Variable("pointwise/kernel", "pointwise_kernel"),
        Variable("pointwise/bias", "bias"),
    ]
    filters = w.option("filters", site, "filters", positional=True)
    multiplier = w.option("depth_multiplier", site, "depth_multiplier", "1")
    return convolution("SeparableConv", w, site, (filters,), (multiplier,), found=tuple(found))


def dense(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    units = w.option("units", site, "units", positional=True)
    first = layer("Dense", units, *outcome(w, site), variables=variables(site))
    return first, *activated(w, site, "")


def global_pool(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """A global pool; ``keepdims`` keeps the spatial axes. Keras has no layer for channels."""
    mean = isinstance(site.op, GlobalAvgPool)
    if site.alike("over") == ("channels",):
        return (helper("channel_mean" if mean else "channel_max"),)
    function = "GlobalAveragePooling" if mean else "GlobalMaxPooling"
    return (layer(f"{function}{site.rank}D", w.option("keepdims", site, "keepdims", "False")),)


def adaptive_avg_pool(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    rows = [op.outputs(site.rank) for op in site.ops(AdaptiveAvgPool)]
    slots = [
        site.each("output_size", axis, tuple(row[axis] for row in rows))
        for axis in range(site.rank)
    ]
    size = sized("output_size", [w.scope.text(slot) for slot in slots], positional=True)
    return (layer(f"AdaptiveAveragePooling{site.rank}D", size),)


def local_response_norm(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    kinds = {"size": "int", "alpha": "float", "beta": "float", "k": "float"}
    arguments = (w.option(field, site, field, kind=kind) for field, kind in kinds.items())
    inner = ("square", "pad", "mean") if w.rank < 3 else ()
    if site.rank:
        return (helper("local_response_norm", *arguments, inner=inner),)
    shape = Keyword("target_shape", literal((*(1,) * w.rank, -1)), positional=True)
    normed = helper("local_response_norm", *arguments, part="norm", inner=inner)
    return layer("Reshape", shape, part="map"), normed, layer("Flatten")


def l2_normalize(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (helper("l2_normalize", w.option("epsilon", site, "epsilon", positional=True)),)


def dropout(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    (per,) = site.alike("per")
    rate = w.option("rate", site, "rate", positional=True)
    if per == "sample":
        shape = literal((None, *(1,) * (site.rank + 1)))
        return (layer("Dropout", rate, Keyword("noise_shape", shape)),)
    # in a vector a channel is one element
    whole = per == "channel" and site.rank
    return (layer(f"SpatialDropout{site.rank}D" if whole else "Dropout", rate),)


def scale(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    if site.alike("learned") == (False,):
        return (helper("scaled", w.option("scale", site, "value", positional=True)),)
    start = w.option("init_value", site, "value", positional=True)
    kernel = (Variable("gamma", "kernel"),)
    if site.alike("per") == ("channel",):
        return (Call("layer_scale", (start,), helper=True, made=(Made("", kernel),)),)
    made = (Made("gamma", kernel), Made(""))
    return (Call("single_scale", (start,), helper=True, made=made),)


def identity(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    return (layer("Identity"),)


LOWERING: Final[Mapping[type[Op], Callable[[Writer, LayerSite], tuple[Call, ...]]]] = {
    Activation: activation,
    AdaptiveAvgPool: adaptive_avg_pool,
    AvgPool: avg_pool,
    BatchNorm: batch_norm,
    ChannelShuffle: channel_shuffle,
    Conv: conv,
    ConvBn: conv_bn,
    ConvTranspose: conv_transpose,
    Crop: crop,
    Dense: dense,
    DepthToSpace: blocks,
    DepthwiseConv: depthwise_conv,
    Dropout: dropout,
    Flatten: flatten,
    GlobalAvgPool: global_pool,
    GlobalMaxPool: global_pool,
    GroupNorm: group_norm,
    Identity: identity,
    L2Normalize: l2_normalize,
    LayerNorm: layer_norm,
    LocalResponseNorm: local_response_norm,
    MaxPool: max_pool,
    Scale: scale,
    SeparableConv: separable_conv,
    SpaceToDepth: blocks,
    Upsample: upsample,
    ZeroPad: zero_pad,
}
