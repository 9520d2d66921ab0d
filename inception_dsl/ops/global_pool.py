"""Fields and shape rule of the global pooling ops, which are in their own files."""

from pydantic import Field

from ..types.receptive import ReceptiveField, whole
from ..types.tensor import TensorType
from ..types.window import Pixels
from .base import Op, require_map
from .fields.kinds import Flag, Over


class GlobalPool(Op):
    """All positions of a channel, or all channels of a position, reduced to one number."""

    over: Over = Field(
        "positions",
        description="What is reduced to one number: all `positions` of each channel, or all "
        "`channels` at each position, which gives a map of 1 channel.",
        examples=["channels"],
    )
    keepdims: Flag = Field(
        False,
        description="Whether to output a 1x1 feature map instead of a vector. With `over: "
        "channels` the output is a map with either value.",
    )

    @property
    def across(self) -> bool:
        """Whether it reduces the channels."""
        return self.over == "channels"

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        if self.across:
            return TensorType(x.spatial, 1)
        return TensorType((1,) * x.rank if self.keepdims else (), x.channels)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        return 1, Pixels() if self.across else Pixels(1, 0)

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        return ReceptiveField() if self.across else whole(x.spatial[axis])
