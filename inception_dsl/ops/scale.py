"""Scaling by a constant."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import Real


class Scale(Op):
    """Multiplication by a constant, for example to scale residuals (Szegedy et al. 2016,
    section 3.3).
    """

    kind: ClassVar[str] = "scale"
    summary: ClassVar[str] = "multiplication by a constant"
    example: ClassVar[str] = "{op: scale, value: 0.17}"

    op: Literal["scale"]
    value: Real = Field(description="The factor.", examples=[0.17, "$residual_scale"])
