"""Group normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.receptive import ReceptiveField, whole
from ..types.tensor import TensorType
from ..types.weight import Weight
from .base import Op
from .fields.kinds import Count, Flag, Positive
from .groups import divided


class GroupNorm(Op):
    """Normalisation over the positions and a group of channels of each sample (Wu and He 2018)."""

    kind: ClassVar[str] = "group_norm"
    summary: ClassVar[str] = "normalisation over the positions and a group of channels"
    example: ClassVar[str] = "{op: group_norm, groups: 32}"

    op: Literal["group_norm"]
    groups: Count = Field(description="Number of groups of channels.", examples=[32])
    epsilon: Positive = Field(0.00001, description="Added to the variance.")
    scale: Flag = Field(True, description="Whether to multiply by a learned factor (gamma).")
    center: Flag = Field(True, description="Whether to add a learned offset (beta).")

    def infer(self, x: TensorType) -> TensorType:
        divided(x.channels, self.groups)
        return x

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        gamma = (Weight("gamma", (x.channels,)),) if self.scale else ()
        beta = (Weight("beta", (x.channels,)),) if self.center else ()
        return (*gamma, *beta)

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        return whole(x.spatial[axis])
