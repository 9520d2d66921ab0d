"""Zero padding."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.receptive import ReceptiveField
from ..types.tensor import TensorType
from ..types.window import Pair, Pixels
from .base import Op, require_map, resolve_padding
from .fields.kinds import Sides


class ZeroPad(Op):
    """Adds zeros before and after each spatial axis."""

    kind: ClassVar[str] = "zero_pad"
    summary: ClassVar[str] = "zero padding"
    example: ClassVar[str] = "{op: zero_pad, padding: [[0, 1], [0, 1]]}"

    op: Literal["zero_pad"]
    padding: Sides = Field(
        description="Pixels: one number, one for each axis, or one for each side of each axis.",
        examples=[1],
    )

    def pads(self, rank: int) -> tuple[Pair, ...]:
        """Pixels of padding before and after each axis."""
        padding = resolve_padding(self.padding, rank)
        assert padding != "same"
        return padding

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        spatial = tuple(n + sum(p) for n, p in zip(x.spatial, self.pads(x.rank), strict=True))
        return TensorType(spatial, x.channels)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        return 1, Pixels(sum(self.pads(rank)[axis]))

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        before = self.pads(x.rank)[axis][0]
        return ReceptiveField((-before,), (-before,))
