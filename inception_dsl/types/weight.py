"""The variables of a layer."""

from __future__ import annotations

from typing import NamedTuple

from .tensor import product


class Weight(NamedTuple):
    """A variable of a layer.

    Its name below the layer's path, its shape in the neutral layout, how it starts.

    Neutral layout: convolution kernels are spatial axes, input channels per group, output channels;
    dense kernels are inputs, outputs; depthwise kernels are spatial axes, input channels,
    multiplier.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def size(self) -> int:
        return product(self.shape)
