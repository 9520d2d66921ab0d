"""One training step in NumPy: loss, reverse-mode gradients, gradient descent, moving statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..ir.flow import Apply, Flow, Part, ValueId, WeightId, flow
from ..ir.program import INPUT
from ..ir.typed import TypedProgram
from ..ops import BatchNorm
from .activations import softmax
from .arrays import Array, Batch, Noise, Weights
from .forward import Tape, run, wide
from .gradients import BACKWARD, spread, unmerge


@dataclass(frozen=True, slots=True)
class Step:
    """The results of a training step; weights and gradients are by path.

    ``loss`` and ``outputs`` are those before the step. ``gradients`` are for the trainable weights,
    ``input_gradient`` is for the batch, by name if there are several inputs. ``weights`` are all
    weights after the step, with moving variances from the biased variance of the batch. ``counts``
    has the number of values in each channel for every moving variance, ``corrections`` what the
    unbiased variance adds to it.
    """

    loss: float
    outputs: Mapping[str, Array]
    gradients: Mapping[str, Array]
    weights: Mapping[str, Array]
    input_gradient: Batch
    counts: Mapping[str, list[int]]
    corrections: Mapping[str, Array]


def step(
    typed: TypedProgram,
    weights: Weights,
    x: Batch,
    targets: Any,
    rate: float,
    *,
    noise: Noise | None = None,
) -> Step:
    """One step of gradient descent with learning rate ``rate``, in training mode without dropout.

    ``targets`` are by output. If the program ``has_loss``, they are those of its ``targets``: class
    indices (N) for the final output, whose loss is cross-entropy with label smoothing, mean over
    the batch, plus that of the auxiliary heads times their weights; and what the losses of outputs
    take. Otherwise each output has an array of its shape, and the loss is the sum of the products
    of outputs and targets. ``noise`` changes every value that an op or a merge reads on the way to
    the outputs.
    """
    program, tape = flow(typed), Tape()
    result = run(program, weights, x, training=True, tape=tape, noise=noise)
    loss, cotangents = (
        trained(typed, result.outputs, targets)
        if typed.has_loss
        else weighed(result.outputs, targets)
    )
    back = Backward(tape)
    by_input = back.program(program, cotangents)
    input_gradient = by_input if typed.program.several else by_input[INPUT]
    gradients = {weight.path: gradient for weight, gradient in back.gradients.items()}
    counts = {weight.path: [*reversed(found)] for weight, found in back.counts.items()}
    decays = {weight.path: decay for weight, decay in back.decays.items()}
    after = {path: wide(value) for path, value in weights.items()}
    for path, gradient in gradients.items():
        after[path] = after[path] - rate * gradient
    for path, found in result.statistics.items():
        for statistic in found:  # each layer that has it moves it
            after[path] = decays[path] * after[path] + (1 - decays[path]) * statistic
    corrections = {
        path: correction(decays[path], result.statistics[path], found)
        for path, found in counts.items()
    }
    return Step(loss, result.outputs, gradients, after, input_gradient, counts, corrections)


def correction(decay: float, variances: list[Array], counts: list[int]) -> Any:
    """What unbiased variances add to a moving variance, which each of them moves."""
    total: Any = 0.0
    for variance, count in zip(variances, counts, strict=True):
        total = decay * total + ((1 - decay) * variance / (count - 1) if count > 1 else np.nan)
    return total


def unbiased(step: Step) -> dict[str, Array]:
    """The weights after the step with unbiased batch variances, as in PyTorch.

    The unbiased variance is n / (n - 1) times the biased one; NaN if n is 1.
    """
    return {
        **step.weights,
        **{path: step.weights[path] + more for path, more in step.corrections.items()},
    }


def weighed(
    outputs: Mapping[str, Array], targets: Mapping[str, Array]
) -> tuple[float, dict[str, Array]]:
    """The sum of the products of outputs and targets, and its gradient for each output."""
    found = {name: np.asarray(targets[name], np.float64) for name in outputs}
    return float(sum((outputs[name] * value).sum() for name, value in found.items())), found


def trained(
    typed: TypedProgram, outputs: Mapping[str, Array], targets: Mapping[str, Array]
) -> tuple[float, dict[str, Array]]:
    """The loss of all outputs that have one, and its gradient for each output."""
    smoothing = typed.program.training.label_smoothing if typed.program.training else 0.0
    loss, found = 0.0, {name: np.zeros(y.shape) for name, y in outputs.items()}
    for name, share, _, end in typed.classifiers:
        y, soft = outputs[name], end == "probabilities"
        value, gradient = classified(y, targets[typed.output_name], smoothing, probabilities=soft)
        loss, found[name] = loss + share * value, share * gradient
    for name, (kind, share, _) in typed.program.losses.items():
        y, target = outputs[name], np.asarray(targets[name])
        if kind == "cross_entropy":
            value, gradient = classified(y, target, smoothing)
        else:
            value, gradient = LOSSES[kind](y, target)
        loss, found[name] = loss + share * value, share * gradient
    return loss, found


def classified(
    y: Array, classes: Array, smoothing: float, *, probabilities: bool = False
) -> tuple[float, Array]:
    """Cross-entropy of classes, mean over all positions and the batch, with its gradient."""
    flat = y.reshape(classes.size, -1)
    targets = np.full(flat.shape, smoothing / flat.shape[-1])
    targets[np.arange(len(flat)), classes.ravel()] += 1 - smoothing
    value, gradient = cross_entropy(flat, targets, probabilities=probabilities)
    return value, gradient.reshape(y.shape)


def binary_cross_entropy(y: Array, targets: Array) -> tuple[float, Array]:
    """``-t log(s) - (1 - t) log(1 - s)`` of ``s = sigmoid(y)``: mean, with its gradient."""
    value = np.maximum(y, 0) - targets * y + np.log1p(np.exp(-np.abs(y)))
    sigmoid = np.where(y >= 0, 1, np.exp(np.minimum(y, 0))) / (1 + np.exp(-np.abs(y)))
    return float(value.mean()), (sigmoid - targets) / y.size


def mean_squared_error(y: Array, targets: Array) -> tuple[float, Array]:
    """The mean of ``(y - t)**2``, with its gradient."""
    return float(((y - targets) ** 2).mean()), 2 * (y - targets) / y.size


LOSSES: Final = {
    "binary_cross_entropy": binary_cross_entropy,
    "mean_squared_error": mean_squared_error,
}
"""The losses of outputs that compare numbers."""


def cross_entropy(y: Array, targets: Array, *, probabilities: bool) -> tuple[float, Array]:
    """``-sum(targets * log(p))``, mean over the batch, with its gradient.

    ``y`` are probabilities or logits.
    """
    if probabilities:
        cut = np.maximum(y, 1e-30)  # as in generated code, to keep the loss finite
        return float(-(targets * np.log(cut)).sum() / len(y)), -(targets / cut * (cut == y)) / len(
            y
        )
    shifted = y - y.max(-1, keepdims=True)
    logarithm = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return float(-(targets * logarithm).sum() / len(y)), (softmax(y) - targets) / len(y)


class Backward:
    """The backward pass through a program; releases the tape on the way, to save memory.

    A value or weight that is used more than once gets the sum of its gradients.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.gradients: dict[WeightId, Array] = {}
        self.counts: dict[WeightId, list[int]] = {}
        self.decays: dict[WeightId, float] = {}
        self.uses: dict[ValueId, list[Array]] = {}

    def program(self, program: Flow, cotangents: Mapping[str, Array]) -> dict[str, Array]:
        """The gradients of the inputs; ``cotangents`` are the gradients of the outputs."""
        for name, value in reversed([*program.outputs.items()]):
            self.used(value, cotangents[name])
        for statement in reversed(program.statements):
            dy = self.total(statement.y)
            if isinstance(statement, Apply):
                self.used(statement.x, self.layer(statement, dy))
                continue
            if isinstance(statement, Part):
                self.used(statement.x, spread(statement, dy, program.types[statement.x].channels))
                continue
            found = unmerge(statement.typed, self.tape.merges.pop(statement.y), dy)
            for value, gradient in zip(reversed(statement.inputs), reversed(found), strict=True):
                self.used(value, gradient)
        return {name: self.total(value) for name, value in program.inputs.items()}

    def used(self, value: ValueId, gradient: Array) -> None:
        """Record the gradient that one use of a value adds."""
        self.uses.setdefault(value, []).append(gradient)

    def total(self, value: ValueId) -> Array:
        """The gradient of a value whose uses are all recorded, summed in program order."""
        *later, first = self.uses.pop(value)
        return sum(reversed(later), start=first)

    def layer(self, layer: Apply, dy: Array) -> Array:
        """The gradient of a layer's input; those of its weights are added to ``gradients``."""
        applied = self.tape.layers.pop(layer.y)
        while applied:
            op, ids, x, weights, y = applied.pop()
            dy, found = BACKWARD[op.op](op, x, weights, y, dy)
            for name, gradient in found.items():
                known = self.gradients.get(ids[name])
                self.gradients[ids[name]] = gradient if known is None else known + gradient
            if isinstance(op, BatchNorm):
                self.counts.setdefault(ids["moving_variance"], []).append(x.size // x.shape[-1])
                self.decays |= {ids[name]: op.decay for name in ("moving_mean", "moving_variance")}
        return dy
