"""Where every weight of the spec lives in the Keras model."""

from __future__ import annotations

from inception_dsl.backend import Binding

from .layers import model_layers
from .source import Source


def bindings(source: Source) -> tuple[Binding, ...]:
    """A binding for every variable, auxiliary heads too; the key is ``layer/variable``.

    The layout is ``same`` where Keras has the neutral one, ``grouped`` where a depthwise kernel
    (spatial axes, channels, multiplier) is that of a convolution in groups (spatial axes, 1,
    channels times multiplier).
    """
    return tuple(
        Binding(
            "/".join([*layer.path, variable.weight]),
            f"{layer.name}/{variable.name}",
            variable.layout,
        )
        for layer in model_layers(source)
        for variable in layer.variables
    )


__all__ = ["bindings"]
