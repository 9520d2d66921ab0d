"""A NumPy interpreter of typed programs in float64, channels last.

The judge of what the frameworks compute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..ir.typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import applications
from ..ops import Op
from .operations import REFERENCE, Array, Weights, elementary, moments


@dataclass(frozen=True, slots=True)
class Result:
    """What a program computes.

    Outputs by name, the output of every used block and of every step at the top by path, and in
    training the batch statistics (biased variance) by the path of the moving ones.
    """

    outputs: dict[str, Array]
    blocks: dict[str, Array]
    statistics: dict[str, Array]


class Applied(NamedTuple):
    """An elementary op on a value.

    ``prefix`` stands before the names of its weights in their paths.
    """

    op: Op
    prefix: str
    x: Array
    weights: dict[str, Array]
    y: Array


@dataclass(frozen=True, slots=True)
class Tape:
    """What the way back needs: the ops of every layer, and what every merge was given, by path."""

    layers: dict[Path, list[Applied]] = field(default_factory=dict)
    merges: dict[Path, list[Array]] = field(default_factory=dict)


def interpret(
    typed: TypedProgram,
    weights: Weights,
    x: Array,
    *,
    training: bool = False,
    tape: Tape | None = None,
) -> Result:
    """Run a program on a batch ``x`` (N, spatial axes, channels).

    Auxiliary heads only stand in training.
    """
    interpreter = _Interpreter(weights, training, tape)
    value = np.asarray(x, np.float64)
    after: dict[str, Array] = {}
    for chain in typed.sections.values():
        value = interpreter.top(chain, value, (), after)
    outputs = {typed.program.output_name: value}
    outputs |= {name: after[step] for name, step in typed.program.outputs.items()}
    if training:
        for head, chain in typed.heads:
            outputs[head.name] = interpreter.top(chain, after[head.after], (head.name,), {})
    return Result(outputs, interpreter.blocks, interpreter.statistics)


class _Interpreter:
    def __init__(self, weights: Weights, training: bool, tape: Tape | None) -> None:
        self.weights, self.training, self.tape = weights, training, tape
        self.blocks: dict[str, Array] = {}
        self.statistics: dict[str, Array] = {}

    def top(self, chain: TypedChain, x: Array, path: Path, after: dict[str, Array]) -> Array:
        """A chain of which the outputs of all steps are kept, ``after`` their names."""
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments))
                if here := "/".join((*path, *segments)):
                    self.blocks[here] = x
            if step.node.segments:
                after[step.node.segments[-1]] = x
        return x

    def chain(self, chain: TypedChain, x: Array, path: Path) -> Array:
        for step in chain.steps:
            for segments, typed in applications(step):
                x = self.node(typed, x, (*path, *segments))
        return x

    def node(self, typed: Typed, x: Array, path: Path) -> Array:
        if isinstance(typed, TypedFork):
            values = [self.chain(branch, x, (*path, name)) for name, branch in typed.branches]
            if self.tape:
                self.tape.merges[path] = values
            return merge(typed, values)
        if isinstance(typed, TypedUse):
            self.blocks["/".join(path)] = value = self.chain(typed.body, x, path)
            return value
        return self.op(typed, x, path)

    def op(self, typed: TypedOp, x: Array, path: Path) -> Array:
        names = [weight.name for weight in typed.op.weights(typed.x)]
        applied = []
        for part, op in elementary(typed.op):
            prefix = "/".join((*path, part))
            own = {
                name.removeprefix(part): np.asarray(
                    self.weights["/".join((*path, name))], np.float64
                )
                for name in names
                if name.startswith(part)
            }
            if self.training and op.op == "batch_norm":
                found = moments(x)
                own |= found
                self.statistics |= {prefix + name: value for name, value in found.items()}
            y = REFERENCE[op.op](op, x, own)
            applied.append(Applied(op, prefix, x, own, y))
            x = y
        if self.tape:
            self.tape.layers[path] = applied
        return x


def merge(fork: TypedFork, values: list[Array]) -> Array:
    """The outputs of the branches as one."""
    if fork.node.merge == "concat":
        return np.concatenate(values, axis=-1)
    full = [broadcast(fork, value) for value in values]
    return (
        sum(full[1:], full[0]) if fork.node.merge == "add" else math.prod(full[1:], start=full[0])
    )


def broadcast(fork: TypedFork, value: Array) -> Array:
    """The output of a branch with as many axes as the merge has.

    A vector becomes a map of one pixel.
    """
    rank = fork.y.rank
    return (
        value
        if value.ndim == rank + 2
        else value.reshape(len(value), *(1,) * rank, value.shape[-1])
    )
