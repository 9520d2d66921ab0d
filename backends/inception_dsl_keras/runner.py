"""Runs emitted source. The only file of this package that imports Keras.

Dropout is off in training mode too: the rate of every such layer is set to zero. The factor of ``Rescaling``, which
TensorFlow would round to float32 on its way, is handed over as a float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from inception_dsl.backend import TypedProgram, check_weights, module_from_source, weight_shapes

from .layers import boundaries
from .weights import bindings


def create(typed: TypedProgram, source: str, dtype: str) -> KerasModel:
    """A model from emitted source, with all its heads."""
    module = module_from_source(source, f"{typed.program.id}_keras")
    options = {"aux_logits": True} if typed.heads else {}
    with _floats(dtype):
        model = getattr(module, typed.program.id)(**options)
    return KerasModel(typed, model, dtype)


@contextmanager
def _floats(dtype: str) -> Iterator[None]:
    """Build with another type of numbers."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)


class KerasModel:
    """A functional model whose variables are known by their paths in the spec."""

    def __init__(self, typed: TypedProgram, model: Any, dtype: str) -> None:
        self.typed, self.model, self.dtype = typed, model, dtype
        self.bindings = bindings(typed)
        self.variables = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.variables}
        self.shapes = weight_shapes(typed)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
            elif isinstance(layer, keras.layers.Rescaling):
                layer.scale = np.float64(layer.scale)

    def weights(self) -> dict[str, Any]:
        """Every variable in the neutral layout."""
        return {b.path: _numpy(self.variables[b.key]).reshape(self.shapes[b.path]) for b in self.bindings}

    def load(self, weights: Mapping[str, Any]) -> None:
        """Set every variable; says which are missing, left over or misshapen."""
        check_weights(weights, self.shapes)
        for binding in self.bindings:
            variable = self.variables[binding.key]
            variable.assign(np.asarray(weights[binding.path]).reshape(variable.shape))

    def parameters(self) -> tuple[int, int]:
        """Trainable and other parameters, without the seeds of dropout."""
        trainable = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        return trainable, sum(int(np.prod(v.shape)) for v in self.model.non_trainable_weights)

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name; the auxiliary heads' only in training mode."""
        found = self.model(np.asarray(x, self.dtype), training=training)
        if not isinstance(found, dict):
            found = {self.typed.program.output_name: found}
        heads = set() if training else {head.name for head, _ in self.typed.heads}
        return {name: _numpy(y) for name, y in found.items() if name not in heads}

    def boundaries(self, x: Any) -> dict[str, Any]:
        """The output of every used block by path, in inference."""
        named = {path: self.model.get_layer(name).output for path, name in boundaries(self.typed).items()}
        if not named:
            return {}
        found = keras.Model(self.model.input, named)(np.asarray(x, self.dtype), training=False)
        return {path: _numpy(y) for path, y in found.items()}


def _numpy(y: Any) -> Any:
    return keras.ops.convert_to_numpy(y)
