"""Activation functions: an argument of a layer, a layer, or a call of a helper function."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from inception_dsl.backend import SLOPES, Code, Form, LayerSite, Slot, literal

from .calls import Call, Keyword, Writer, below, helper, layer

NATIVE: Final = frozenset(
    {"none", "relu", "relu6", "elu", "silu", "hard_swish", "sigmoid", "tanh", "softmax"}
)
"""Activations that Keras has under these names and computes exactly on all engines.

``leaky_relu`` and ``gelu`` have constants, which TensorFlow rounds to float32.
"""

LINEAR: Final = literal("linear")


def _word(function: str) -> Code:
    return LINEAR if function == "none" else literal(function)


WORD: Final = Form("activation", "str", _word)
"""An activation by its Keras name; ``none`` is ``linear``."""


def outcome(w: Writer, site: LayerSite) -> tuple[Keyword, ...]:
    """The arguments ``activation`` and ``use_bias`` of a layer with weights.

    An activation that the layer does not support is ``linear`` here; see :func:`activated`.
    """
    slot = site.slot("activation")
    function = w.scope.text(slot, WORD) if NATIVE.issuperset(slot.values) else LINEAR
    bias = w.option("use_bias", site, "use_bias", "True")
    return Keyword("activation", function, LINEAR), bias


def activated(w: Writer, site: LayerSite, part: str) -> tuple[Call, ...]:
    """The activation as a separate layer, if the layer before it does not support it."""
    slot = site.slot("activation")
    return () if NATIVE.issuperset(slot.values) else (activation_layer(w, slot, part),)


def activation_layer(w: Writer, slot: Slot, part: str) -> Call:
    """The layer of an activation, named after it, or ``activation`` if uses may differ."""
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
    """The layer of an activation with the language's default slope."""
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
    """A call of the helper function ``activate`` for the activations of a slot."""
    names = tuple(dict.fromkeys(slot.values))
    return activate(activation_argument(w, slot), names, part, alpha, approximate)


def activate(
    function: Keyword,
    names: tuple[str, ...],
    part: str,
    alpha: Code | None = None,
    approximate: Code | None = None,
) -> Call:
    """A call of the helper function ``activate``, which applies an activation by name.

    ``names`` are the activations that it may have to apply.
    """
    arguments = (
        function,
        Keyword("alpha", alpha or literal(None), kind="float | None"),
        Keyword("approximate", approximate or literal(False), kind="bool"),
    )
    return replace(helper("activate", *arguments, part=part), activations=names)


def activation(w: Writer, site: LayerSite) -> tuple[Call, ...]:
    """The op ``activation``, which may have its own slope or approximation."""
    function, alpha, approximate = map(site.slot, ("function", "alpha", "approximate"))
    if not site.slot("parts").all(None):  # the function is softmax
        return (helper("part_softmax", w.option("parts", site, "parts", positional=True)),)
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
