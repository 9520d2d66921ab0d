"""Average pooling."""

from typing import ClassVar, Literal

from pydantic import Field

from .fields.kinds import Flag
from .pool import Pool


class AvgPool(Pool):
    """The mean of each window.

    Padding counts in the mean only with ``count_include_pad``; pixels added by ``ceil_mode`` never
    count.
    """

    kind: ClassVar[str] = "avg_pool"
    summary: ClassVar[str] = "average pooling"
    example: ClassVar[str] = "{op: avg_pool, kernel_size: 3, count_include_pad: true}"

    op: Literal["avg_pool"]
    count_include_pad: Flag = Field(
        False,
        description="Whether padded zeros count in the mean. PyTorch counts them by default; "
        "Keras never does.",
    )

    def sized(self, rank: int) -> bool:
        """As for other pools, or with padding that depends on the size."""
        pads = [window.constant_pads for window in self.windows(rank)]
        return super().sized(rank) or any(pad is None or pad[0] != pad[1] for pad in pads)
