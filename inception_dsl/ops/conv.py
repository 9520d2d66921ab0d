"""Convolution."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import ShapeError, TensorType, product
from ..types.weight import Weight
from .base import Windowed, axes, divides, fewer_groups
from .fields.kinds import ActivationName, AnyPadding, Count, Flag, Kernel


class ConvFields(Windowed):
    """The attributes that all convolutions with a choice of filters share."""

    filters: Count = Field(description="Number of output channels.", examples=[64])
    kernel_size: Kernel = Field(
        description="Size of the window: one number, or one for each axis.", examples=[3, [1, 7]]
    )
    stride: Kernel = Field(
        1, description="Step of the window: one number, or one for each axis.", examples=[2]
    )
    padding: AnyPadding = Field(
        "same",
        description="`same` (TensorFlow's rule), `valid`, pixels, pixels for each axis, or for "
        "each side of each axis.",
        examples=["same", "valid", 3, [[0, 1], [0, 1]]],
    )
    dilation: Kernel = Field(
        1, description="Distance between the taps of the window.", examples=[2]
    )


class Conv(ConvFields):
    """Convolution over the spatial axes, with as many of them as the input has."""

    kind: ClassVar[str] = "conv"
    summary: ClassVar[str] = "convolution, optionally grouped or dilated"
    example: ClassVar[str] = "{op: conv, filters: 64, kernel_size: [1, 7], activation: relu}"

    op: Literal["conv"]
    groups: Count = Field(1, description="Number of groups that channels are split into.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    activation: ActivationName = Field("none", description="Function applied to the result.")

    def infer(self, x: TensorType) -> TensorType:
        spatial = self.slide(x)
        if not divides(x.channels, self.groups):
            message = f"{self.groups} groups do not divide the input's {x.channels} channels"
            raise ShapeError(
                message, field="groups", write=fewer_groups(self.groups, x.channels, self.filters)
            )
        if not divides(self.filters, self.groups):
            write = fewer_groups(self.groups, x.channels, self.filters)
            raise ShapeError(
                f"{self.groups} groups do not divide {self.filters} filters",
                field="groups",
                write=write,
            )
        return TensorType(spatial, self.filters)

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        kernel = axes(self.kernel_size, x.rank, "kernel_size")
        shape = (*kernel, x.channels // self.groups, self.filters)
        bias = (Weight("bias", (self.filters,)),) if self.use_bias else ()
        return (Weight("kernel", shape), *bias)

    def macs(self, x: TensorType, y: TensorType) -> int:
        return product((y.positions(), *self.weights(x)[0].shape))
