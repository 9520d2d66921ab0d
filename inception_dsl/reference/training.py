"""One training step in NumPy: loss, reverse-mode gradients, gradient descent, moving statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir.flow import Apply, Flow, ValueId, WeightId, flow
from ..ir.typed import TypedProgram
from ..ops import BatchNorm
from .arrays import Array, Weights
from .forward import Tape, run
from .gradients import BACKWARD, unmerge
from .operations import softmax


@dataclass(frozen=True, slots=True)
class Step:
    """The results of a training step; weights and gradients are by path.

    ``loss`` and ``outputs`` are those before the step. ``gradients`` are for the trainable weights,
    ``input_gradient`` is for the batch. ``weights`` are all weights after the step, with moving
    variances from the biased variance of the batch. ``counts`` has the number of values in each
    channel for every moving variance, ``corrections`` what the unbiased variance adds to it.
    """

    loss: float
    outputs: dict[str, Array]
    gradients: dict[str, Array]
    weights: dict[str, Array]
    input_gradient: Array
    counts: dict[str, int]
    corrections: dict[str, Array]


def step(typed: TypedProgram, weights: Weights, x: Array, targets: Any, rate: float) -> Step:
    """One step of gradient descent with learning rate ``rate``, in training mode without dropout.

    If the program ``has_loss``, ``targets`` are class indices (N), and the loss is cross-entropy
    with label smoothing, mean over the batch, plus that of the auxiliary heads times their weights.
    Otherwise ``targets`` has an array of the shape of each output, by name, and the loss is the sum
    of the products of outputs and targets.
    """
    program, tape = flow(typed), Tape()
    result = run(program, weights, x, training=True, tape=tape)
    loss, cotangents = (
        classified(typed, result.outputs, targets)
        if typed.has_loss
        else weighed(result.outputs, targets)
    )
    back = Backward(tape)
    input_gradient = back.program(program, cotangents)
    gradients = {weight.path: gradient for weight, gradient in back.gradients.items()}
    counts = {weight.path: count for weight, count in back.counts.items()}
    decays = {weight.path: decay for weight, decay in back.decays.items()}
    after = {path: np.asarray(value, np.float64) for path, value in weights.items()}
    for path, gradient in gradients.items():
        after[path] = after[path] - rate * gradient
    for path, found in result.statistics.items():
        after[path] = decays[path] * after[path] + (1 - decays[path]) * found
    corrections = {
        path: (1 - decays[path]) * result.statistics[path] / (count - 1) if count > 1 else np.nan
        for path, count in counts.items()
    }
    return Step(loss, result.outputs, gradients, after, input_gradient, counts, corrections)


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


def classified(
    typed: TypedProgram, outputs: Mapping[str, Array], classes: Array
) -> tuple[float, dict[str, Array]]:
    """Cross-entropy of all outputs that classify, and its gradient for each output."""
    smoothing = typed.program.training.label_smoothing if typed.program.training else 0.0
    loss, found = 0.0, {name: np.zeros(y.shape) for name, y in outputs.items()}
    for name, share, _, end in typed.classifiers:
        y = outputs[name].reshape(len(classes), -1)
        targets = np.full(y.shape, smoothing / y.shape[-1])
        targets[np.arange(len(y)), classes] += 1 - smoothing
        value, gradient = cross_entropy(y, targets, probabilities=end == "probabilities")
        loss += share * value
        found[name] = share * gradient.reshape(outputs[name].shape)
    return loss, found


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
        self.counts: dict[WeightId, int] = {}
        self.decays: dict[WeightId, float] = {}
        self.uses: dict[ValueId, list[Array]] = {}

    def program(self, program: Flow, cotangents: Mapping[str, Array]) -> Array:
        """The gradient of the input; ``cotangents`` are the gradients of the outputs."""
        for name, value in reversed([*program.outputs.items()]):
            self.used(value, cotangents[name])
        for statement in reversed(program.statements):
            dy = self.total(statement.y)
            if isinstance(statement, Apply):
                self.used(statement.x, self.layer(statement, dy))
                continue
            found = unmerge(statement.typed, self.tape.merges.pop(statement.y), dy)
            for value, gradient in zip(reversed(statement.inputs), reversed(found), strict=True):
                self.used(value, gradient)
        return self.total(program.input)

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
                self.counts[ids["moving_variance"]] = x.size // x.shape[-1]
                self.decays |= {ids[name]: op.decay for name in ("moving_mean", "moving_variance")}
        return dy
