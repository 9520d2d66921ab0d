"""Space to depth."""

from typing import ClassVar, Literal

from ..types.receptive import ReceptiveField
from ..types.tensor import ShapeError, TensorType
from ..types.window import Pixels
from .base import require_map
from .blocks import Blocks
from .groups import divides, fewer_groups


class SpaceToDepth(Blocks):
    """Turns each block of pixels into the channels of one pixel, as ``tf.nn.space_to_depth`` and,
    with ``order: channels_first``, ``nn.PixelUnshuffle`` do: no value is lost.

    In a block of b * b pixels of C channels, channel c of the pixel at ``p = row * b + column``
    becomes channel ``p * C + c``; with ``order: channels_first`` it is ``c * b * b + p``.
    """

    kind: ClassVar[str] = "space_to_depth"
    summary: ClassVar[str] = "blocks of pixels as channels"
    example: ClassVar[str] = "{op: space_to_depth, block_size: 2}"

    op: Literal["space_to_depth"]

    @property
    def multiple(self) -> int:
        return self.block_size

    def sized(self, rank: int) -> bool:
        return True

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        wrong = next((n for n in x.spatial if not divides(n, self.block_size)), None)
        if wrong is not None:
            fits = fewer_groups(self.block_size, *x.spatial)
            raise ShapeError(
                f"an axis of {wrong} pixels is not divisible by {self.block_size}",
                field="block_size",
                help="put a `zero_pad` or a `crop` before it" if fits == "1" else "",
                write="" if fits == "1" else fits,
            )
        spatial = tuple(n // self.block_size for n in x.spatial)
        return TensorType(spatial, x.channels * self.positions(x.rank))

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        return self.block_size, Pixels(0, self.block_size)

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        return ReceptiveField((0,), (self.block_size - 1,), self.block_size)
