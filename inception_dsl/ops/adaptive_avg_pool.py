"""Adaptive average pooling."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType
from .base import Op, axes, require_map
from .fields.kinds import Kernel


class AdaptiveAvgPool(Op):
    """The mean of windows that are laid out for a given number of outputs, as PyTorch and Keras
    define them.

    On an axis of n pixels with k outputs, window i starts at pixel floor(i n / k) and ends before
    ceil((i + 1) n / k): the windows overlap, and differ in size, unless k divides n.
    """

    kind: ClassVar[str] = "adaptive_avg_pool"
    summary: ClassVar[str] = "mean of as many windows as there are to be outputs"
    example: ClassVar[str] = "{op: adaptive_avg_pool, output_size: 4}"

    op: Literal["adaptive_avg_pool"]
    output_size: Kernel = Field(
        description="Number of outputs: one number, or one for each axis.", examples=[4]
    )

    def outputs(self, rank: int) -> tuple[int, ...]:
        """The number of outputs on each spatial axis."""
        return axes(self.output_size, rank, "output_size")

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        return TensorType(self.outputs(x.rank), x.channels)

    def needed(self, axis: int, rank: int, outputs: int) -> int:
        return 1
