"""Channel shuffle."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType
from .base import Op
from .fields.kinds import Count
from .groups import divided


class ChannelShuffle(Op):
    """The first channel of every group, then the second of every group, and so on, so that the next
    grouped convolution reads all groups (ShuffleNet, Zhang et al. 2018).

    Of C channels, output ``j * groups + i`` is input ``i * C / groups + j``, as in
    ``nn.ChannelShuffle``.
    """

    kind: ClassVar[str] = "channel_shuffle"
    summary: ClassVar[str] = "channels of several groups in turn"
    example: ClassVar[str] = "{op: channel_shuffle, groups: 2}"

    op: Literal["channel_shuffle"]
    groups: Count = Field(description="Number of groups of channels.", examples=[2])

    def infer(self, x: TensorType) -> TensorType:
        divided(x.channels, self.groups)
        return x
