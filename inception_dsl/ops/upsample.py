"""Upsampling: a larger map, by repetition or by linear interpolation."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor, gcd
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from ..types.receptive import ReceptiveField
from ..types.tensor import ShapeError, TensorType
from ..types.window import Pixels
from .base import Op, axes, require_map
from .fields.kinds import Flag, Kernel, UpsampleMethod


class Upsample(Op):
    """Enlarges a map by a whole ``factor`` or to a ``size``, without weights.

    Output pixel i of m is ``nearest`` pixel floor(i n / m) of the n input pixels. ``linear`` is
    bilinear on two axes and trilinear on three: it interpolates on each axis at (i + 0.5) n / m -
    0.5, or with ``align_corners`` at i (n - 1) / (m - 1), and beyond the edge repeats it. This is
    ``nn.Upsample`` of PyTorch, and ``UpSampling2D`` of Keras without ``align_corners``.
    """

    kind: ClassVar[str] = "upsample"
    summary: ClassVar[str] = "a larger map, by repetition or by linear interpolation"
    example: ClassVar[str] = "{op: upsample, factor: 2, method: linear}"

    op: Literal["upsample"]
    factor: Kernel | None = Field(
        None,
        description="How many times as large: one whole number, or one for each axis. "
        "Either `factor` or `size` is required.",
        examples=[2, [1, 2]],
    )
    size: Kernel | None = Field(
        None,
        description="Output size in place of a factor: one number, or one for each axis.",
        examples=[56],
    )
    method: UpsampleMethod = Field(
        "nearest", description="`nearest`, or `linear`: bilinear on two axes, trilinear on three."
    )
    align_corners: Flag = Field(
        False,
        description="Whether `linear` maps the first and last pixel of an axis onto each other.",
    )

    def filled(self, defaults: Mapping[str, Mapping[str, Any]]) -> Self:
        """As for other ops, but a step with a ``size`` has no default ``factor``, nor the reverse.

        The two exclude each other.
        """
        both = {"factor", "size"}
        own = defaults.get(self.op, {})
        if not both.isdisjoint(self.model_fields_set):
            own = {k: v for k, v in own.items() if k not in both}
        return super().filled({self.op: own})

    def outputs(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        """The output size of each spatial axis, for an input of these sizes."""
        if self.size is not None:
            return axes(self.size, len(spatial), "size")
        factors = axes(self.factor, len(spatial), "factor")
        return tuple(n * factor for n, factor in zip(spatial, factors, strict=True))

    def sized(self, rank: int) -> bool:
        return self.size is not None or self.method == "linear"

    def infer(self, x: TensorType) -> TensorType:
        require_map(x, self)
        if self.factor is None and self.size is None:
            raise ShapeError(
                "`upsample` needs a `factor` or a `size`", code="E202", help="write `factor: 2`"
            )
        if self.factor is not None and self.size is not None:
            raise ShapeError(
                "`upsample` has both a `factor` and a `size`", field="size", help="remove one"
            )
        if self.align_corners and self.method == "nearest":
            raise ShapeError(
                "`align_corners` needs `method: linear`", field="align_corners", write="false"
            )
        return TensorType(self.outputs(x.spatial), x.channels)

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        if self.size is not None:
            return 1, Pixels(axes(self.size, rank, "size")[axis], 0)
        return 1, Pixels(0, 1, axes(self.factor, rank, "factor")[axis])

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        size = x.spatial[axis]
        outputs = self.outputs(x.spatial)[axis]
        if self.align_corners and outputs == 1:
            return ReceptiveField(step=None)
        inputs, spaces = (size - 1, outputs - 1) if self.align_corners else (size, outputs)
        count = spaces // gcd(inputs, spaces)
        if self.method == "nearest" or self.align_corners:
            at = [Fraction(i * inputs, spaces) for i in range(count)]
        else:
            at = [Fraction((2 * i + 1) * inputs, 2 * spaces) - Fraction(1, 2) for i in range(count)]
        last = floor if self.method == "nearest" else ceil
        step = inputs * count // spaces
        return ReceptiveField(tuple(map(floor, at)), tuple(map(last, at)), step)
