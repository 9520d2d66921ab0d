"""Depthwise convolution."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType, product
from ..types.weight import Weight
from .base import Windowed, axes
from .fields.kinds import ActivationName, AnyPadding, Count, Flag, Kernel
from .initializer import INITIALIZER, InitializerFields


class DepthwiseConv(Windowed):
    """Convolution of each channel separately, with ``depth_multiplier`` outputs for each."""

    kind: ClassVar[str] = "depthwise_conv"
    summary: ClassVar[str] = "convolution of each channel separately"
    example: ClassVar[str] = "{op: depthwise_conv, kernel_size: 3, depth_multiplier: 2}"

    op: Literal["depthwise_conv"]
    kernel_size: Kernel = Field(
        description="Kernel size: one number, or one for each axis.", examples=[3]
    )
    stride: Kernel = Field(1, description="Stride: one number, or one for each axis.")
    padding: AnyPadding = Field(
        "same", description="`same`, `valid` or explicit pixels, as in `conv`."
    )
    dilation: Kernel = Field(1, description="Distance between the elements of the kernel.")
    depth_multiplier: Count = Field(1, description="Output channels for each input channel.")
    use_bias: Flag = Field(True, description="Whether to add a bias.")
    activation: ActivationName = Field("none", description="Activation function of the output.")
    initializer: InitializerFields | None = INITIALIZER

    def infer(self, x: TensorType) -> TensorType:
        return TensorType(self.slide(x), x.channels * self.depth_multiplier)

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        kernel = axes(self.kernel_size, x.rank, "kernel_size")
        bias = (Weight("bias", (x.channels * self.depth_multiplier,)),) if self.use_bias else ()
        return (Weight("kernel", (*kernel, x.channels, self.depth_multiplier)), *bias)

    def macs(self, x: TensorType, y: TensorType) -> int:
        return product((y.positions(), *self.weights(x)[0].shape))
