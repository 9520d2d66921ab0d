"""``SeparableConv``: one class for all ``separable_conv`` ops of a file."""

from __future__ import annotations

from typing import ClassVar

from inception_dsl.backend import Code, call, docstring, layout, literal, signature

from .composites import Composite, Importer
from .helper_view import HelperView


class SeparableConvs(Composite):
    """All calls of ``SeparableConv`` in a file, and the class."""

    name: ClassVar[str] = "SeparableConv"

    def view(self, helpers: Importer) -> HelperView:
        """The class, with the settings that vary as arguments."""
        value, middle = self.values(), Code("in_channels")
        if value["depth_multiplier"] != "1":
            middle = Code(f"{value['depth_multiplier']} * in_channels")
        more = (("groups", Code("in_channels"), ""), ("bias", literal(False), ""))
        keywords = {"kernel_size": literal(1)}
        keywords |= {"bias": value["bias"]} if value["bias"] != "True" else {}
        pointwise = call(f"nn.Conv{self.rank}d", middle, Code("out_channels"), **keywords)
        return HelperView(
            "helpers/composite.py.j2",
            Code(self.name),
            doc=docstring("Convolution of each channel, then a 1x1 convolution.", indent=4),
            head=signature("__init__", self.parameters(helpers), "None", indent=4),
            lines=(
                self.convolution("depthwise", value["conv"], middle, *more),
                layout("self.pointwise = ", pointwise, indent=8),
            ),
            result=Code("self.pointwise(self.depthwise(x))"),
        )
