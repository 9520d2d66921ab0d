"""The small classes that a generated file needs beside its blocks, and only those."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from inception_dsl.backend import (
    Code,
    Expression,
    Group,
    Item,
    Later,
    Read,
    call,
    docstring,
    layout,
    name,
    signature,
    varying,
)

from .activations import SUFFIXES, applied
from .windows import Slide

NOTHING = Code("")
ORDER: Final = (
    "same_padding",
    "same_conv",
    "conv",
    "same_pool",
    "padded_avg_pool",
    "channel_layer_norm",
    "norm",
    "linear",
    "flatten",
    "scale",
    "conv_bn",
)
"""The templates of helpers, in the order in which they depend on each other."""
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "same_padding": ("F",),
    "padded_avg_pool": ("F", "torch"),
    "same_pool.same_avg_pool": ("torch",),
    "norm": (),
}
"""What templates import beside ``nn`` and ``Tensor``; all but ``norm`` read a tensor."""


class HelperView(NamedTuple):
    """A helper to print: the template that holds its silhouette, and what varies in it."""

    template: str
    name: Code = NOTHING
    base: Code = NOTHING
    doc: Code = NOTHING
    lines: tuple[Code, ...] = ()
    head: Code = NOTHING
    result: Code = NOTHING


class ConvBnCall(NamedTuple):
    """One call of ``ConvBN``: its channels, its window, its other settings (with the activation by name, if it has one)."""

    channels: Code
    filters: Code
    slide: Slide
    options: Mapping[str, Code]
    function: str


class Helpers:
    """Names the helpers as the lowering asks for them, and prints those that were asked for."""

    def __init__(self) -> None:
        self.found: dict[str, HelperView] = {}
        self.needed: set[str] = {"nn"}
        self.calls: list[ConvBnCall] = []
        self.varied: dict[str, Code | None] | None = None
        self.dilated = False
        self.rank = 0

    def state(self) -> Any:
        """What :meth:`restore` takes back."""
        return len(self.found), set(self.needed), len(self.calls), self.dilated

    def restore(self, state: Any) -> None:
        """Forget what was asked for since."""
        found, needed, calls, self.dilated = state
        self.needed = set(needed)
        del self.calls[calls:]
        while len(self.found) > found:
            self.found.popitem()

    def needs(self, *names: str) -> None:
        """Import ``names``: ``torch``, ``F``, ``Tensor``, ``Callable``, ``NamedTuple``."""
        self.needed.update(names)

    def views(self) -> tuple[HelperView, ...]:
        """The helpers in the order in which they depend on each other."""
        found = [view for key, view in self.found.items() if key != "same_padding"]
        if "same_padding" in self.found:
            found.append(self._same_padding_view())
        if self.calls:
            found.append(self._conv_bn_view())
        return tuple(sorted(found, key=lambda h: ORDER.index(_template(h).split(".")[0])))

    def _add(self, template: str, helper: str, **fields: Any) -> str:
        self.found.setdefault(
            helper, HelperView(f"helpers/{template}.py.j2", name(helper), **fields)
        )
        self.needs(*NEEDS.get(template, ()), *(("Tensor",) if template != "norm" else ()))
        return helper

    def _same_padding(self, *, dilation: bool) -> None:
        self.dilated |= dilation
        self._add("same_padding", "same_padding")

    def _same_padding_view(self) -> HelperView:
        view = self.found["same_padding"]
        parameters = ["x: Tensor", "kernel_size: int | tuple[int, ...]"]
        parameters.append("stride: int | tuple[int, ...]")
        window, letters, spanned = "kernel_size, stride", "k, s", "k"
        if self.dilated:
            parameters.append("dilation: int | tuple[int, ...] = 1")
            window, letters, spanned = "kernel_size, stride, dilation", "k, s, d", "(k - 1) * d + 1"
        head = signature("same_padding", parameters, "list[int]")
        return view._replace(head=head, lines=(Code(window), Code(letters)), result=Code(spanned))

    def conv(self, rank: int, dynamic: bool, activation: str) -> str:
        """The class of a convolution, with ``same`` padding and an activation of its own where asked for."""
        base = f"nn.Conv{rank}d"
        if dynamic:
            self._same_padding(dilation=True)
            base = self._add("same_conv", f"SameConv{rank}d", base=Code(base))
        return self._activated(base, "conv", "convolution", activation)

    def linear(self, activation: str) -> str:
        """The class of a dense layer."""
        return self._activated("nn.Linear", "linear", "dense layer", activation)

    def _activated(self, base: str, template: str, what: str, activation: str) -> str:
        if activation == "none":
            return base
        helper = base.removeprefix("nn.") + SUFFIXES[activation]
        doc = docstring(f"A {what} and {SUFFIXES[activation]}.", indent=4)
        result = self.applied(activation, "super().forward(x)")
        return self._add(template, helper, base=Code(base), doc=doc, result=result)

    def applied(self, activation: str, x: str) -> Code:
        """An activation of an expression, with what it imports."""
        text = applied(activation, x)
        if text != x:
            self.needs(text.partition(".")[0])
        return Code(text)

    def same_pool(self, kind: str, *, counted: bool) -> str:
        """A pool with ``same`` padding that depends on the size; ``counted``: an average whose padding counts."""
        self._same_padding(dilation=False)
        average = "same_counted_pool" if counted else "same_avg_pool"
        template = "same_max_pool" if kind.startswith("Max") else average
        helper = f"Same{'Counted' if counted else ''}{kind}"
        return self._add(f"same_pool.{template}", helper, base=Code(f"nn.{kind}"))

    def padded_avg_pool(self, kind: str) -> str:
        """An average pool whose padding differs by side and does not count."""
        return self._add("padded_avg_pool", f"Padded{kind}", base=Code(f"nn.{kind}"))

    def channel_layer_norm(self) -> str:
        return self._add("channel_layer_norm", "ChannelLayerNorm", base=Code("nn.LayerNorm"))

    def flatten(self) -> str:
        return self._add("flatten", "FlattenChannelsLast")

    def scale(self) -> str:
        return self._add("scale", "Scale")

    def norm(self, base: str, scale: Code, center: Code) -> Code:
        """The class of a normalisation with the learned parameters that it has; a flag may be a name."""
        return _either(scale, lambda s: _either(center, lambda c: Code(self._norm(base, s, c))))

    def _norm(self, base: str, scale: bool, center: bool) -> str:
        if scale and center:
            return base
        short = base.removeprefix("nn.")
        helper = short + ("NoScale" if center else "NoOffset" if scale else "NoAffine")
        parameters = ["self", *_norm_arguments(short)]
        kinds = {"LayerNorm": "normalized_shape", "GroupNorm": "num_channels"}
        features = kinds.get(short.removeprefix("Channel"), "num_features")
        switch = "elementwise_affine=False" if "LayerNorm" in base else "affine=False"
        passed = ", ".join(_passed(p) for p in parameters[1:])
        lines = [Code(f"        super().__init__({passed}, {switch})")]
        if center:
            lines.append(Code(f"        self.bias = nn.Parameter(torch.zeros({features}))"))
        if scale:
            lines.append(Code(f"        self.weight = nn.Parameter(torch.ones({features}))"))
        if scale or center:
            self.needs("torch")
        if center and base == "nn.GroupNorm":
            # PyTorch 2.13 has no gradient of group norm with an offset alone
            lines.append(Code("\n    def forward(self, x: Tensor) -> Tensor:"))
            lines.append(Code("        x = F.group_norm(x, self.num_groups, eps=self.eps)"))
            lines.append(Code("        return x + self.bias.view(-1, *[1] * (x.dim() - 2))"))
            self.needs("F", "Tensor")
        doc = docstring(f"``{base}`` with {_learned(scale, center)}.", indent=4)
        head = signature("__init__", parameters, "None", indent=4)
        fields = {"base": Code(base), "doc": doc, "head": head, "lines": tuple(lines)}
        return self._add("norm", helper, **fields)

    def conv_bn(
        self,
        rank: int,
        channels: Code,
        filters: Code,
        slide: Slide,
        options: Mapping[str, Code],
        function: str,
    ) -> Expression:
        """A call of ``ConvBN``: the settings that differ from what most others have, as soon as all are known."""
        made = ConvBnCall(channels, filters, slide, options, function)
        self.calls.append(made)
        self.rank = rank
        self.needs("Tensor")
        return Later(lambda: self._conv_bn_call(made))

    def _conv_bn_call(self, made: ConvBnCall) -> Group:
        varied = self._varied()
        keywords: dict[str, Expression] = dict(made.slide.keywords)
        keywords |= {
            k: made.options[k] for k, common in varied.items() if made.options[k] != common
        }
        return call("ConvBN", made.channels, made.filters, **keywords)

    def _varied(self) -> dict[str, Code | None]:
        """The options that vary, of all calls that there are when this is first asked for."""
        if self.varied is None:
            self.varied = varying([c.options for c in self.calls])
        return self.varied

    def _conv_bn_view(self) -> HelperView:
        varied = self._varied()
        first = self.calls[0].options
        value = {key: Code(key) if key in varied else first[key] for key in first}
        window = self._window()
        conv = [Item(Code(k)) for k in ("in_channels", "out_channels")]
        conv += [Item(Code(k), "" if k in ("kernel_size", "stride") else k) for k in window]
        conv += [Item(value["groups"], "groups")] if value["groups"] != "1" else []
        conv += [Item(value["bias"], "bias")] if value["bias"] != "True" else []
        norm = [Item(Code("out_channels")), *(Item(value[k], k) for k in ("eps", "momentum"))]
        lines = [
            layout("self.conv = ", Group(f"{value['conv']}(", tuple(conv)), indent=8),
            layout("self.bn = ", Group(f"{value['norm']}(", tuple(norm)), indent=8),
        ]
        inner, function = "self.bn(self.conv(x))", self.calls[0].function
        if "activation" in varied:
            lines.append(Code("        self.activation = activation()"))
            what, result = ", an activation", Code(f"self.activation({inner})")
        else:
            what = f", {SUFFIXES[function]}" if SUFFIXES[function] else ""
            result = self.applied(function, inner)
        doc = docstring(f"Convolution, batch norm{what}.", indent=4)
        head = signature("__init__", self._parameters(window, varied), "None", indent=4)
        return HelperView(
            "helpers/conv_bn.py.j2",
            Code("ConvBN"),
            doc=doc,
            head=head,
            lines=tuple(lines),
            result=result,
        )

    def _window(self) -> dict[str, str]:
        """The arguments of the window that some call gives, each with its type."""
        found = {}
        for key in ("kernel_size", "stride", "padding", "dilation"):
            given = [c.slide for c in self.calls if key in c.slide.keywords]
            kinds = ["int"]
            if any(key in slide.pairs for slide in given):
                kinds.append(f"tuple[{', '.join(['int'] * self.rank)}]")
            if any(slide.keywords[key] == '"same"' for slide in given):
                kinds.append("str")
            if given:
                found[key] = " | ".join(kinds)
        return found

    def _parameters(
        self, window: Mapping[str, str], varied: Mapping[str, Code | None]
    ) -> Sequence[str]:
        types = {"bias": "bool", "eps": "float", "momentum": "float", "groups": "int"}
        types |= {"activation": "Callable[[], nn.Module]", "norm": "type[nn.Module]"}
        types["conv"] = f"type[nn.Conv{self.rank}d]"
        defaults = {"kernel_size": "", "stride": " = 1", "padding": " = 0", "dilation": " = 1"}
        if "activation" in varied:
            self.needs("Callable")
        needed = [f"{key}: {types[key]}" for key, value in varied.items() if value is None]
        given = [f"{k}: {kind}{defaults[k]}" for k, kind in window.items()]
        given += [f"{k}: {types[k]} = {v}" for k, v in varied.items() if v is not None]
        required = given[:1]  # the kernel size has no default
        return ["self", "in_channels: int", "out_channels: int", *required, *needed, *given[1:]]


def _template(view: HelperView) -> str:
    return view.template.split("/")[1]


def _either(flag: Code, text: Callable[[bool], Code]) -> Code:
    """What ``text`` gives for a flag: for both values, where the flag is a name."""
    if not isinstance(flag, Read):
        return text(flag == "True")
    yes, no = (f"({t})" if isinstance(t, Read) else t for t in (text(True), text(False)))
    return Read(f"{yes} if {flag} else {no}")


def _norm_arguments(short: str) -> tuple[str, ...]:
    """The arguments of a class of normalisation."""
    if short.endswith("LayerNorm"):
        return "normalized_shape: int", "eps: float = 1e-05"
    if short == "GroupNorm":
        return "num_groups: int", "num_channels: int", "eps: float = 1e-05"
    return "num_features: int", "eps: float = 1e-05", "momentum: float = 0.1"


def _learned(scale: bool, center: bool) -> str:
    if center:
        return "an offset but no scale"
    return "a scale but no offset" if scale else "neither scale nor offset"


def _passed(parameter: str) -> str:
    word = parameter.split(":")[0]
    return f"{word}={word}" if "=" in parameter else word
