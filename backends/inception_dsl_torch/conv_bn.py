"""``ConvBN``: one class for all ``conv_bn`` ops of a file."""

from __future__ import annotations

from typing import ClassVar

from inception_dsl.backend import Code, Group, Item, docstring, layout, signature

from .activations import made, module, needs_partial, word
from .composites import Composite, Importer
from .helper_view import HelperView


class ConvBns(Composite):
    """All calls of ``ConvBN`` in a file, and the class."""

    name: ClassVar[str] = "ConvBN"

    def view(self, helpers: Importer) -> HelperView:
        """The class, with the settings that vary as arguments."""
        varied, value = self.varied(), self.values()
        more = (("groups", value["groups"], "1"), ("bias", value["bias"], "True"))
        norm = [Item(Code("out_channels")), *(Item(value[k], k) for k in ("eps", "momentum"))]
        lines = [
            self.convolution("conv", value["conv"], Code("out_channels"), *more),
            layout("self.bn = ", Group(f"{value['norm']}(", tuple(norm)), indent=8),
        ]
        result, function, what = "self.bn(self.conv(x))", self.calls[0].function, ""
        if "activation" in varied:
            function, what = "activation", ", an activation"
            usual = varied["activation"]
            fresh = Code("activation()")
            if usual is not None and needs_partial([usual]):
                fresh = Code(f"{fresh} if activation else {made(usual)}")
            lines.append(layout("self.activation = ", fresh, indent=8))
            passed = [c.options["activation"] for c in self.calls]
            if needs_partial(one for one in passed if one != usual):
                helpers.needs("partial")
        elif function != "none":
            what = f", {word(function)}"
            lines.append(layout(f"self.{function} = ", module(function, fresh=True), indent=8))
        if function != "none":
            result = f"self.{function}({result})"
        return HelperView(
            "helpers/composite.py.j2",
            Code(self.name),
            doc=docstring(f"Convolution, batch norm{what}.", indent=4),
            head=signature("__init__", self.parameters(helpers), "None", indent=4),
            lines=tuple(lines),
            result=Code(result),
        )
