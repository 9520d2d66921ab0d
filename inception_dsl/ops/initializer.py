"""The field ``initializer``: initial values of a layer's kernel and bias."""

from typing import Final, Literal, TypeAlias

from pydantic import Field

from .base import Fields
from .fields.kinds import Constant, Factor

Distribution: TypeAlias = Literal[
    "truncated_normal", "glorot_uniform", "lecun_uniform", "he_normal"
]
DISTRIBUTION: Final = (
    "Distribution of kernels: `truncated_normal` (cut at 2 standard deviations), `glorot_uniform` "
    "(Xavier, bound sqrt(6 / (fan_in + fan_out))), `lecun_uniform` (Caffe's xavier, bound "
    "sqrt(3 / fan_in)) or `he_normal` (Kaiming, truncated, standard deviation sqrt(2 / fan_in))."
)
STDDEV: Final = (
    "Standard deviation of `truncated_normal` before it is cut, as in TensorFlow; after that it is "
    "0.88 times as large."
)


class InitializerFields(Fields):
    """Initial values of one layer; what is missing is as in ``training.initializer``."""

    name: Distribution | None = Field(None, description=DISTRIBUTION, examples=["glorot_uniform"])
    stddev: Factor | None = Field(None, description=STDDEV, examples=[0.01])
    bias: Constant | None = Field(None, description="Initial value of the bias.", examples=[0])


INITIALIZER: Final = Field(
    None,
    description="Initial values of this layer, where they differ from `training.initializer`.",
    examples=[{"stddev": 0.01}],
)
