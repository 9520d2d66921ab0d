"""Depth to space."""

from typing import ClassVar, Literal

from ..types.receptive import ReceptiveField
from ..types.tensor import ShapeError, TensorType, product
from ..types.window import Pixels
from .base import require_map
from .blocks import Blocks
from .groups import divides


class DepthToSpace(Blocks):
    """Turns the channels of each pixel into a block of pixels: the inverse of ``space_to_depth``
    with the same ``order``.

    With ``order: channels_first`` it is ``nn.PixelShuffle``, the last layer of ESPCN (Shi et al.
    2016), otherwise ``tf.nn.depth_to_space``.
    """

    kind: ClassVar[str] = "depth_to_space"
    summary: ClassVar[str] = "channels as blocks of pixels"
    example: ClassVar[str] = "{op: depth_to_space, block_size: 2, order: channels_first}"

    op: Literal["depth_to_space"]

    def sized(self, rank: int) -> bool:
        return True

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        positions = self.positions(x.rank)
        if not divides(x.channels, positions):
            fits = next(
                n
                for n in range(self.block_size, 0, -1)
                if divides(x.channels, product((n,) * x.rank))
            )
            blocks = "x".join([str(self.block_size)] * x.rank)
            raise ShapeError(
                f"the {x.channels} input channels are not divisible by {positions}, the pixels of "
                f"a block of {blocks}",
                field="block_size",
                help=f"use a multiple of {positions} channels" if fits == 1 else "",
                write="" if fits == 1 else str(fits),
            )
        spatial = tuple(n * self.block_size for n in x.spatial)
        return TensorType(spatial, x.channels // positions)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        return 1, Pixels(0, 1, self.block_size)

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        zeros = (0,) * self.block_size
        return ReceptiveField(zeros, zeros)
