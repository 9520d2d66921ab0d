"""The activations of a network: how many values exist at the same time."""

from __future__ import annotations

from ..ir.flow import Apply, Flow, Part
from ..ops import Activation, Composite, Op
from ..types.tensor import TensorType, product


def live_values(network: Flow) -> int:
    """The most values of one sample that exist at once in inference.

    A layer needs its input and its output; what later steps read stays until the last of them.
    """
    sizes = {value: product(x.shape) for value, x in network.types.items()}
    last, kept = network.last_reads(), set(network.outputs.values())
    held = most = sum(sizes[value] for value in network.inputs.values())
    for index, statement in enumerate(network.statements):
        held += sizes[statement.y]
        most = max(most, held)
        done = {value for value in statement.inputs if last[value] == index}
        held -= sum(sizes[value] for value in done - kept)
    return most


def kept_values(network: Flow) -> int:
    """The values of one sample that training keeps for the backward pass: the inputs, and the
    outputs of all layers and merges, with those inside of composite layers.

    Activation functions inside of a layer work in place.
    """
    total = sum(product(network.types[value].shape) for value in network.inputs.values())
    known: dict[int, int] = {}  # by object: all uses of a block have the same layers
    for statement in network.statements:
        if isinstance(statement, Apply):
            layer = statement.typed
            if id(layer) not in known:
                known[id(layer)] = _outputs(layer.op, layer.x)
            total += known[id(layer)]
        elif not isinstance(statement, Part):
            total += product(statement.typed.y.shape)
    return total


def _outputs(op: Op, x: TensorType) -> int:
    if not isinstance(op, Composite):
        return product(op.infer(x).shape)
    total = 0
    for _, part in op.parts:
        total += 0 if isinstance(part, Activation) else _outputs(part, x)
        x = part.infer(x)
    return total
