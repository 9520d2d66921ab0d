"""Dropout."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import Rate


class Dropout(Op):
    """In training, sets each element to zero with probability ``rate``, and multiplies the others
    by 1 / (1 - rate). Has no effect in inference.
    """

    kind: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "dropout, in training only"
    example: ClassVar[str] = "{op: dropout, rate: 0.2}"

    op: Literal["dropout"]
    rate: Rate = Field(
        description="Probability that an element is set to zero (1 - keep probability).",
        examples=[0.2, 0.4],
    )
