"""A NumPy interpreter of typed programs in float64 (or a wider type), channels last.

Each framework is compared with it, so that a difference names the framework at fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from ..ir.flow import Apply, Flow, Part, Statement, ValueId, WeightId, flow
from ..ir.typed import TypedFork, TypedProgram
from ..ops import Op
from .arrays import Array, Batch, Noise, Weights, by_input
from .operations import REFERENCE, elementary, moments


@dataclass(frozen=True, slots=True)
class Result:
    """The results of a program.

    ``outputs`` are by name; ``blocks`` are the outputs of used blocks and top-level steps, by path.
    ``statistics`` are the batch mean and biased variance in training, by the path of the moving
    statistic: one for each layer that has it, in the order of computation.
    """

    outputs: dict[str, Array]
    blocks: dict[str, Array]
    statistics: dict[str, list[Array]]


class Applied(NamedTuple):
    """An elementary op with its input and output; ``ids`` and ``weights`` are by name in the op."""

    op: Op
    ids: dict[str, WeightId]
    x: Array
    weights: dict[str, Array]
    y: Array


@dataclass(frozen=True, slots=True)
class Tape:
    """Records for the backward pass, by output value: ops of layers, inputs of merges."""

    layers: dict[ValueId, list[Applied]] = field(default_factory=dict)
    merges: dict[ValueId, list[Array]] = field(default_factory=dict)


def interpret(
    typed: TypedProgram,
    weights: Weights,
    x: Batch,
    *,
    training: bool = False,
    tape: Tape | None = None,
    noise: Noise | None = None,
) -> Result:
    """Run a program on a batch ``x`` (N, spatial axes, channels), or one for each input by name.

    Auxiliary heads run in training only. ``noise`` changes every value that an op or a merge reads.
    """
    program = flow(typed, heads=training)
    return run(program, weights, x, training=training, tape=tape, noise=noise)


def wide(value: Array) -> Array:
    """The value in float64, or in its own type if that is wider."""
    return np.asarray(value, np.result_type(value, np.float64))


def run(
    program: Flow,
    weights: Weights,
    x: Batch,
    *,
    training: bool = False,
    tape: Tape | None = None,
    noise: Noise | None = None,
) -> Result:
    """Run all statements; a value is released after its last use, to save memory."""
    interpreter = _Interpreter(weights, training, tape, noise or (lambda value: value))
    given = by_input(x)
    values = {value: wide(given[name]) for name, value in program.inputs.items()}
    last, kept = program.last_reads(), {*program.outputs.values(), *program.blocks.values()}
    for index, statement in enumerate(program.statements):
        values[statement.y] = interpreter.statement(statement, values)
        for value in {*statement.inputs} - kept:
            if last[value] == index:
                del values[value]
    return Result(
        {name: values[value] for name, value in program.outputs.items()},
        {path: values[value] for path, value in program.blocks.items()},
        interpreter.statistics,
    )


class _Interpreter:
    def __init__(self, weights: Weights, training: bool, tape: Tape | None, noise: Noise) -> None:
        self.weights, self.training, self.tape, self.noise = weights, training, tape, noise
        self.statistics: dict[str, list[Array]] = {}

    def statement(self, statement: Statement, values: Mapping[ValueId, Array]) -> Array:
        if isinstance(statement, Apply):
            return self.apply(statement, values[statement.x])
        if isinstance(statement, Part):
            return values[statement.x][..., statement.start : statement.stop]
        given = [self.noise(values[value]) for value in statement.inputs]
        if self.tape:
            self.tape.merges[statement.y] = given
        return merge(statement.typed, given)

    def apply(self, layer: Apply, x: Array) -> Array:
        applied = []
        for part, op in elementary(layer.typed.op):
            ids = {
                name.removeprefix(part): weight
                for name, weight in layer.weights.items()
                if name.startswith(part)
            }
            x = self.noise(x)
            own = {n: self.noise(wide(self.weights[w.path])) for n, w in ids.items()}
            if self.training and op.op == "batch_norm":
                found = moments(x)
                own |= found
                for name, value in found.items():
                    self.statistics.setdefault(ids[name].path, []).append(value)
            y = REFERENCE[op.op](op, x, own)
            applied.append(Applied(op, ids, x, own, y))
            x = y
        if self.tape:
            self.tape.layers[layer.y] = applied
        return x


def merge(fork: TypedFork, values: list[Array]) -> Array:
    """The merged outputs of the branches."""
    if fork.node.merge == "concat":
        return np.concatenate(values, axis=-1)
    return ELEMENTWISE[fork.node.merge]([broadcast(fork, value) for value in values])


ELEMENTWISE: Final[Mapping[str, Callable[[list[Array]], Array]]] = {
    "add": lambda values: sum(values[1:], values[0]),
    "multiply": lambda values: math.prod(values[1:], start=values[0]),
}
"""The merges that compute with equal positions of all branches."""


def broadcast(fork: TypedFork, value: Array) -> Array:
    """The output of a branch with the rank of the merge: a vector becomes a 1x1 feature map."""
    rank = fork.y.rank
    return (
        value
        if value.ndim == rank + 2
        else value.reshape(len(value), *(1,) * rank, value.shape[-1])
    )
