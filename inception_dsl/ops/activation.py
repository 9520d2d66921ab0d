"""Activation functions."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import SLOPES, ActivationName, Flag, Real


class Activation(Op):
    """A function of every element (softmax: of all channels at a position).

    ``hard_swish`` is ``x * relu6(x + 3) / 6``; ``gelu`` is exact unless ``approximate`` asks for
    the tanh form.
    """

    kind: ClassVar[str] = "activation"
    summary: ClassVar[str] = "a function of every element"
    example: ClassVar[str] = "{op: activation, function: relu}"

    op: Literal["activation"]
    function: ActivationName = Field(description="Which function.", examples=["relu", "softmax"])
    alpha: Real | None = Field(
        None,
        description="Slope below zero of `leaky_relu` (0.01 unless said), factor below zero of "
        "`elu` (1.0).",
        examples=[0.2],
    )
    approximate: Flag = Field(False, description="Whether `gelu` uses the tanh approximation.")

    @property
    def slope(self) -> float:
        """``alpha``, or the function's own default."""
        if self.alpha is not None:
            return self.alpha
        return SLOPES.get(self.function, 0.0)
