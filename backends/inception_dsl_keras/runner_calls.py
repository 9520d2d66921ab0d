"""The layers of a model with inner models, and the outputs of their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras

from .called import Called, Place
from .runner_engine import numpy


def leaves(model: Any) -> Iterator[Any]:
    """The layers of a model, and those of the models in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def observed(
    model: Any, places: Mapping[str, Place], x: Any, run: Callable[[Any, Any], Any]
) -> tuple[Any, dict[str, Any]]:
    """The outputs of ``model`` for ``x``, and those of the calls at ``places``.

    ``run`` computes the outputs of a model. The outputs in an inner model are those of this model
    alone, for the input of each of its calls. What is not called as often is left out.
    """
    places = {path: place for path, place in places.items() if _calls(model, place[0])}
    first = {place[0]: _calls(model, place[0])[0] for place in places.values()}
    deeper = {place[0] for place in places.values() if len(place) > 1}
    named = {_key(call): node.output_tensors[0] for call, node in first.items()}
    given = {_key(call): first[call].input_tensors[0] for call in deeper}
    outputs, found, inputs = run(keras.Model(model.input, [model.output, named, given]), x)
    held = {p: numpy(found[_key(place[0])]) for p, place in places.items() if len(place) == 1}
    for call in deeper:
        rest = {p: place[1:] for p, place in places.items() if place[0] == call and place[1:]}
        inner = model.get_layer(call.layer)
        held |= observed(inner, rest, numpy(inputs[_key(call)]), run)[1]
    return outputs, held


def _key(call: Called) -> str:
    return f"{call.layer}/{call.call}"


def _calls(model: Any, call: Called) -> Any:
    """The nodes in the graph of a model from a call of a layer on."""
    return model.get_layer(call.layer)._inbound_nodes[call.call :]


@contextmanager
def recorded(layers: Iterable[Any]) -> Iterator[list[tuple[Any, Any]]]:
    """The inputs and outputs of all calls of ``layers`` inside the context, as tensors."""
    found: list[tuple[Any, Any]] = []
    originals = {layer: layer.call for layer in layers}

    def recording(call: Callable[..., Any]) -> Callable[..., Any]:
        def recorder(inputs: Any, training: Any = None) -> Any:
            y = call(inputs, training=training)
            found.append((inputs, y))
            return y

        return recorder

    for layer, call in originals.items():
        layer.call = recording(call)
    try:
        yield found
    finally:
        for layer, call in originals.items():
            layer.call = call
