"""Global average pooling."""

from typing import ClassVar, Literal

from .global_pool import GlobalPool


class GlobalAvgPool(GlobalPool):
    """The mean of each channel over all positions.

    With ``over: channels`` it is the mean of each position over all channels, as in the spatial
    attention of CBAM (Woo et al. 2018, section 3).
    """

    kind: ClassVar[str] = "global_avg_pool"
    summary: ClassVar[str] = "global average pooling"
    example: ClassVar[str] = "{op: global_avg_pool}"

    op: Literal["global_avg_pool"]
