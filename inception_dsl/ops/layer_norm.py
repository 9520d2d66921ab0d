"""Layer normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType
from ..types.weight import Weight
from .base import Op
from .fields.kinds import Flag, Positive


class LayerNorm(Op):
    """Normalisation over the channels at each position (Ba et al. 2016).

    The axis is -1 of a channels-last tensor.
    """

    kind: ClassVar[str] = "layer_norm"
    summary: ClassVar[str] = "normalisation over the channels at each position"
    example: ClassVar[str] = "{op: layer_norm, epsilon: 0.00001}"

    op: Literal["layer_norm"]
    epsilon: Positive = Field(0.00001, description="Added to the variance.")
    scale: Flag = Field(True, description="Whether to multiply by a learned factor (gamma).")
    center: Flag = Field(True, description="Whether to add a learned offset (beta).")

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        gamma = (Weight("gamma", (x.channels,)),) if self.scale else ()
        beta = (Weight("beta", (x.channels,)),) if self.center else ()
        return (*gamma, *beta)
