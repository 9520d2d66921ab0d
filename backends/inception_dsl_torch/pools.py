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
from .windows import constant_pads, each_side, omitted, per_axis, side, sides, symmetric


def pool(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """A pool, padded in the way that PyTorch's own can say, else before it or by a class."""
    rank, average = site.rank, site.op.op == "avg_pool"
    name = f"{'Avg' if average else 'Max'}Pool{rank}d"
    items: list[Expression | Item] = [
        Item(per_axis(scope, [site.axis(k, axis) for axis in range(rank)]), keyword)
        for k, keyword in (("kernel", "kernel_size"), ("stride", "stride"))
    ]
    pads = constant_pads(site)
    if pads is None:
        counted = average and _counted(site)
        return Layer((call(helpers.same_pool(name, counted=counted), *items),))
    ceil = (
        [] if omitted([c := site.slot("ceil_mode")], False) else [Item(scope.text(c), "ceil_mode")]
    )
    padded = any(n for p in pads for pair in p for n in pair)
    # of three axes, PyTorch compares the window of an average with the map without its padding
    own = not (average and rank == 3 and padded and not site.every("ceil_mode", True))
    front: tuple[Expression, ...] = ()
    if own and symmetric(pads):
        slots = [side(site, pads, axis, 0) for axis in range(rank)]
        if not omitted(slots, 0):
            items.append(Item(per_axis(scope, slots), "padding"))
        items += ceil
        if average and padded and not omitted([c := site.slot("count_include_pad")], True):
            items.append(Item(scope.text(c), "count_include_pad"))
        return Layer((call(f"nn.{name}", *items),))
    if average and not _counted(site):
        inner = Item(each_side(scope, site, pads), "sides")
        return Layer((call(helpers.padded_avg_pool(name), *items, inner),))
    if average:
        front = (call(f"nn.ZeroPad{rank}d", sides(scope, site, pads)),)
    else:
        least = literal(float("-inf"))
        front = (call(f"nn.ConstantPad{rank}d", sides(scope, site, pads), least),)
    return Layer((*front, call(f"nn.{name}", *items, *ceil)))


def _counted(site: LayerSite) -> bool:
    """Whether padding counts, in all uses."""
    counted = site.slot("count_include_pad")
    if not counted.same:
        raise site.frame.split(site.node, counted.values)
    return bool(counted.values[0])


def global_pool(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    """A global pool: a module where it is one of a sequence, else a method of the tensor."""
    average = site.op.op == "global_avg_pool"
    module = call(f"nn.Adaptive{'Avg' if average else 'Max'}Pool{site.rank}d", literal(1))
    method = "mean" if average else "amax"
    keepdims = site.every("keepdims", True)  # the ranks after it are the same in all uses
    keep = ", keepdim=True" if keepdims else ""
    axes = literal(tuple(range(2, 2 + site.rank)) if site.rank > 1 else 2)
    modules: tuple[Expression, ...] = (module,) if keepdims else (module, call("nn.Flatten"))
    return Layer(modules, inline=lambda x, _: f"{x}.{method}(dim={axes}{keep})")


def adaptive_avg_pool(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    outputs = [op.outputs(site.rank) for op in site.ops(AdaptiveAvgPool)]
    slots = [
        site.each("output_size", axis, tuple(o[axis] for o in outputs)) for axis in range(site.rank)
    ]
    return Layer((call(f"nn.AdaptiveAvgPool{site.rank}d", per_axis(scope, slots)),))
