"""One training step in NumPy.

Loss, gradients by reverse mode, plain gradient descent, moving statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir.typed import Path, Typed, TypedChain, TypedFork, TypedProgram, TypedUse
from ..ir.walk import applications
from ..ops import BatchNorm
from .forward import Tape, interpret
from .gradients import BACKWARD, unmerge
from .operations import Array, Weights, softmax


@dataclass(frozen=True, slots=True)
class Step:
    """A step of training.

    The loss and the outputs before it, and what it makes of the weights, by path.

    ``gradients`` are those of the trainable weights, ``input_gradient`` that of the batch.
    ``weights`` are all weights after it, the moving statistics by the biased variance of the batch.
    ``counts`` has for every moving variance the number of values that it was taken over in each
    channel.
    """

    loss: float
    outputs: dict[str, Array]
    gradients: dict[str, Array]
    weights: dict[str, Array]
    input_gradient: Array
    counts: dict[str, int]
    corrections: dict[str, Array]


def step(typed: TypedProgram, weights: Weights, x: Array, targets: Any, rate: float) -> Step:
    """One step of gradient descent at learning rate ``rate`` in training mode, dropout off.

    Where the program ``has_loss``, ``targets`` are classes (N), and the loss is cross-entropy with
    label smoothing, mean over the batch, plus that of the auxiliary heads by their weights. Else
    ``targets`` has an array like each output, by name, and the loss is the sum of all products of
    outputs and targets.
    """
    tape = Tape()
    result = interpret(typed, weights, x, training=True, tape=tape)
    loss, cotangents = (
        classified(typed, result.outputs, targets)
        if typed.has_loss
        else weighed(result.outputs, targets)
    )
    back = _Backward(tape)
    input_gradient = back.program(typed, cotangents)
    after = {path: np.asarray(value, np.float64) for path, value in weights.items()}
    for path, gradient in back.gradients.items():
        after[path] = after[path] - rate * gradient
    for path, found in result.statistics.items():
        decay = back.decays[path]
        after[path] = decay * after[path] + (1 - decay) * found
    corrections = {
        path: (1 - back.decays[path]) * result.statistics[path] / (count - 1)
        if count > 1
        else np.nan
        for path, count in back.counts.items()
    }
    return Step(
        loss, result.outputs, back.gradients, after, input_gradient, back.counts, corrections
    )


def unbiased(step: Step) -> dict[str, Array]:
    """The weights after a step of a framework that takes n / (n - 1) times the variance of the
    batch for the moving one; not a number where there is only one value.
    """
    return {
        **step.weights,
        **{path: step.weights[path] + more for path, more in step.corrections.items()},
    }


def weighed(
    outputs: Mapping[str, Array], targets: Mapping[str, Array]
) -> tuple[float, dict[str, Array]]:
    """The sum of all products of outputs and targets, and its gradient for each output."""
    found = {name: np.asarray(targets[name], np.float64) for name in outputs}
    return float(sum((outputs[name] * value).sum() for name, value in found.items())), found


def classified(
    typed: TypedProgram, outputs: Mapping[str, Array], classes: Array
) -> tuple[float, dict[str, Array]]:
    """Cross-entropy of the end and of the auxiliary heads, and its gradient for each output."""
    smoothing = typed.program.training.label_smoothing if typed.program.training else 0.0
    main = typed.program.output_name
    shares = {main: 1.0, **{head.name: head.loss_weight for head, _ in typed.heads}}
    loss, found = 0.0, {name: np.zeros(y.shape) for name, y in outputs.items()}
    for name, share in shares.items():
        y = outputs[name].reshape(len(classes), -1)
        targets = np.full(y.shape, smoothing / y.shape[-1])
        targets[np.arange(len(y)), classes] += 1 - smoothing
        value, gradient = cross_entropy(
            y, targets, probabilities=typed.probabilities and name == main
        )
        loss += share * value
        found[name] = share * gradient.reshape(outputs[name].shape)
    return loss, found


def cross_entropy(y: Array, targets: Array, *, probabilities: bool) -> tuple[float, Array]:
    """``-sum(targets * log(p))``, mean over the batch, with its gradient.

    ``y`` are probabilities or logits.
    """
    if probabilities:
        cut = np.maximum(y, 1e-30)  # as in generated code, so that the loss stays finite
        return float(-(targets * np.log(cut)).sum() / len(y)), -(targets / cut * (cut == y)) / len(
            y
        )
    shifted = y - y.max(-1, keepdims=True)
    logarithm = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return float(-(targets * logarithm).sum() / len(y)), (softmax(y) - targets) / len(y)


class _Backward:
    """Walks a program from its end; the tape is released on the way."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.gradients: dict[str, Array] = {}
        self.counts: dict[str, int] = {}
        self.decays: dict[str, float] = {}

    def program(self, typed: TypedProgram, cotangents: Mapping[str, Array]) -> Array:
        """The gradient of the input, given that of every output."""
        pending: dict[str, Array] = {}
        tapped = [(step, cotangents[name]) for name, step in typed.program.outputs.items()]
        tapped += [
            (head.after, self.chain(chain, cotangents[head.name], (head.name,)))
            for head, chain in typed.heads
        ]
        for name, dy in tapped:
            pending[name] = pending[name] + dy if name in pending else dy
        dy = cotangents[typed.program.output_name]
        for chain in reversed(list(typed.sections.values())):
            dy = self.chain(chain, dy, (), pending)
        return dy

    def chain(
        self, chain: TypedChain, dy: Array, path: Path, pending: dict[str, Array] | None = None
    ) -> Array:
        """``pending`` has what else is known of the outputs of steps, by name."""
        for step in reversed(chain.steps):
            if pending and step.node.segments and step.node.segments[-1] in pending:
                dy = dy + pending.pop(step.node.segments[-1])
            for segments, typed in reversed(list(applications(step))):
                dy = self.node(typed, dy, (*path, *segments))
        return dy

    def node(self, typed: Typed, dy: Array, path: Path) -> Array:
        if isinstance(typed, TypedUse):
            return self.chain(typed.body, dy, path)
        if isinstance(typed, TypedFork):
            gradients = unmerge(typed, self.tape.merges.pop(path), dy)
            parts = zip(typed.branches, gradients, strict=True)
            return sum(
                self.chain(branch, gradient, (*path, name)) for (name, branch), gradient in parts
            )
        return self.op(dy, path)

    def op(self, dy: Array, path: Path) -> Array:
        applied = self.tape.layers.pop(path)
        while applied:
            op, prefix, x, weights, y = applied.pop()
            dy, found = BACKWARD[op.op](op, x, weights, y, dy)
            self.gradients |= {prefix + name: gradient for name, gradient in found.items()}
            if isinstance(op, BatchNorm):
                self.counts[f"{prefix}moving_variance"] = x.size // x.shape[-1]
                self.decays |= {
                    prefix + name: op.decay for name in ("moving_mean", "moving_variance")
                }
        return dy
