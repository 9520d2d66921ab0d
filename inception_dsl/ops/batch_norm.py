"""Batch normalisation."""

import math
from typing import ClassVar, Final, Literal

from pydantic import Field

from ..types.tensor import TensorType
from ..types.weight import Weight
from .base import Fields, Op
from .fields.kinds import Flag, Positive, Share

SETTLED: Final = 0.95
"""The share of the data's statistics from which moving statistics are usable in evaluation."""


def steps_until_settled(decay: float) -> float:
    """The training steps after which moving statistics are ``SETTLED`` of those of the data.

    After n steps they are 1 - decay ** n of them; the rest is their initial value.
    """
    if not 0 < decay < 1:
        return decay and math.inf
    return math.log(1 - SETTLED) / math.log(decay)


class BatchNormFields(Fields):
    """The attributes of batch norm, as an op and inside ``conv_bn``."""

    epsilon: Positive = Field(
        0.001, description="Added to the variance.", examples=[0.001, 0.00001]
    )
    decay: Share = Field(
        0.99,
        description="Share of the old moving average that is kept at each training step: "
        "Keras `momentum`, 1 - PyTorch `momentum`.",
    )
    scale: Flag = Field(True, description="Whether to multiply by a learned factor (gamma).")
    center: Flag = Field(True, description="Whether to add a learned offset (beta).")


class BatchNorm(BatchNormFields, Op):
    """Batch normalisation of every channel (Ioffe and Szegedy 2015, algorithm 1).

    Both frameworks normalise by the biased variance of the batch. Keras updates the moving variance
    with the biased variance, PyTorch with the unbiased variance: n / (n - 1) times as large for n
    values in each channel. The moving statistics need about 3 / (1 - decay) training steps to reach
    95 % of the statistics of the data: 300 steps with a decay of 0.99, 10,000 steps with 0.9997.
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
