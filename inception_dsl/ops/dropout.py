"""Dropout."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import Rate


class Dropout(Op):
    """In training, each element is zeroed with probability ``rate`` and the rest scaled up; else
    nothing.
    """

    kind: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "random zeros in training"
    example: ClassVar[str] = "{op: dropout, rate: 0.2}"

    op: Literal["dropout"]
    rate: Rate = Field(
        description="Probability that an element is dropped (not that it is kept).",
        examples=[0.2, 0.4],
    )
