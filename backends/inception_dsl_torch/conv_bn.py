"""``ConvBN``: one class for all ``conv_bn`` ops of a file; settings that vary are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from inception_dsl.backend import (
    Code,
    Expression,
    Group,
    Item,
    Later,
    call,
    docstring,
    layout,
    signature,
    varying,
)

from .activations import module, needs_partial, word
from .helper_view import HelperView
from .windows import Slide


class Importer(Protocol):
    """Records what a file imports."""

    def needs(self, *names: str) -> None:
        """Import ``names``."""


class ConvBnCall(NamedTuple):
    """One call of ``ConvBN``: channels, window, other settings.

    ``function`` is the name of the activation, empty if that is an argument.
    """

    channels: Code
    filters: Code
    slide: Slide
    options: Mapping[str, Code]
    function: str


class ConvBns:
    """All calls of ``ConvBN`` in a file, and the class."""

    def __init__(self) -> None:
        self.calls: list[ConvBnCall] = []
        self.varied: dict[str, Code | None] | None = None
        self.rank = 0

    def add(self, rank: int, made: ConvBnCall) -> Expression:
        """Add a call; it is printed later, when all calls are known."""
        self.calls.append(made)
        self.rank = rank
        return Later(lambda: self._call(made))

    def _call(self, made: ConvBnCall) -> Group:
        varied = self._varied()
        keywords: dict[str, Expression] = dict(made.slide.keywords)
        keywords |= {
            k: made.options[k] for k, common in varied.items() if made.options[k] != common
        }
        return call("ConvBN", made.channels, made.filters, **keywords)

    def _varied(self) -> dict[str, Code | None]:
        """The options that vary, computed at first use, when all calls are known."""
        if self.varied is None:
            self.varied = varying([c.options for c in self.calls])
        return self.varied

    def view(self, helpers: Importer) -> HelperView:
        """The class, with the settings that vary as arguments."""
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
        result, function, what = "self.bn(self.conv(x))", self.calls[0].function, ""
        if "activation" in varied:
            function, what = "activation", ", an activation"
            lines.append(Code("        self.activation = activation()"))
            if needs_partial(c.options["activation"] for c in self.calls):
                helpers.needs("partial")
        elif function != "none":
            what = f", {word(function)}"
            lines.append(layout(f"self.{function} = ", module(function, fresh=True), indent=8))
        if function != "none":
            result = f"self.{function}({result})"
        doc = docstring(f"Convolution, batch norm{what}.", indent=4)
        head = signature("__init__", self._parameters(window, varied, helpers), "None", indent=4)
        return HelperView(
            "helpers/conv_bn.py.j2",
            Code("ConvBN"),
            doc=doc,
            head=head,
            lines=tuple(lines),
            result=Code(result),
        )

    def _window(self) -> dict[str, str]:
        """The window arguments that some call passes, each with its type."""
        found = {}
        for key in ("kernel_size", "stride", "padding", "dilation"):
            given = [c.slide for c in self.calls if key in c.slide.keywords]
            kinds = ["int"]
            if any(key in slide.pairs for slide in given):
                kinds.append(f"tuple[{', '.join(['int'] * self.rank)}]")
            if key == "padding" and any(slide.word for slide in given):
                kinds.append("str")
            if given:
                found[key] = " | ".join(kinds)
        return found

    def _parameters(
        self,
        window: Mapping[str, str],
        varied: Mapping[str, Code | None],
        helpers: Importer,
    ) -> Sequence[str]:
        types = {"bias": "bool", "eps": "float", "momentum": "float", "groups": "int"}
        types |= {"activation": "Callable[[], nn.Module]", "norm": "Callable[..., nn.Module]"}
        types["conv"] = f"type[nn.Conv{self.rank}d]"
        defaults = {"kernel_size": "", "stride": " = 1", "padding": " = 0", "dilation": " = 1"}
        if "activation" in varied or "norm" in varied:
            helpers.needs("Callable")
        needed = [f"{key}: {types[key]}" for key, value in varied.items() if value is None]
        given = [f"{k}: {kind}{defaults[k]}" for k, kind in window.items()]
        given += [f"{k}: {types[k]} = {v}" for k, v in varied.items() if v is not None]
        required = given[:1]  # the kernel size has no default
        return ["self", "in_channels: int", "out_channels: int", *required, *needed, *given[1:]]
