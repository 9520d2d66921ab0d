"""Activation functions: an argument of a layer, a layer, or a call of a helper function."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from inception_dsl.backend import SLOPES, Code, Form, LayerSite, Slot, literal

from .calls import Call, Keyword, Writer, below, helper, layer

NATIVE: Final = frozenset(
    {"none", "relu", "relu6", "elu", "silu", "hard_swish", "sigmoid", "tanh", "softmax"}
)
"""Functions that Keras knows by name and computes exactly on all engines: ``leaky_relu`` and
``gelu`` have constants, which TensorFlow rounds to float32.
"""

LINEAR: Final = literal("linear")


def _word(function: str) -> Code:
    return LINEAR if function == "none" else literal(function)


WORD: Final = Form("activation", "str", _word)
"""A function as Keras calls it; it calls no function ``linear``."""


def outcome(w: Writer, site: LayerSite) -> tuple[Keyword, ...]:
    """What a layer with weights does at its end: a function, where it knows it, and a bias."""
    slot = site.slot("activation")
    function = w.scope.text(slot, WORD) if NATIVE.issuperset(slot.values) else LINEAR
    bias = w.option("use_bias", site, "use_bias", "True")
    return Keyword("activation", function, LINEAR), bias


def activated(w: Writer, site: LayerSite, part: str) -> tuple[Call, ...]:
    """A function behind a layer that does not know it, as a layer of its own."""
    slot = site.slot("activation")
    return () if NATIVE.issuperset(slot.values) else (behind(w, slot, part),)


def behind(w: Writer, slot: Slot, part: str) -> Call:
    """The layer of a function, called by its name; ``activation`` where uses may differ."""
    if not slot.varies:
        function = str(slot.values[0])
        return one(function, below(part, function))
    part = below(part, "activation")
    if NATIVE.issuperset(slot.values):
        return layer("Activation", activation_argument(w, slot), part=part)
    return any_of(w, slot, part)


def activation_argument(w: Writer, slot: Slot) -> Keyword:
    return Keyword("activation", w.scope.text(slot, WORD), positional=True, kind="str")


def one(function: str, part: str) -> Call:
    """The layer of a function with the values that the language gives it."""
    if function == "none":
        return layer("Identity", part=part)
    if function == "leaky_relu":
        return helper(function, slope(literal(SLOPES[function])), part=part)
    if function == "gelu":
        return helper(function, part=part)
    return layer("Activation", Keyword("activation", literal(function), positional=True), part=part)


def slope(value: Code) -> Keyword:
    """The argument of ``leaky_relu``."""
    return Keyword("negative_slope", value, positional=True)


def any_of(
    w: Writer, slot: Slot, part: str, alpha: Code | None = None, approximate: Code | None = None
) -> Call:
    """The helper function that applies one of several functions, by name."""
    names = tuple(dict.fromkeys(slot.values))
    return activate(activation_argument(w, slot), names, part, alpha, approximate)


def activate(
    function: Keyword,
    names: tuple[str, ...],
    part: str,
    alpha: Code | None = None,
    approximate: Code | None = None,
) -> Call:
    """The call of that helper function; ``names`` are the functions that it may have to apply."""
    arguments = (
        function,
        Keyword("alpha", alpha or literal(None), kind="float | None"),
        Keyword("approximate", approximate or literal(False), kind="bool"),
    )
    return replace(helper("activate", *arguments, part=part), activations=names)


def activation(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """The op of a function, which may have a slope or an approximation of its own."""
    function, alpha, approximate = map(site.slot, ("function", "alpha", "approximate"))
    given, rough = not alpha.all(None), approximate.symbolic or not approximate.all(False)
    if function.varies:
        if given or rough or not NATIVE.issuperset(function.values):
            factor = w.scope.text(alpha) if given else None
            form = w.scope.text(approximate) if rough else None
            return (any_of(w, function, "", factor, form),)
        return (layer("Activation", activation_argument(w, function)),)
    name = function.values[0]
    if name == "leaky_relu" and given:
        return (helper(name, slope(w.text(site, "alpha"))),)
    if name == "elu" and given and (alpha.symbolic or not alpha.all(SLOPES["elu"])):
        return (layer("ELU", w.option("alpha", site, "alpha")),)
    if name == "gelu" and rough:
        if not approximate.varies:
            return (helper("gelu_tanh"),)
        return (any_of(w, function, "", approximate=w.scope.text(approximate)),)
    return (one(name, ""),)
