"""Flatten."""

from typing import ClassVar, Literal

from ..types.receptive import ReceptiveField, whole
from ..types.tensor import TensorType, product
from .base import Op


class Flatten(Op):
    """Flattens all axes into a vector: positions in row-major order, channels last."""

    kind: ClassVar[str] = "flatten"
    summary: ClassVar[str] = "all axes flattened into a vector"
    example: ClassVar[str] = "{op: flatten}"

    op: Literal["flatten"]

    def sized(self, rank: int) -> bool:
        return True

    def infer(self, x: TensorType) -> TensorType:
        return TensorType((), product(x.shape))

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        return whole(x.spatial[axis])
