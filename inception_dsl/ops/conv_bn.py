"""Convolution, batch norm, activation: what the Inception papers since 2015 call a convolution."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from .activation import Activation
from .base import Composite, Op
from .batch_norm import BatchNorm, BatchNormFields
from .conv import Conv, ConvFields
from .fields.kinds import ActivationName, Count, Flag
from .initializer import INITIALIZER, InitializerFields


class ConvBn(ConvFields, Composite):
    """Convolution without bias, batch norm, then an activation: ReLU by default.

    The order is that of Ioffe and Szegedy 2015, section 3.2.
    """

    kind: ClassVar[str] = "conv_bn"
    summary: ClassVar[str] = "convolution, batch norm, activation (ReLU by default)"
    example: ClassVar[str] = (
        "{op: conv_bn, filters: 64, kernel_size: 3, batch_norm: {scale: false}}"
    )

    op: Literal["conv_bn"]
    groups: Count = Field(1, description="Number of groups of channels.")
    use_bias: Flag = Field(
        False, description="Whether the convolution adds a bias, which batch norm makes redundant."
    )
    activation: ActivationName = Field(
        "relu", description="Activation function after batch norm; `none` for no activation."
    )
    batch_norm: BatchNormFields = Field(
        default_factory=lambda: BatchNormFields.model_construct(_fields_set=set()),
        description="Attributes of the batch norm.",
        examples=[{"scale": False}],
    )
    initializer: InitializerFields | None = INITIALIZER

    def filled(self, defaults: Mapping[str, Mapping[str, Any]]) -> Self:
        """The copy also has the defaults of ``batch_norm``, in the batch norm inside."""
        filled = super().filled(defaults)
        norm = {
            k: v
            for k, v in defaults.get("batch_norm", {}).items()
            if k not in filled.batch_norm.model_fields_set
        }
        return (
            filled.model_copy(update={"batch_norm": filled.batch_norm.model_copy(update=norm)})
            if norm
            else filled
        )

    @cached_property
    def parts(self) -> tuple[tuple[str, Op], ...]:
        # without validation: the fields are validated already
        conv = Conv.model_construct(
            op="conv",
            filters=self.filters,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            use_bias=self.use_bias,
        )
        norm = self.batch_norm
        batch_norm = BatchNorm.model_construct(
            op="batch_norm",
            epsilon=norm.epsilon,
            decay=norm.decay,
            scale=norm.scale,
            center=norm.center,
        )
        activation = Activation.model_construct(op="activation", function=self.activation)
        return ("conv", conv), ("bn", batch_norm), ("activation", activation)
