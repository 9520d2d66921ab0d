"""Where every weight of the spec is stored in the Keras model."""

from __future__ import annotations

from inception_dsl.backend import Binding

from .layers import model_layers
from .source import Source


def bindings(source: Source) -> tuple[Binding, ...]:
    """A binding for every variable, including auxiliary heads; the key is ``layer/variable``.

    The layout is ``same`` if Keras has the neutral layout. It is ``grouped`` for a depthwise kernel
    (spatial axes, channels, multiplier) that is stored as that of a grouped convolution (spatial
    axes, 1, channels * multiplier).
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
