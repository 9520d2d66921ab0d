"""Activation functions."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import SLOPES, ActivationName, Flag, Real


class Activation(Op):
    """An activation function, applied to every element (``softmax``: over the channels).

    ``hard_swish`` is ``x * relu6(x + 3) / 6``. ``gelu`` is exact (erf), or the tanh approximation
    with ``approximate: true``.
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

    @property
    def slope(self) -> float:
        """``alpha``, or the function's own default."""
        if self.alpha is not None:
            return self.alpha
        return SLOPES.get(self.function, 0.0)
