"""Adaptive average pooling."""

from math import gcd
from typing import ClassVar, Literal

from pydantic import Field

from ..types.receptive import ReceptiveField
from ..types.tensor import TensorType
from ..types.window import Pixels
from .base import Op, axes, require_map
from .fields.kinds import Kernel


class AdaptiveAvgPool(Op):
    """Average pooling to a given output size, as PyTorch and Keras define it.

    On an axis of n pixels with k outputs, window i starts at pixel floor(i n / k) and ends before
    pixel ceil((i + 1) n / k). Unless n is divisible by k, windows overlap and differ in size.
    """

    kind: ClassVar[str] = "adaptive_avg_pool"
    summary: ClassVar[str] = "average pooling to a given output size"
    example: ClassVar[str] = "{op: adaptive_avg_pool, output_size: 4}"

    op: Literal["adaptive_avg_pool"]
    output_size: Kernel = Field(
        description="Output size: one number, or one for each axis.", examples=[4]
    )

    def outputs(self, rank: int) -> tuple[int, ...]:
        """The output size of each spatial axis."""
        return axes(self.output_size, rank, "output_size")

    def sized(self, rank: int) -> bool:
        return True

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        return TensorType(self.outputs(x.rank), x.channels)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        return 1, Pixels(self.outputs(rank)[axis], 0)

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        size, outputs = x.spatial[axis], self.outputs(x.rank)[axis]
        count = outputs // gcd(size, outputs)
        return ReceptiveField(
            tuple(size * i // outputs for i in range(count)),
            tuple(-(size * (i + 1) // -outputs) - 1 for i in range(count)),
            size * count // outputs,
        )
