"""Cropping."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.receptive import ReceptiveField
from ..types.tensor import ShapeError, TensorType, many
from ..types.window import Pair, Pixels
from .base import Op, require_map, resolve_padding
from .fields.kinds import Sides


class Crop(Op):
    """Cuts off pixels before and after each spatial axis: the inverse of ``zero_pad``."""

    kind: ClassVar[str] = "crop"
    summary: ClassVar[str] = "pixels cut off at the edges"
    example: ClassVar[str] = "{op: crop, cropping: [[0, 1], [0, 1]]}"

    op: Literal["crop"]
    cropping: Sides = Field(
        description="Pixels to cut off: one number, one for each axis, or one for each side of "
        "each axis.",
        examples=[1],
    )

    def cuts(self, rank: int) -> tuple[Pair, ...]:
        """Pixels to cut off before and after each axis."""
        cuts = resolve_padding(self.cropping, rank, "cropping")
        assert cuts != "same"
        return cuts

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        left = []
        for n, cut in zip(x.spatial, self.cuts(x.rank), strict=True):
            left.append(n - sum(cut))
            if left[-1] < 1:
                raise ShapeError(
                    f"cuts off {many(sum(cut), 'pixel')} of an axis, but the input has only {n}",
                    field="cropping",
                    help="cut off less, or use a larger input",
                )
        return TensorType(tuple(left), x.channels)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        cut = sum(self.cuts(rank)[axis])
        return cut + 1, Pixels(-cut)

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        before = self.cuts(x.rank)[axis][0]
        return ReceptiveField((before,), (before,))
