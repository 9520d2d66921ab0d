"""Activation functions."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import ShapeError, TensorType
from .base import Op
from .fields.kinds import SLOPES, ActivationName, Count, Flag, Real
from .groups import divided


class Activation(Op):
    """An activation function, applied to every element (``softmax``: over the channels).

    ``hard_swish`` is ``x * relu6(x + 3) / 6``. ``gelu`` is exact (erf), or the tanh approximation
    with ``approximate: true``. ``softmax`` with ``parts`` weighs branches whose channels are
    concatenated, as in SKNet (Li et al. 2019).
    """

    kind: ClassVar[str] = "activation"
    summary: ClassVar[str] = "activation function"
    example: ClassVar[str] = "{op: activation, function: relu}"

    op: Literal["activation"]
    function: ActivationName = Field(
        description="The activation function.", examples=["relu", "softmax"]
    )
    alpha: Real | None = Field(
        None,
        description="Negative slope of `leaky_relu` (default 0.01), or `alpha` of `elu` "
        "(default 1.0).",
        examples=[0.2],
    )
    approximate: Flag = Field(False, description="Whether `gelu` uses the tanh approximation.")
    parts: Count | None = Field(
        None,
        description="Number of equal parts of the channels, for `softmax` over the parts: the "
        "values of one channel in all parts add up to 1.",
        examples=[2],
    )

    def infer(self, x: TensorType) -> TensorType:
        if self.parts is None:
            return x
        if self.function != "softmax":
            raise ShapeError(
                "`parts` needs `function: softmax`", field="parts", help="remove `parts`"
            )
        divided(x.channels, self.parts, "parts")
        return x

    @property
    def slope(self) -> float:
        """``alpha``, or the function's own default."""
        if self.alpha is not None:
            return self.alpha
        return SLOPES.get(self.function, 0.0)
