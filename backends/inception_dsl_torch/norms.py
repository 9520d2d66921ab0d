"""Normalisations that learn only a scale, only an offset, or neither."""

from __future__ import annotations

from inception_dsl.backend import Code, Item, call, docstring, layout, name, signature

from .helper_view import HelperView

NAMES = {"LayerNorm": "layer_norm", "GroupNorm": "group_norm"}
NAMES |= {"ChannelLayerNorm": "channel_layer_norm"}
NAMES |= {f"BatchNorm{rank}d": f"batch_norm{rank}d" for rank in (1, 2, 3)}


def norm_function(base: str, scale: bool, center: bool) -> HelperView:
    """The function that creates a ``base`` which learns only a scale, only an offset, or neither.

    What it does not learn is a parameter that takes no gradient, as only a layer of PyTorch's own
    class with a weight and a bias survives whatever rewrites models: ``convert_sync_batchnorm``
    drops the bias of a batch norm with ``affine=False`` and takes no buffer for a weight; helpers
    that freeze or quantise read both.
    """
    short = base.removeprefix("nn.")
    parameters = _parameters(short)
    words = [(parameter.split(":")[0], "=" in parameter) for parameter in parameters]
    passed = [Item(Code(word), word if keyword else "") for word, keyword in words]
    fixed = "norm" if not (scale or center) else "norm.bias" if scale else "norm.weight"
    lines = [
        layout("norm = ", call(base, *passed), indent=4),
        Code(f"    {fixed}.requires_grad_(False)"),
        Code("    return norm"),
    ]
    function = NAMES[short] + ("_no_scale" if center else "_no_offset" if scale else "_no_affine")
    return HelperView(
        "helpers/norm.py.j2",
        name(function),
        doc=docstring(f"``{base}`` {_without(scale, center)}.", indent=4),
        head=signature(function, parameters, base),
        lines=tuple(lines),
    )


def _parameters(short: str) -> tuple[str, ...]:
    """The parameters of the function."""
    if short.endswith("LayerNorm"):
        return "normalized_shape: int", "eps: float = 1e-05"
    if short == "GroupNorm":
        return "num_groups: int", "num_channels: int", "eps: float = 1e-05"
    return "num_features: int", "eps: float = 1e-05", "momentum: float = 0.1"


def _without(scale: bool, center: bool) -> str:
    if not (scale or center):
        return "without scale and offset: they stay 1 and 0, as they take no gradient"
    word, value = ("offset: its bias", 0) if scale else ("scale: its weight", 1)
    return f"without {word} stays {value}, as it takes no gradient"
