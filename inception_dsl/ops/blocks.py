"""Fields of ``space_to_depth`` and ``depth_to_space``, which are in their own files."""

from pydantic import Field

from ..types.tensor import product
from .base import Op
from .fields.kinds import BlockSize, Order


class Blocks(Op):
    """Blocks of ``block_size`` pixels on every axis, whose values are the channels of one pixel."""

    block_size: BlockSize = Field(
        description="Pixels of a block on every spatial axis.", examples=[2]
    )
    order: Order = Field(
        "channels_last",
        description="The order of a block's values: `channels_last` has all channels of its first "
        "position first (TensorFlow; `DCR` in ONNX), `channels_first` has all positions of its "
        "first channel first (PyTorch; `CRD`).",
        examples=["channels_first"],
    )

    def positions(self, rank: int) -> int:
        """The number of positions in a block."""
        return product((self.block_size,) * rank)
