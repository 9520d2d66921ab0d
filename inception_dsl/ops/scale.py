"""Scaling by a constant or by a learned factor."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType
from ..types.weight import Weight
from .base import Op
from .fields.kinds import FactorOf, Flag, Real


class Scale(Op):
    """Multiplication by a constant, for example to scale residuals (Szegedy et al. 2016,
    section 3.3).

    With ``learned: true`` the factor is the weight ``gamma``, which starts at ``value``: LayerScale
    (Touvron et al. 2021, section 3), or with ``per: layer`` SkipInit (De and Smith 2020).
    """

    kind: ClassVar[str] = "scale"
    summary: ClassVar[str] = "multiplication by a constant or a learned factor"
    example: ClassVar[str] = "{op: scale, value: 0.17}"

    op: Literal["scale"]
    value: Real = Field(
        description="The factor; its initial value if it is learned.",
        examples=[0.17, "$residual_scale"],
    )
    learned: Flag = Field(False, description="Whether the factor is trained.")
    per: FactorOf = Field(
        "channel",
        description="Whether each `channel` or the whole `layer` has a learned factor. A constant "
        "is the same for all channels.",
        examples=["layer"],
    )

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        if not self.learned:
            return ()
        return (Weight("gamma", (x.channels if self.per == "channel" else 1,)),)
