"""Convolution."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType, product
from ..types.weight import Weight
from .base import Windowed, axes
from .fields.kinds import ActivationName, AnyPadding, Count, Flag, Kernel
from .groups import grouped
from .initializer import INITIALIZER, InitializerFields


class ConvFields(Windowed):
    """The attributes that all convolutions with ``filters`` share."""

    channels_field: ClassVar[str] = "filters"

    filters: Count = Field(description="Number of output channels.", examples=[64])
    kernel_size: Kernel = Field(
        description="Kernel size: one number, or one for each axis.", examples=[3, [1, 7]]
    )
    stride: Kernel = Field(1, description="Stride: one number, or one for each axis.", examples=[2])
    padding: AnyPadding = Field(
        "same",
        description="`same` (TensorFlow's rule), `valid`, or pixels: one number, one for each "
        "axis, or one for each side of each axis.",
        examples=["same", "valid", 3, [[0, 1], [0, 1]]],
    )
    dilation: Kernel = Field(
        1, description="Distance between the elements of the kernel.", examples=[2]
    )


class Conv(ConvFields):
    """1-D, 2-D or 3-D convolution, depending on the spatial axes of the input."""

    kind: ClassVar[str] = "conv"
    summary: ClassVar[str] = "convolution, optionally grouped or dilated"
    example: ClassVar[str] = "{op: conv, filters: 64, kernel_size: [1, 7], activation: relu}"

    op: Literal["conv"]
    groups: Count = Field(1, description="Number of groups of channels.")
    use_bias: Flag = Field(True, description="Whether to add a bias.")
    activation: ActivationName = Field("none", description="Activation function of the output.")
    initializer: InitializerFields | None = INITIALIZER

    def infer(self, x: TensorType) -> TensorType:
        spatial = self.slide(x)
        grouped(self.groups, x.channels, self.filters)
        return TensorType(spatial, self.filters)

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        kernel = axes(self.kernel_size, x.rank, "kernel_size")
        shape = (*kernel, x.channels // self.groups, self.filters)
        bias = (Weight("bias", (self.filters,)),) if self.use_bias else ()
        return (Weight("kernel", shape), *bias)

    def macs(self, x: TensorType, y: TensorType) -> int:
        return product((y.positions(), *self.weights(x)[0].shape))
