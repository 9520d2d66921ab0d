"""The lowering table: how each op is written in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from inception_dsl.backend import (
    SLOPES,
    Activation,
    Code,
    Expression,
    LayerSite,
    Read,
    Scope,
    Slot,
    call,
    constant,
    literal,
    subtract,
    tupled,
)

from .activations import CONSTRUCTOR, MODULE, MODULES, applied, made, module
from .composites import CompositeCall
from .enlarging import transposed, upsample
from .helpers import Helpers, grouped
from .layers import Layer, Stored
from .moving import channel_shuffle, crop, depth_to_space, space_to_depth, zero_pad
from .pools import adaptive_avg_pool, global_pool, pool
from .scaling import dropout, l2_normalize, scale
from .windows import convolution, omitted

Keywords = dict[str, Expression]


def momentum(decay: Slot) -> Slot:
    """PyTorch's momentum of batch norm: 1 - decay."""
    if decay.symbolic:
        term = subtract(constant(1), decay.term)
        return Slot(decay.frame, tuple(1.0 - v for v in decay.values), term, "momentum")
    # rounded, as 1.0 - 0.9 is 0.09999999999999998
    return Slot(decay.frame, tuple(round(1.0 - v, 12) for v in decay.values), None, "momentum")


def lower(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """Write a layer for all of its uses."""
    return TABLE[site.op.op](site, scope, helpers)


def switch(flag: Code, yes: str, no: str) -> Code:
    """``yes if flag else no``; only one of them if the flag is a constant."""
    if isinstance(flag, Read):
        return Read(f"{yes} if {flag} else {no}")
    return Code(yes if flag == "True" else no)


def conv(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    slide = convolution(site, scope)
    kind = helpers.conv(site.rank, slide.sized)
    modules = (*slide.front, _with_filters(site, scope, kind, slide.keywords))
    return Layer((*modules, *after(site, scope, helpers)), _kernel(len(slide.front), "conv"))


def conv_transpose(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    slide, crop = transposed(site, scope)
    kind = helpers.conv_transpose(site.rank, slide.sized)
    made = _with_filters(site, scope, kind, slide.keywords)
    return Layer((made, *crop, *after(site, scope, helpers)), _kernel(0, "conv"))


def _with_filters(
    site: LayerSite, scope: Scope, kind: Code, slide: Mapping[str, Code]
) -> Expression:
    """A convolution or its transpose."""
    keywords: Keywords = dict(slide)
    if not omitted([groups := site.slot("groups")], 1):
        keywords["groups"] = scope.text(groups)
    filters = scope.text(site.slot("filters"))
    bias(site, scope, keywords)
    return call(grouped(kind), scope.text(site.channels), filters, **keywords)


def depthwise_conv(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    slide = convolution(site, scope)
    keywords: Keywords = {**slide.keywords, "groups": scope.text(site.channels)}
    single = site.slot("depth_multiplier").constant(1)
    filters = scope.text(site.channels if single else site.out_channels)
    bias(site, scope, keywords)
    kind = grouped(helpers.conv(site.rank, slide.sized))
    made = call(kind, scope.text(site.channels), filters, **keywords)
    modules = (*slide.front, made, *after(site, scope, helpers))
    return Layer(modules, _kernel(len(slide.front), "depthwise"))


def bias(site: LayerSite, scope: Scope, keywords: Keywords) -> None:
    """Add the keyword ``bias``, unless all uses have a bias (PyTorch's default)."""
    if not omitted([use := site.slot("use_bias")], True):
        keywords["bias"] = scope.text(use)


def after(site: LayerSite, scope: Scope, helpers: Helpers) -> tuple[Expression, ...]:
    """The activation of a convolution or a dense layer, as a module after it."""
    function = site.slot("activation")
    if function.varies:
        return (made(scope.text(function, helpers.last)),)
    name = function.values[0]
    return () if name == "none" else (module(name, fresh=True),)


def _kernel(module: int, layout: str) -> tuple[Stored, ...]:
    return Stored("kernel", module, "weight", layout), Stored("bias", module, "bias", "vector")


def separable_conv(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    (_, depthwise), _ = site.parts()
    slide = convolution(depthwise, scope)
    options = {
        "bias": scope.text(site.slot("use_bias")),
        "depth_multiplier": scope.text(site.slot("depth_multiplier"), tight=True),
        "conv": helpers.conv(site.rank, slide.sized),
    }
    channels, filters = scope.text(site.channels), scope.text(site.slot("filters"))
    made = CompositeCall(channels, filters, slide, options)
    modules = (*slide.front, helpers.separable_conv(site.rank, made), *after(site, scope, helpers))
    at = len(slide.front)
    weights = [Stored("depthwise/kernel", at, "depthwise.weight", "depthwise")]
    weights += [
        Stored(f"pointwise/{w.name}", at, f"pointwise.{w.key}", w.layout)
        for w in _kernel(0, "conv")
    ]
    return Layer(modules, tuple(weights))


def conv_bn(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    slide = convolution(site, scope)
    scale, center = (scope.text(site.slot(f"batch_norm.{k}")) for k in ("scale", "center"))
    activation = site.slot("activation")
    options = {
        "bias": scope.text(site.slot("use_bias")),
        "eps": scope.text(site.slot("batch_norm.epsilon")),
        "momentum": scope.text(momentum(site.slot("batch_norm.decay"))),
        "norm": helpers.norm(f"nn.BatchNorm{site.rank}d", scale, center),
        "activation": scope.text(activation, helpers.last),
        "conv": helpers.conv(site.rank, slide.sized),
        "groups": scope.text(site.slot("groups")),
    }
    function = activation.values[0] if not activation.varies else ""
    channels, filters = scope.text(site.channels), scope.text(site.slot("filters"))
    made = CompositeCall(channels, filters, slide, options, function)
    module = helpers.conv_bn(site.rank, made)
    at = len(slide.front)
    weights = [Stored(f"conv/{w.name}", at, f"conv.{w.key}", w.layout) for w in _kernel(0, "conv")]
    weights += [Stored(f"bn/{w.name}", at, f"bn.{w.key}", w.layout) for w in BATCH_NORM]
    return Layer((*slide.front, module), tuple(weights))


AFFINE: Final = (Stored("gamma", 0, "weight", "vector"), Stored("beta", 0, "bias", "vector"))
BATCH_NORM: Final = (
    *AFFINE,
    Stored("moving_mean", 0, "running_mean", "vector"),
    Stored("moving_variance", 0, "running_var", "vector"),
)


def normalised(
    site: LayerSite, scope: Scope, helpers: Helpers, base: str, *first: Code
) -> tuple[str, list[Code], Keywords]:
    """The class of a normalisation, its positional arguments, and the keyword ``eps``."""
    kind = helpers.norm(base, scope.text(site.slot("scale")), scope.text(site.slot("center")))
    keywords: Keywords = {}
    if not omitted([epsilon := site.slot("epsilon")], 1e-5):
        keywords["eps"] = scope.text(epsilon)
    return grouped(kind), [*first, scope.text(site.channels)], keywords


def batch_norm(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    base = f"nn.BatchNorm{max(site.rank, 1)}d"
    kind, arguments, keywords = normalised(site, scope, helpers, base)
    if not (share := momentum(site.slot("decay"))).constant(0.1):
        keywords["momentum"] = scope.text(share)
    return Layer((call(kind, *arguments, **keywords),), BATCH_NORM)


def layer_norm(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    base = "nn.LayerNorm" if not site.rank else helpers.channel_layer_norm()
    kind, arguments, keywords = normalised(site, scope, helpers, base)
    return Layer((call(kind, *arguments, **keywords),), AFFINE)


def group_norm(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    groups = scope.text(site.slot("groups"))
    kind, arguments, keywords = normalised(site, scope, helpers, "nn.GroupNorm", groups)
    return Layer((call(kind, *arguments, **keywords),), AFFINE)


def local_response_norm(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    keywords = {name: scope.text(site.slot(name)) for name in ("alpha", "beta", "k")}
    module = call("nn.LocalResponseNorm", scope.text(site.slot("size")), **keywords)
    if site.rank:
        return Layer((module,))
    # nn.LocalResponseNorm rejects vectors (N, C): reshape to a map of one position
    map_of_one = call("nn.Unflatten", literal(1), literal((-1, 1)))
    return Layer((map_of_one, module, call("nn.Flatten")))


def dense(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    keywords: Keywords = {"kernel_size": literal(1)} if site.rank else {}
    bias(site, scope, keywords)
    kind = f"nn.Conv{site.rank}d" if site.rank else "nn.Linear"
    made = call(kind, scope.text(site.channels), scope.text(site.slot("units")), **keywords)
    weights = _kernel(0, "pointwise" if site.rank else "linear")
    return Layer((made, *after(site, scope, helpers)), weights)


def activation(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    function, approximate = site.slot("function"), site.slot("approximate")
    slopes = tuple(op.slope for op in site.ops(Activation))
    slope = site.slot("alpha")._replace(values=slopes)
    if not (parts := site.slot("parts")).all(None):  # the function is softmax
        return _over_parts(scope.text(parts))
    if function.varies:
        return _any_activation(site, scope, function, slope, approximate)
    name = function.values[0]
    if name == "none":
        return identity(site, scope, helpers)
    if name == "gelu" and not omitted([approximate], False):
        word = switch(scope.text(approximate), '"tanh"', '"none"')
        made = call("nn.GELU", approximate=word)
        if approximate.varies:
            return Layer((made,))
        return Layer((made,), (), lambda x, _: f"F.gelu({x}, approximate={word})", ("F",))
    if name not in SLOPES or omitted([slope], SLOPES[name]):
        needs = (applied(name, "x").partition(".")[0],)

        def written(*, fresh: bool) -> Layer:
            made = module(name, fresh=fresh)
            return Layer((made,), (), lambda x, _: applied(name, x, fresh=fresh), needs)

        return written(fresh=False)._replace(fresh=written(fresh=True))
    made = call(MODULES[name], scope.text(slope))
    return Layer((made,), (), lambda x, text: applied(name, x, text(slope)), ("F",))


def _over_parts(parts: Code) -> Layer:
    """A softmax over equal parts of the channels."""
    split = call("nn.Unflatten", literal(1), tupled([parts, literal(-1)]))
    softmax = call("nn.Softmax", dim=literal(1))
    return Layer((split, softmax, call("nn.Flatten", literal(1), literal(2))))


def _any_activation(
    site: LayerSite, scope: Scope, function: Slot, slope: Slot, approximate: Slot
) -> Layer:
    """An activation that is an argument, with its slope and approximation if not the defaults."""
    usual = all(s == SLOPES.get(f, s) for f, s in zip(function.values, slope.values, strict=True))
    if usual and omitted([approximate], False):
        return Layer((made(scope.text(function, MODULE)),))
    settings = tuple(zip(function.values, slope.values, approximate.values, strict=True))
    # ``sized`` makes it an argument of a block even if all uses in this spec agree
    slot = Slot(site.frame, settings, None, "activation", sized=True)
    return Layer((made(scope.text(slot, CONSTRUCTOR)),))


def flatten(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    if not site.rank:
        return identity(site, scope, helpers)
    if site.one:
        return Layer((call("nn.Flatten"),), inline=lambda x, _: f"{x}.flatten(1)")
    module = call(helpers.flatten())
    return Layer((module,), inline=lambda x, _: f"{x}.movedim(1, -1).flatten(1)")


def identity(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    return Layer((call("nn.Identity"),), inline=lambda x, _: x)


TABLE: Final[dict[str, Callable[[LayerSite, Scope, Helpers], Layer]]] = {
    "conv": conv,
    "conv_bn": conv_bn,
    "separable_conv": separable_conv,
    "depthwise_conv": depthwise_conv,
    "conv_transpose": conv_transpose,
    "upsample": upsample,
    "space_to_depth": space_to_depth,
    "depth_to_space": depth_to_space,
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
    "l2_normalize": l2_normalize,
    "activation": activation,
    "dropout": dropout,
    "flatten": flatten,
    "channel_shuffle": channel_shuffle,
    "zero_pad": zero_pad,
    "crop": crop,
    "scale": scale,
    "identity": identity,
}
