"""Local response normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from .base import Op
from .fields.kinds import Count, Positive


class LocalResponseNorm(Op):
    """``x / (k + alpha / size * sum of squares of size neighbouring channels) ** beta`` (Krizhevsky
    et al. 2012).

    ``alpha`` is divided by ``size``, as in Caffe and PyTorch; TensorFlow's is not. Channels beyond
    the ends are zero; of an even ``size``, the longer half reaches back.
    """

    kind: ClassVar[str] = "local_response_norm"
    summary: ClassVar[str] = "division by the neighbouring channels"
    example: ClassVar[str] = "{op: local_response_norm, size: 5, alpha: 0.0001, beta: 0.75, k: 1.0}"

    op: Literal["local_response_norm"]
    size: Count = Field(5, description="Number of channels in the window.")
    alpha: Positive = Field(0.0001, description="Factor of the mean square of the window.")
    beta: Positive = Field(0.75, description="Exponent.")
    k: Positive = Field(1.0, description="Offset.")
