"""Local response normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import Count, Positive


class LocalResponseNorm(Op):
    """``x / (k + alpha / size * s) ** beta``, s = sum of squares of ``size`` neighbouring channels.

    Krizhevsky et al. 2012, section 3.3. ``alpha`` is divided by ``size``, as in Caffe and PyTorch;
    TensorFlow does not divide it. Channels beyond the first and last are zero. With an even
    ``size``, the window has one more channel before than after.
    """

    kind: ClassVar[str] = "local_response_norm"
    summary: ClassVar[str] = "normalisation by neighbouring channels"
    example: ClassVar[str] = "{op: local_response_norm, size: 5, alpha: 0.0001, beta: 0.75, k: 1.0}"

    op: Literal["local_response_norm"]
    size: Count = Field(5, description="Number of channels in the window.")
    alpha: Positive = Field(0.0001, description="Factor of the mean square of the window.")
    beta: Positive = Field(0.75, description="Exponent.")
    k: Positive = Field(1.0, description="Offset.")
