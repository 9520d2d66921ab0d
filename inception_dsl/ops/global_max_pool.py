"""Global max pooling."""

from typing import ClassVar, Literal

from .global_pool import GlobalPool


class GlobalMaxPool(GlobalPool):
    """The maximum of each channel over all positions.

    With ``over: channels`` it is the maximum of each position over all channels. Equal maxima share
    the gradient equally.
    """

    kind: ClassVar[str] = "global_max_pool"
    summary: ClassVar[str] = "global max pooling"
    example: ClassVar[str] = "{op: global_max_pool}"

    op: Literal["global_max_pool"]
