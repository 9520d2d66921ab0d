"""Flatten."""

from typing import ClassVar, Literal

from ..types.tensor import TensorType, product
from .base import Op


class Flatten(Op):
    """All axes in one: positions in row-major order, the channels of each position together."""

    kind: ClassVar[str] = "flatten"
    summary: ClassVar[str] = "all axes in one"
    example: ClassVar[str] = "{op: flatten}"

    op: Literal["flatten"]

    def infer(self, x: TensorType) -> TensorType:
        return TensorType((), product(x.shape))

    def needed(self, axis: int, rank: int, outputs: int) -> int:
        return 1
