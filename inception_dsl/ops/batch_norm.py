"""Batch normalisation."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import TensorType
from ..types.weight import Weight
from .base import Fields, Op
from .fields.kinds import Flag, Positive, Share


class BatchNormFields(Fields):
    """The attributes of batch norm, as an op and inside ``conv_bn``."""

    epsilon: Positive = Field(
        0.001, description="Added to the variance.", examples=[0.001, 0.00001]
    )
    decay: Share = Field(
        0.99,
        description="Share of the old average that is kept (the momentum of Keras; PyTorch's "
        "is 1 - decay).",
    )
    scale: Flag = Field(True, description="Whether a learned factor (gamma) is applied.")
    center: Flag = Field(True, description="Whether a learned offset (beta) is added.")


class BatchNorm(BatchNormFields, Op):
    """Normalisation of every channel over the batch and the positions (Ioffe and Szegedy 2015,
    algorithm 1).

    Both frameworks normalise by the biased variance. The moving variance is the biased one in Keras
    and the unbiased one in PyTorch, so that after a training step the two differ by n / (n - 1).
    """

    kind: ClassVar[str] = "batch_norm"
    summary: ClassVar[str] = "batch normalisation of every channel"
    example: ClassVar[str] = "{op: batch_norm, epsilon: 0.001, decay: 0.9997, scale: false}"

    op: Literal["batch_norm"]

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        shape = (x.channels,)
        gamma = (Weight("gamma", shape),) if self.scale else ()
        beta = (Weight("beta", shape),) if self.center else ()
        return (
            *gamma,
            *beta,
            Weight("moving_mean", shape, trainable=False),
            Weight("moving_variance", shape, trainable=False),
        )
