"""Average pooling."""

from typing import ClassVar, Literal

from pydantic import Field

from .fields.kinds import Flag
from .pool import Pool


class AvgPool(Pool):
    """The mean of the window. Padding counts only if ``count_include_pad``; what ``ceil_mode`` adds
    never does.
    """

    kind: ClassVar[str] = "avg_pool"
    summary: ClassVar[str] = "mean of a window"
    example: ClassVar[str] = "{op: avg_pool, kernel_size: 3, count_include_pad: true}"

    op: Literal["avg_pool"]
    count_include_pad: Flag = Field(
        False,
        description="Whether padded zeros count in the mean (PyTorch's default; Keras never "
        "counts them).",
    )
