"""Global avg pooling."""

from typing import ClassVar, Literal

from .global_pool import GlobalPool


class GlobalAvgPool(GlobalPool):
    """The mean of every channel over all positions."""

    kind: ClassVar[str] = "global_avg_pool"
    summary: ClassVar[str] = "mean of every channel over all positions"
    example: ClassVar[str] = "{op: global_avg_pool}"

    op: Literal["global_avg_pool"]
