"""The lowering table: from the kind of an op to the calls that say it in Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from inception_dsl.backend import (
    Activation,
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    BatchNormFields,
    Conv,
    ConvBn,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    LayerNorm,
    LocalResponseNorm,
    MaxPool,
    Op,
    Scale,
    SeparableConv,
    TensorType,
    ZeroPad,
    literal,
)

from .calls import TENSOR, Argument, Call, Made, Variable, below, layer
from .pools import avg_pool, max_pool
from .windows import Plan, pad_layer, per_axis, plan, zero_padding

NATIVE: Final = frozenset(
    {"relu", "relu6", "elu", "gelu", "silu", "hard_swish", "sigmoid", "tanh", "softmax"}
)
"""Functions that Keras knows by name and defines as the language does with the values that a layer
takes.
"""

SWITCHES: Final = {"center": "True", "scale": "True"}
CONV_BN: Final = "conv_bn:"
"""The helper function of a composite op, up to its activation.

It gets its name when all its uses are known.
"""


def lower(op: Op, x: TensorType) -> tuple[Call, ...]:
    """The calls of an op, in order. ``x`` may be symbolic: only its rank is read."""
    return LOWERING[type(op)](op, x)


def conv(op: Conv, x: TensorType, part: str = "") -> tuple[Call, ...]:
    filters = Argument("filters", literal(op.filters), positional=True)
    return convolution(
        "Conv", op, x, (filters,), (Argument("groups", literal(op.groups), "1"),), part
    )


def convolution(
    function: str,
    op: Any,
    x: TensorType,
    first: tuple[Argument, ...],
    options: tuple[Argument, ...],
    part: str = "",
    found: tuple[Variable, ...] = (),
) -> tuple[Call, ...]:
    """A convolution with what stands around it: padding before.

    Pixels left out, and a function, behind.
    """
    slide = plan(op.windows(x.rank))
    arguments = (*first, *sliding(op, x, slide), *options, *outcome(op))
    called = layer(
        f"{function}{x.rank}D", *arguments, part=part, variables=found or variables(op, x, part)
    )
    before = (pad_layer(slide.pads, x.rank, below(part, "pad")),) if slide.pads else ()
    pool = (Argument("pool_size", "1", positional=True), Argument("strides", slide.subsample))
    after = (
        (layer(f"MaxPooling{x.rank}D", *pool, part=below(part, "stride")),)
        if slide.subsample
        else ()
    )
    return *before, called, *after, *activated(op.activation, part)


def outcome(op: Any) -> tuple[Argument, ...]:
    """What a layer with weights does at its end: a function, where it knows it, and a bias."""
    function = literal(op.activation if op.activation in NATIVE else "none")
    return Argument("activation", function, literal("none")), Argument(
        "use_bias", literal(op.use_bias), "True"
    )


def sliding(op: Any, x: TensorType, slide: Plan) -> tuple[Argument, ...]:
    windows = op.windows(x.rank)
    return (
        Argument("kernel_size", per_axis([w.kernel for w in windows]), positional=True),
        Argument("strides", slide.strides, "1"),
        Argument("padding", slide.padding, literal("valid")),
        Argument("dilation_rate", per_axis([w.dilation for w in windows]), "1"),
    )


def variables(op: Op, x: TensorType, part: str = "", kernel: str = "same") -> tuple[Variable, ...]:
    """The weights of an op that its layer calls as the spec does.

    ``part`` is the op's place in a composite.
    """
    prefix = f"{part}/" if part else ""
    return tuple(
        Variable(prefix + w.name, w.name, kernel if w.name == "kernel" else "same")
        for w in op.weights(x)
    )


def activated(function: str, part: str) -> tuple[Call, ...]:
    """A function behind a layer that does not know it, as a layer of its own."""
    if function == "none" or function in NATIVE:
        return ()
    return (activation_layer(function_op(function), below(part, function)),)


def function_op(function: str) -> Activation:
    return Activation.model_construct(op="activation", function=function)


def activation(op: Activation, x: TensorType) -> tuple[Call, ...]:
    return (activation_layer(op, ""),)


def activation_layer(op: Activation, part: str) -> Call:
    if op.function == "none":
        return layer("Identity", part=part)
    if op.function == "leaky_relu":
        return layer("LeakyReLU", Argument("negative_slope", literal(op.slope)), part=part)
    if op.function == "elu" and op.slope != 1:
        return layer("ELU", Argument("alpha", literal(op.slope)), part=part)
    if op.function == "gelu" and op.approximate:
        return Call("gelu_tanh", part=part, helper=True, made=(Made(""),))
    return layer(
        "Activation", Argument("activation", literal(op.function), positional=True), part=part
    )


def conv_bn(op: ConvBn, x: TensorType) -> tuple[Call, ...]:
    """One call of a helper function.

    Written out only where pixels are left out between the two layers.
    """
    (_, first), (_, norm), _ = op.parts()
    assert isinstance(first, Conv)
    assert isinstance(norm, BatchNorm)
    slide = plan(first.windows(x.rank))
    y = first.infer(x)
    function = (
        ()
        if op.activation == "none"
        else (activation_layer(function_op(op.activation), op.activation),)
    )
    if slide.subsample:
        return *conv(first, x, "conv"), normalised(norm, y, "bn"), *function
    arguments = (
        Argument("filters", literal(op.filters), positional=True),
        *(replace(a, default=None) for a in sliding(op, x, slide)),
        Argument("groups", literal(op.groups)),
        Argument("use_bias", literal(op.use_bias)),
        *norm_options(op.batch_norm, {}),
    )
    made = (
        Made("conv", variables(first, x, "conv")),
        Made("bn", variables(norm, y, "bn")),
        *(Made(call.part) for call in function),
    )
    before = (pad_layer(slide.pads, x.rank, "conv_pad"),) if slide.pads else ()
    return *before, Call(f"{CONV_BN}{op.activation}", arguments, helper=True, made=made)


def norm_options(op: Any, defaults: Mapping[str, str] = SWITCHES) -> tuple[Argument, ...]:
    """The arguments of a normalisation layer.

    Its numbers are always written, its switches where they are off.
    """
    found = {"momentum": op.decay} if isinstance(op, BatchNormFields) else {}
    found |= {"epsilon": op.epsilon, "center": op.center, "scale": op.scale}
    return tuple(
        Argument(keyword, literal(value), defaults.get(keyword)) for keyword, value in found.items()
    )


def normalised(op: BatchNorm, x: TensorType, part: str = "") -> Call:
    return layer(
        "BatchNormalization", *norm_options(op), part=part, variables=variables(op, x, part)
    )


def batch_norm(op: BatchNorm, x: TensorType) -> tuple[Call, ...]:
    return (normalised(op, x),)


def layer_norm(op: LayerNorm, x: TensorType) -> tuple[Call, ...]:
    return (layer("LayerNormalization", *norm_options(op), variables=variables(op, x)),)


def group_norm(op: GroupNorm, x: TensorType) -> tuple[Call, ...]:
    groups = Argument("groups", literal(op.groups), positional=True)
    return (layer("GroupNormalization", groups, *norm_options(op), variables=variables(op, x)),)


def depthwise_conv(op: DepthwiseConv, x: TensorType, part: str = "") -> tuple[Call, ...]:
    """The layer of its own where there is one and all backends take its strides, else a convolution
    in groups.
    """
    if has_depthwise(op, x):
        return convolution("DepthwiseConv", op, x, (), (multiplier(op),), part)
    channels = f"{TENSOR}.shape[-1]"
    filters = (
        channels if op.depth_multiplier == 1 else f"{literal(op.depth_multiplier)} * {channels}"
    )
    first = (Argument("filters", filters, positional=True),)
    found = variables(op, x, part, "grouped")
    return convolution("Conv", op, x, first, (Argument("groups", channels, "1"),), part, found)


def multiplier(op: Any) -> Argument:
    return Argument("depth_multiplier", literal(op.depth_multiplier), "1")


def has_depthwise(op: Any, x: TensorType) -> bool:
    return x.rank < 3 and len({w.stride for w in op.windows(x.rank)}) == 1


def separable_conv(op: SeparableConv, x: TensorType) -> tuple[Call, ...]:
    (_, first), (_, second) = op.parts()
    assert isinstance(first, DepthwiseConv)
    assert isinstance(second, Conv)
    if not has_depthwise(first, x) or plan(first.windows(x.rank)).subsample:
        return *depthwise_conv(first, x, "depthwise"), *conv(second, first.infer(x), "pointwise")
    found = [
        Variable("depthwise/kernel", "depthwise_kernel"),
        Variable("pointwise/kernel", "pointwise_kernel"),
    ]
    found += [Variable("pointwise/bias", "bias")] if op.use_bias else []
    filters = Argument("filters", literal(op.filters), positional=True)
    return convolution("SeparableConv", op, x, (filters,), (multiplier(op),), found=tuple(found))


def dense(op: Dense, x: TensorType) -> tuple[Call, ...]:
    units = Argument("units", literal(op.units), positional=True)
    return layer("Dense", units, *outcome(op), variables=variables(op, x)), *activated(
        op.activation, ""
    )


def global_pool(op: Any, x: TensorType) -> tuple[Call, ...]:
    function = "GlobalAveragePooling" if isinstance(op, GlobalAvgPool) else "GlobalMaxPooling"
    return (layer(f"{function}{x.rank}D", Argument("keepdims", literal(op.keepdims), "False")),)


def adaptive_avg_pool(op: AdaptiveAvgPool, x: TensorType) -> tuple[Call, ...]:
    size = Argument("output_size", per_axis(op.outputs(x.rank)), positional=True)
    return (layer(f"AdaptiveAveragePooling{x.rank}D", size),)


def local_response_norm(op: LocalResponseNorm, x: TensorType) -> tuple[Call, ...]:
    values = {"size": op.size, "alpha": op.alpha, "beta": op.beta, "k": op.k}
    arguments = tuple(Argument(keyword, literal(value)) for keyword, value in values.items())
    return (Call("local_response_norm", arguments, helper=True, made=(Made(""),)),)


def dropout(op: Dropout, x: TensorType) -> tuple[Call, ...]:
    return (layer("Dropout", Argument("rate", literal(op.rate), positional=True)),)


def flatten(op: Flatten, x: TensorType) -> tuple[Call, ...]:
    return (layer("Flatten"),)


def zero_pad(op: ZeroPad, x: TensorType) -> tuple[Call, ...]:
    return (pad_layer(zero_padding(op.pads(x.rank)), x.rank, ""),)


def scale(op: Scale, x: TensorType) -> tuple[Call, ...]:
    return (layer("Rescaling", Argument("scale", literal(op.value), positional=True)),)


def identity(op: Identity, x: TensorType) -> tuple[Call, ...]:
    return (layer("Identity"),)


LOWERING: Final[dict[type[Op], Callable[[Any, TensorType], tuple[Call, ...]]]] = {
    Activation: activation,
    AdaptiveAvgPool: adaptive_avg_pool,
    AvgPool: avg_pool,
    BatchNorm: batch_norm,
    Conv: conv,
    ConvBn: conv_bn,
    Dense: dense,
    DepthwiseConv: depthwise_conv,
    Dropout: dropout,
    Flatten: flatten,
    GlobalAvgPool: global_pool,
    GlobalMaxPool: global_pool,
    GroupNorm: group_norm,
    Identity: identity,
    LayerNorm: layer_norm,
    LocalResponseNorm: local_response_norm,
    MaxPool: max_pool,
    Scale: scale,
    SeparableConv: separable_conv,
    ZeroPad: zero_pad,
}
