"""The lowering table: from each op to PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from inception_dsl.backend import (
    SLOPES,
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
    Expression,
    Flatten,
    GroupNorm,
    Item,
    LayerNorm,
    LocalResponseNorm,
    Op,
    Pool,
    Scale,
    SeparableConv,
    Symbolic,
    TensorType,
    ZeroPad,
    call,
    known,
    literal,
)

from .activations import MODULES, applied
from .helpers import Helpers, batch_norm_settings
from .layers import Layer, Stored
from .windows import constant_pads, convolution, each_side, short, sides


def lower(op: Op, x: TensorType, helpers: Helpers) -> Layer:
    """How ``op`` is written for an input of type ``x``."""
    return TABLE[op.op](op, x, helpers)


def conv(op: Conv, x: TensorType, helpers: Helpers) -> Layer:
    front, keywords, dynamic = convolution(op, op.windows(x.rank))
    if op.groups != 1:
        keywords["groups"] = literal(op.groups)
    if not op.use_bias:
        keywords["bias"] = literal(False)
    kind = helpers.conv(x.rank, dynamic, op.activation)
    module = call(kind, literal(x.channels), literal(op.filters), **keywords)
    return Layer((*front, module), _kernel(len(front), "conv", op.use_bias))


def _kernel(module: int, layout: str, bias: bool) -> tuple[Stored, ...]:
    kernel = Stored("kernel", module, "weight", layout)
    return (kernel, Stored("bias", module, "bias", "vector")) if bias else (kernel,)


def depthwise_conv(op: DepthwiseConv, x: TensorType, helpers: Helpers) -> Layer:
    front, keywords, dynamic = convolution(op, op.windows(x.rank))
    keywords["groups"] = literal(x.channels)
    if not op.use_bias:
        keywords["bias"] = literal(False)
    kind = helpers.conv(x.rank, dynamic, op.activation)
    module = call(kind, literal(x.channels), literal(x.channels * op.depth_multiplier), **keywords)
    return Layer((*front, module), _kernel(len(front), "depthwise", op.use_bias))


def separable_conv(op: SeparableConv, x: TensorType, helpers: Helpers) -> Layer:
    modules: tuple[Expression, ...] = ()
    weights: tuple[Stored, ...] = ()
    for segment, part in op.parts():
        layer = lower(part, x, helpers)
        weights += tuple(
            Stored(f"{segment}/{w.name}", w.module + len(modules), w.key, w.layout)
            for w in layer.weights
        )
        modules += layer.modules
        x = part.infer(x)
    return Layer(modules, weights)


def conv_bn(op: ConvBn, x: TensorType, helpers: Helpers) -> Layer:
    front, keywords, dynamic = convolution(op, op.windows(x.rank))
    keywords |= helpers.conv_bn_options(op, x.rank, dynamic)
    module = call("ConvBN", literal(x.channels), literal(op.filters), **keywords)
    norm = batch_norm_weights(op.batch_norm)
    stored = [
        Stored(f"conv/{w.name}", len(front), f"conv.{w.key}", w.layout)
        for w in _kernel(0, "conv", op.use_bias)
    ]
    stored += [Stored(f"bn/{w.name}", len(front), f"bn.{w.key}", w.layout) for w in norm]
    return Layer((*front, module), tuple(stored))


def batch_norm_weights(op: BatchNormFields) -> tuple[Stored, ...]:
    names = [("gamma", "weight")] if op.scale else []
    names += [("beta", "bias")] if op.center else []
    names += [("moving_mean", "running_mean"), ("moving_variance", "running_var")]
    return tuple(Stored(name, 0, key, "vector") for name, key in names)


def batch_norm(op: BatchNorm, x: TensorType, helpers: Helpers) -> Layer:
    kind = helpers.norm(f"nn.BatchNorm{max(x.rank, 1)}d", op.scale, op.center)
    keywords = batch_norm_settings(op)
    return Layer((call(kind, literal(x.channels), **keywords),), batch_norm_weights(op))


def affine(op: LayerNorm | GroupNorm) -> tuple[Stored, ...]:
    gamma = (Stored("gamma", 0, "weight", "vector"),) if op.scale else ()
    return (*gamma, *((Stored("beta", 0, "bias", "vector"),) if op.center else ()))


def layer_norm(op: LayerNorm, x: TensorType, helpers: Helpers) -> Layer:
    keywords: dict[str, Expression] = {"eps": literal(op.epsilon)} if op.epsilon != 1e-5 else {}
    base = "nn.LayerNorm" if not x.rank else helpers.channel_layer_norm()
    return Layer(
        (call(helpers.norm(base, op.scale, op.center), literal(x.channels), **keywords),),
        affine(op),
    )


def group_norm(op: GroupNorm, x: TensorType, helpers: Helpers) -> Layer:
    keywords: dict[str, Expression] = {"eps": literal(op.epsilon)} if op.epsilon != 1e-5 else {}
    kind = helpers.norm("nn.GroupNorm", op.scale, op.center)
    return Layer((call(kind, literal(op.groups), literal(x.channels), **keywords),), affine(op))


def local_response_norm(op: LocalResponseNorm, x: TensorType, helpers: Helpers) -> Layer:
    keywords = {"alpha": literal(op.alpha), "beta": literal(op.beta), "k": literal(op.k)}
    return Layer((call("nn.LocalResponseNorm", literal(op.size), **keywords),))


def pool(op: Pool, x: TensorType, helpers: Helpers) -> Layer:
    windows = op.windows(x.rank)
    average = isinstance(op, AvgPool)
    name = f"{'Avg' if average else 'Max'}Pool{x.rank}d"
    items: list[Expression | Item] = [Item(short(tuple(w.kernel for w in windows)), "kernel_size")]
    items.append(Item(short(tuple(w.stride for w in windows)), "stride"))
    pads = constant_pads(windows)
    front: tuple[Expression, ...] = ()
    if pads is None:
        include = isinstance(op, AvgPool) and op.count_include_pad
        return Layer((call(helpers.same_pool(name, counted=include), *items),))
    counted = (
        not average
        or not any(n for pair in pads for n in pair)
        or bool(getattr(op, "count_include_pad", False))
    )
    # of three axes, PyTorch holds the window of an average against the map without its padding, and
    # may refuse it
    own = not (
        average and x.rank == 3 and not op.ceil_mode and any(n for pair in pads for n in pair)
    )
    if own and all(a == b for a, b in pads):
        if any(a for a, _ in pads):
            items.append(Item(short(tuple(a for a, _ in pads)), "padding"))
    elif not counted:
        return Layer((call(helpers.padded_avg_pool(name), *items, Item(each_side(pads), "sides")),))
    elif average:
        front = (call(f"nn.ZeroPad{x.rank}d", sides(pads)),)
    else:
        front = (call(f"nn.ConstantPad{x.rank}d", sides(pads), literal(float("-inf"))),)
    if op.ceil_mode:
        items.append(Item(literal(True), "ceil_mode"))
    if not counted:
        items.append(Item(literal(False), "count_include_pad"))
    return Layer((*front, call(f"nn.{name}", *items)))


def global_pool(op: Any, x: TensorType, helpers: Helpers) -> Layer:
    average = op.op == "global_avg_pool"
    module = call(f"nn.Adaptive{'Avg' if average else 'Max'}Pool{x.rank}d", literal(1))
    method = "mean" if average else "amax"
    keep = ", keepdim=True" if op.keepdims else ""
    axes = literal(tuple(range(2, 2 + x.rank)) if x.rank > 1 else 2)
    modules: tuple[Expression, ...] = (module,) if op.keepdims else (module, call("nn.Flatten"))
    return Layer(modules, inline=lambda v: f"{v}.{method}(dim={axes}{keep})")


def adaptive_avg_pool(op: AdaptiveAvgPool, x: TensorType, helpers: Helpers) -> Layer:
    return Layer((call(f"nn.AdaptiveAvgPool{x.rank}d", short(op.outputs(x.rank))),))


def dense(op: Dense, x: TensorType, helpers: Helpers) -> Layer:
    keywords: dict[str, Expression] = {} if op.use_bias else {"bias": literal(False)}
    if x.rank:
        kind = helpers.conv(x.rank, False, op.activation)
        module = call(
            kind, literal(x.channels), literal(op.units), kernel_size=literal(1), **keywords
        )
        return Layer((module,), _kernel(0, "pointwise", op.use_bias))
    module = call(helpers.linear(op.activation), literal(x.channels), literal(op.units), **keywords)
    return Layer((module,), _kernel(0, "linear", op.use_bias))


def activation(op: Activation, x: TensorType, helpers: Helpers) -> Layer:
    name = op.function
    if name == "none":
        return identity(op, x, helpers)
    arguments: list[Expression] = []
    keywords: dict[str, Expression] = {}
    if name in SLOPES and op.slope != SLOPES[name]:
        arguments.append(literal(op.slope))
    if name == "softmax":
        keywords["dim"] = literal(1)
    if name == "gelu" and op.approximate:
        keywords["approximate"] = literal("tanh")
        return Layer(
            (call("nn.GELU", **keywords),), inline=lambda v: f'F.gelu({v}, approximate="tanh")'
        )
    return Layer(
        (call(MODULES[name], *arguments, **keywords),), inline=lambda v: applied(name, v, op.slope)
    )


def dropout(op: Dropout, x: TensorType, helpers: Helpers) -> Layer:
    return Layer((call("nn.Dropout", literal(op.rate)),))


def flatten(op: Flatten, x: TensorType, helpers: Helpers) -> Layer:
    if not x.rank:
        return identity(op, x, helpers)
    if all(known(n) and n == 1 for n in x.spatial):
        return Layer((call("nn.Flatten"),), inline=lambda v: f"{v}.flatten(1)")
    return Layer((call(helpers.flatten()),), inline=lambda v: f"{v}.movedim(1, -1).flatten(1)")


def zero_pad(op: ZeroPad, x: TensorType, helpers: Helpers) -> Layer:
    return Layer((call(f"nn.ZeroPad{x.rank}d", sides(op.pads(x.rank))),))


def scale(op: Scale, x: TensorType, helpers: Helpers) -> Layer:
    factor = op.value.tight if isinstance(op.value, Symbolic) else literal(op.value)
    return Layer(
        (call(helpers.scale(), factor),), inline=lambda v: f"{factor} * {v}", reads=(op.value,)
    )


def identity(op: Op, x: TensorType, helpers: Helpers) -> Layer:
    return Layer((call("nn.Identity"),), inline=lambda v: v)


TABLE: Final[dict[str, Callable[[Any, TensorType, Helpers], Layer]]] = {
    "conv": conv,
    "conv_bn": conv_bn,
    "separable_conv": separable_conv,
    "depthwise_conv": depthwise_conv,
    "max_pool": pool,
    "avg_pool": pool,
    "global_avg_pool": global_pool,
    "global_max_pool": global_pool,
    "adaptive_avg_pool": adaptive_avg_pool,
    "dense": dense,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "local_response_norm": local_response_norm,
    "activation": activation,
    "dropout": dropout,
    "flatten": flatten,
    "zero_pad": zero_pad,
    "scale": scale,
    "identity": identity,
}
