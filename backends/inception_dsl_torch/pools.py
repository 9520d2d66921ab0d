"""Pools in PyTorch."""

from __future__ import annotations

from inception_dsl.backend import (
    AdaptiveAvgPool,
    Expression,
    Item,
    LayerSite,
    Scope,
    call,
    literal,
)

from .helpers import Helpers
from .layers import Layer
from .windows import (
    constant_pads,
    each_axis,
    each_side,
    omitted,
    per_axis,
    side,
    sides,
    sized_padding,
    symmetric,
)


def pool(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """A pool; padding that PyTorch's class cannot express is a layer before it or a subclass."""
    rank, average = site.rank, site.op.op == "avg_pool"
    name = f"{'Avg' if average else 'Max'}Pool{rank}d"
    ceil = flag(site, scope, "ceil_mode", False)
    ceils = site.never_same
    sized = literal(False) if ceils else sized_padding(site, scope)
    write = per_axis if sized == literal(False) else each_axis  # same_padding reads tuples
    items: list[Expression | Item] = [
        Item(write(scope, [site.axis(k, axis) for axis in range(rank)]), keyword)
        for k, keyword in (("kernel", "kernel_size"), ("stride", "stride"))
    ]
    if sized != literal(False):
        counts = scope.text(site.slot("count_include_pad")) if average else literal(False)
        return Layer((call(helpers.pool(name, sized, counts), *items, *ceil),))
    pads = constant_pads(site)
    # nn.AvgPool3d rejects a kernel larger than the input without its padding
    own = not (average and rank == 3 and not site.unpadded and not ceils)
    if own and symmetric(pads):
        slots = [side(site, pads, axis, 0) for axis in range(rank)]
        if not omitted(slots, 0):
            items.append(Item(per_axis(scope, slots), "padding"))
        if average and not site.unpadded:
            items += flag(site, scope, "count_include_pad", True)
        return Layer((call(f"nn.{name}", *items, *ceil),))
    if average and not site.slot("count_include_pad").constant(True):
        items.append(Item(each_side(scope, site, pads), "sides"))
        items += [*ceil, *flag(site, scope, "count_include_pad", False)]
        return Layer((call(helpers.padded_avg_pool(name), *items),))
    if average:
        front = call(f"nn.ZeroPad{rank}d", sides(scope, site, pads))
    else:
        least = literal(float("-inf"))
        front = call(f"nn.ConstantPad{rank}d", sides(scope, site, pads), least)
    return Layer((front, call(f"nn.{name}", *items, *ceil)))


def flag(site: LayerSite, scope: Scope, field: str, default: bool) -> list[Item]:
    """A flag as a keyword, unless it is the default."""
    slot = site.slot(field)
    return [] if slot.constant(default) else [Item(scope.text(slot), field)]


def global_pool(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """A global pool: a module, as some quantised maps have no `mean` over positions.

    Outside of a sequence the maximum is `amax`, which shares a gradient among equal values as
    other frameworks do; the module gives it to one of them. PyTorch has no module for channels.
    """
    kind = "Avg" if site.op.op == "global_avg_pool" else "Max"
    if site.alike("over") == ("channels",):
        function = "mean" if kind == "Avg" else "amax"
        module = call(helpers.channel_pool(kind))
        return Layer((module,), inline=lambda x, _: f"{x}.{function}(dim=1, keepdim=True)")
    module = call(f"nn.Adaptive{kind}Pool{site.rank}d", literal(1))
    keepdims = site.every("keepdims", True)  # all uses have the same output rank
    modules: tuple[Expression, ...] = (module,) if keepdims else (module, call("nn.Flatten"))
    if kind == "Avg":
        return Layer(modules)
    keep = ", keepdim=True" if keepdims else ""
    axes = literal(tuple(range(2, 2 + site.rank)) if site.rank > 1 else 2)
    return Layer(modules, inline=lambda x, _: f"{x}.amax(dim={axes}{keep})")


def adaptive_avg_pool(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    outputs = [op.outputs(site.rank) for op in site.ops(AdaptiveAvgPool)]
    slots = [
        site.each("output_size", axis, tuple(o[axis] for o in outputs)) for axis in range(site.rank)
    ]
    return Layer((call(f"nn.AdaptiveAvgPool{site.rank}d", per_axis(scope, slots)),))
