"""Ops that scale or drop values: constants, learned scales, dropout, L2 normalisation."""

from __future__ import annotations

from inception_dsl.backend import LayerSite, Scope, call, literal

from .helpers import Helpers
from .layers import Layer, Speller, Stored


def l2_normalize(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    return Layer((call(helpers.l2_normalize(), scope.text(site.slot("epsilon"))),))


def dropout(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    (per,) = site.alike("per")
    kind = helpers.drop_path() if per == "sample" else "nn.Dropout"
    if per == "channel" and site.rank:  # in a vector a channel is one element
        kind = f"nn.Dropout{site.rank}d"
    return Layer((call(kind, scope.text(site.slot("rate"))),))


def scale(site: LayerSite, scope: Scope, helpers: Helpers) -> Layer:
    slot = site.slot("value")
    if site.alike("learned") == (True,):
        each = site.alike("per") == ("channel",)
        channels = scope.text(site.channels) if each else literal(1)
        module = call(helpers.layer_scale(), channels, scope.text(slot))
        return Layer((module,), (Stored("gamma", 0, "gamma", "vector"),))
    module = call(helpers.scale(), scope.text(slot, tight=True))

    def inline(x: str, text: Speller) -> str:
        return f"{text(slot)} * {x}"

    return Layer((module,), inline=inline)
