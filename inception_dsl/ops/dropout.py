"""Dropout."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import DropOf, Rate


class Dropout(Op):
    """In training, sets each element to zero with probability ``rate``, and multiplies the others
    by 1 / (1 - rate). Has no effect in inference.

    With ``per: channel`` whole channels of a sample are set to zero (Tompson et al. 2015), with
    ``per: sample`` whole samples: stochastic depth, at the end of a residual (Huang et al. 2016).
    """

    kind: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "dropout of elements, channels or samples, in training only"
    example: ClassVar[str] = "{op: dropout, rate: 0.2}"

    op: Literal["dropout"]
    rate: Rate = Field(
        description="Probability that an element is set to zero (1 - keep probability).",
        examples=[0.2, 0.4],
    )
    per: DropOf = Field(
        "element",
        description="What is kept or set to zero as a whole: each `element`, each `channel` of a "
        "sample (`nn.Dropout2d`, `SpatialDropout2D`), or each `sample` (`DropPath`).",
        examples=["sample"],
    )
