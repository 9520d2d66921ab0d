"""Fully connected layer."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType, product
from ..types.weight import Weight
from .base import Op
from .fields.kinds import ActivationName, Count, Flag
from .initializer import INITIALIZER, InitializerFields


class Dense(Op):
    """A fully connected layer over the channels.

    On a feature map it is applied at every position, as a 1x1 convolution.
    """

    kind: ClassVar[str] = "dense"
    summary: ClassVar[str] = "fully connected layer"
    example: ClassVar[str] = "{op: dense, units: 1000}"
    channels_field: ClassVar[str] = "units"

    op: Literal["dense"]
    units: Count = Field(description="Number of output channels.", examples=[1000, "$classes"])
    use_bias: Flag = Field(True, description="Whether to add a bias.")
    activation: ActivationName = Field("none", description="Activation function of the output.")
    initializer: InitializerFields | None = INITIALIZER

    def infer(self, x: TensorType) -> TensorType:
        return TensorType(x.spatial, self.units)

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        bias = (Weight("bias", (self.units,)),) if self.use_bias else ()
        return (Weight("kernel", (x.channels, self.units)), *bias)

    def macs(self, x: TensorType, y: TensorType) -> int:
        return product((x.positions(), x.channels, self.units))
