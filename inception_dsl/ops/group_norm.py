"""Group normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import ShapeError, TensorType
from ..types.weight import Weight
from .base import Op, divides, fewer_groups
from .fields.kinds import Count, Flag, Positive


class GroupNorm(Op):
    """Normalisation over the positions and a group of channels, sample by sample (Wu and He
    2018).
    """

    kind: ClassVar[str] = "group_norm"
    summary: ClassVar[str] = "normalisation over the positions and a group of channels"
    example: ClassVar[str] = "{op: group_norm, groups: 32}"

    op: Literal["group_norm"]
    groups: Count = Field(
        description="Number of groups that channels are split into.", examples=[32]
    )
    epsilon: Positive = Field(0.00001, description="Added to the variance.")
    scale: Flag = Field(True, description="Whether a learned factor (gamma) is applied.")
    center: Flag = Field(True, description="Whether a learned offset (beta) is added.")

    def infer(self, x: TensorType) -> TensorType:
        if not divides(x.channels, self.groups):
            write = fewer_groups(self.groups, x.channels)
            raise ShapeError(
                f"{self.groups} groups do not divide {x.channels} channels",
                field="groups",
                write=write,
            )
        return x

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        gamma = (Weight("gamma", (x.channels,)),) if self.scale else ()
        beta = (Weight("beta", (x.channels,)),) if self.center else ()
        return (*gamma, *beta)
