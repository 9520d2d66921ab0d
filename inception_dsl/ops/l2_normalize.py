"""L2 normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import Positive


class L2Normalize(Op):
    """Division by the length of the vector of channels at each position:
    ``x / sqrt(max(sum(x**2), epsilon))``, as in FaceNet (Schroff et al. 2015).

    ``tf.nn.l2_normalize`` has the same formula. PyTorch compares the length with its ``eps``, which
    is the root of ``epsilon``.
    """

    kind: ClassVar[str] = "l2_normalize"
    summary: ClassVar[str] = "division by the length of the vector of channels"
    example: ClassVar[str] = "{op: l2_normalize}"

    op: Literal["l2_normalize"]
    epsilon: Positive = Field(1e-10, description="The smallest sum of squares to divide by.")
