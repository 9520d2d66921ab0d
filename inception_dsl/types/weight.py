"""The variables (weights) of a layer."""

from __future__ import annotations

from typing import NamedTuple

from .tensor import product


class Weight(NamedTuple):
    """A variable of a layer: its name within the layer, its shape, and whether it is trained.

    Shapes are in the neutral layout. Convolution kernels: spatial axes, input channels per group,
    output channels. Depthwise kernels: spatial axes, input channels, multiplier. Dense kernels:
    inputs, outputs.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def size(self) -> int:
        return product(self.shape)
