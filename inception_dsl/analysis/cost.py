"""The cost of a typed program, for each layer and in total: parameters and multiply-adds (MACs).

FLOPs are 2 x MACs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..ir.typed import TypedFork, TypedProgram, TypedUse
from ..ir.walk import visit_program
from ..types.tensor import TensorType
from ..types.weight import Weight


class Layer(NamedTuple):
    """One layer or merge of the program. ``macs`` are the multiply-adds for one sample.

    ``weights_of`` is the path of the layer whose weights it has, if they are not its own; its own
    ``weights`` are none then.
    """

    path: str
    op: str
    x: TensorType
    y: TensorType
    weights: tuple[Weight, ...]
    macs: int
    auxiliary: bool
    weights_of: str = ""

    @property
    def parameters(self) -> int:
        """The size of all variables, including moving statistics."""
        return sum(w.size for w in self.weights)


class Cost(NamedTuple):
    """The totals of a program.

    ``macs`` excludes the auxiliary heads, which run in training only; ``auxiliary`` is the number
    of trainable parameters in them.
    """

    trainable: int
    non_trainable: int
    auxiliary: int
    macs: int

    @property
    def total(self) -> int:
        return self.trainable + self.non_trainable


def layers(typed: TypedProgram) -> Iterator[Layer]:
    """Every layer and merge with its path, in execution order, heads last."""
    heads = typed.auxiliary
    for path, node, own in visit_program(typed):
        if isinstance(node, TypedUse):
            continue
        auxiliary = bool(path) and path[0] in heads
        name = "/".join(path)
        if isinstance(node, TypedFork):
            yield Layer(name, node.node.merge, node.x, node.y, (), 0, auxiliary)
            continue
        shared = path != own and bool(node.weights)
        weights, of = ((), "/".join(own)) if shared else (node.weights, "")
        yield Layer(name, node.op.op, node.x, node.y, weights, node.macs, auxiliary, of)


def cost(found: list[Layer]) -> Cost:
    """The totals of a program's layers."""
    trainable = non_trainable = auxiliary = macs = 0
    for layer in found:
        for weight in layer.weights:
            size = weight.size
            if not weight.trainable:
                non_trainable += size
                continue
            trainable += size
            auxiliary += size if layer.auxiliary else 0
        macs += 0 if layer.auxiliary else layer.macs
    return Cost(trainable, non_trainable, auxiliary, macs)
