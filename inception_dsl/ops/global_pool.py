"""Fields and shape rule of the global pooling ops, which are in their own files."""

from pydantic import Field

from ..types.tensor import TensorType
from ..types.window import Pixels
from .base import Op, require_map
from .fields.kinds import Flag


class GlobalPool(Op):
    """All positions of a channel reduced to one number."""

    keepdims: Flag = Field(
        False, description="Whether to output a 1x1 feature map instead of a vector."
    )

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        return TensorType((1,) * x.rank if self.keepdims else (), x.channels)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        return 1, Pixels(1, 0)
