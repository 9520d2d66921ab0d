"""Depthwise separable convolution."""

from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field

from .base import Composite, Op
from .conv import Conv, ConvFields
from .depthwise_conv import DepthwiseConv
from .fields.kinds import ActivationName, Count, Flag
from .initializer import INITIALIZER, InitializerFields


class SeparableConv(ConvFields, Composite):
    """A depthwise convolution without bias, then a 1x1 convolution over the channels."""

    kind: ClassVar[str] = "separable_conv"
    summary: ClassVar[str] = "depthwise convolution, then a 1x1 convolution"
    example: ClassVar[str] = (
        "{op: separable_conv, filters: 64, kernel_size: 7, stride: 2, depth_multiplier: 8}"
    )

    op: Literal["separable_conv"]
    depth_multiplier: Count = Field(
        1, description="Depthwise output channels for each input channel."
    )
    use_bias: Flag = Field(True, description="Whether the 1x1 convolution adds a bias.")
    activation: ActivationName = Field("none", description="Activation function of the output.")
    initializer: InitializerFields | None = INITIALIZER

    @cached_property
    def parts(self) -> tuple[tuple[str, Op], ...]:
        depthwise = DepthwiseConv.model_construct(
            op="depthwise_conv",
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            depth_multiplier=self.depth_multiplier,
            use_bias=False,
        )
        pointwise = Conv.model_construct(
            op="conv",
            filters=self.filters,
            kernel_size=1,
            use_bias=self.use_bias,
            activation=self.activation,
        )
        return ("depthwise", depthwise), ("pointwise", pointwise)
