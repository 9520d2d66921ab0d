"""Recipes in NumPy: every weight, slot and average after each step, in float64.

The judge of training scripts. A step is: mean over the replicas, L2, clip (in the order of the
form), decoupled weight decay, the optimiser, the running average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from ..ir.recipe import Average, GradientClip, Training
from ..types.optimizers import FORMS, Form
from .arrays import Array, Weights
from .optimizers import Slots, Update, slots, updated
from .schedules import learning_rate

GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {"kernel": "kernels", "bias": "biases", "gamma": "norms", "beta": "norms"}
)
"""The group of a weight by the last part of its path."""


class State(NamedTuple):
    """The state after ``step`` steps; arrays are by path.

    ``rate`` is the learning rate of the last step (without factors of groups), 0 before the first.
    ``average`` is empty without a running average.
    """

    step: int
    rate: float
    weights: Weights
    slots: Mapping[str, Slots]
    average: Weights


class Recipe:
    """The steps of a recipe, whose ``form`` is that of its optimiser unless it is given.

    Raises ``ValueError`` if the recipe has no value for something that a step needs.
    """

    def __init__(self, training: Training, form: Form | None = None) -> None:
        counts = ("batch_size", "epochs", "samples")  # of which only schedules need some
        if missing := [name for name in training.missing() if name not in counts]:
            raise ValueError(f"the recipe does not give {', '.join(missing)}")
        assert training.optimizer is not None
        assert training.optimizer.form is not None
        self.training, self.optimizer = training, training.optimizer
        self.form = FORMS[training.optimizer.form] if form is None else form
        learning_rate(training, 0)

    def begin(self, weights: Weights, statistics: Weights = MappingProxyType({})) -> State:
        """The state before the first step: trainable weights and moving statistics."""
        own = {path: np.array(w, np.float64) for path, w in weights.items()}
        for path in own:
            _group(path)
        slots_of = {path: slots(self.optimizer, self.form, w) for path, w in own.items()}
        average = self.training.average
        kept = {**own, **_float64(statistics if average and average.statistics else {})}
        return State(0, 0.0, own, slots_of, kept if average else {})

    def advance(
        self,
        state: State,
        gradients: Weights | Sequence[Weights],
        statistics: Weights = MappingProxyType({}),
    ) -> State:
        """The state after one more step.

        ``gradients`` are those of the mean loss, without L2: of the whole batch, or a list with
        those of each replica. ``statistics`` are the moving statistics after the step.
        """
        rate = learning_rate(self.training, state.step)
        step, weights, slots_of = state.step + 1, {}, {}
        for path, g in self._gradients(state.weights, _mean(gradients)).items():
            w, own = state.weights[path], dict(state.slots[path])
            of_group = rate * self._rate(path)
            decay = self._decay(path, "decoupled")
            trusted = self.optimizer.name == "lamb" and self.form.trusted_decay
            update = Update(self.optimizer, self.form, step, of_group, decay if trusted else 0.0)
            w = w if trusted else w - of_group * decay * w
            weights[path] = updated(update, w, g, own)
            slots_of[path] = own
        average = self._average(state.average, {**weights, **_float64(statistics)}, step)
        return State(step, rate, weights, slots_of, average)

    def _gradients(self, weights: Weights, found: Weights) -> dict[str, Array]:
        """The gradients by which the weights change: clipped, with L2."""
        if set(found) != set(weights):
            wrong = ", ".join(sorted(set(found) ^ set(weights)))
            raise ValueError(f"the gradients are not those of the weights: {wrong}")
        l2 = {path: self._decay(path, "l2") * w for path, w in weights.items()}
        with_l2 = {path: g + l2[path] for path, g in found.items()}
        clip = self.training.gradient_clip
        if clip is None:
            return with_l2
        if self.form.decay_clipped:
            return clipped(with_l2, clip, self.form)
        return {path: g + l2[path] for path, g in clipped(found, clip, self.form).items()}

    def _rate(self, path: str) -> float:
        group = self.training.groups.get(_group(path))
        return group.rate if group else 1.0

    def _decay(self, path: str, form: str) -> float:
        """The weight decay of a weight, if it has this form."""
        found, name = self.training.weight_decay, _group(path)
        if found is None or found.form != form:
            return 0.0
        group = self.training.groups.get(name)
        if group is not None and group.decay is not None:
            return found.rate * group.decay
        return found.rate if name == "kernels" or found.on == "all" else 0.0

    def _average(self, old: Weights, new: Weights, step: int) -> dict[str, Array]:
        average = self.training.average
        if average is None:
            return {}
        decay = 0.0 if step == 1 and self.form.average_copies else averaged(average, step)
        return {path: decay * w + (1 - decay) * new.get(path, w) for path, w in old.items()}


def averaged(average: Average, step: int) -> float:
    """The share of the old average that is kept after ``step`` steps, from 1.

    (1 + n) / (10 + n) is TensorFlow 1's ``ExponentialMovingAverage`` with ``num_updates``.
    """
    assert average.decay is not None
    return min(average.decay, (1 + step) / (10 + step)) if average.warm_up else average.decay


def clipped(gradients: Weights, clip: GradientClip, form: Form) -> dict[str, Array]:
    """The gradients with at most the norm of the recipe, all together, or at most its value."""
    if clip.norm is None:
        return {path: np.clip(g, -(clip.value or 0), clip.value) for path, g in gradients.items()}
    norm = float(np.sqrt(sum(float(np.sum(g * g)) for g in gradients.values())))
    factor = min(1.0, clip.norm / (norm + form.clip_epsilon)) if norm else 1.0
    return {path: g * factor for path, g in gradients.items()}


def _group(path: str) -> str:
    leaf = path.rpartition("/")[2]
    if leaf not in GROUPS:
        raise ValueError(f"`{path}` is no trainable weight: the last part is not {_LEAVES}")
    return GROUPS[leaf]


_LEAVES: Final = ", ".join(GROUPS)


def _float64(weights: Weights) -> dict[str, Array]:
    return {path: np.asarray(w, np.float64) for path, w in weights.items()}


def _mean(gradients: Weights | Sequence[Weights]) -> dict[str, Array]:
    """The mean of the gradients of all replicas, which have batches of one size."""
    each = [gradients] if isinstance(gradients, Mapping) else list(gradients)
    if not each:
        raise ValueError("there are no gradients")
    return {path: sum(_float64(g)[path] for g in each) / len(each) for path in each[0]}
