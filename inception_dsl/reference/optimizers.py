"""The optimisers in NumPy, in the exact form of each framework.

Each takes one weight w with gradient g, and changes the slots of the weight in place. Sources:
Caffe's ``solvers``, TensorFlow 1's ``training_ops``, ``keras.optimizers`` and ``torch.optim``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from ..ir.recipe import Optimizer
from ..types.optimizers import Form, OptimizerName
from .arrays import Array

Slots = dict[str, Array]


class Update(NamedTuple):
    """One step of one weight.

    ``step`` counts from 1; ``rate`` is the learning rate of the weight's group; ``decay`` is the
    decoupled weight decay, if the optimiser applies it.
    """

    optimizer: Optimizer
    form: Form
    step: int
    rate: float
    decay: float = 0.0

    def number(self, name: str) -> float:
        """A setting of the optimiser; :class:`.recipe.Recipe` rejects those without a value."""
        value: float = getattr(self.optimizer, name)
        return value


def slots(optimizer: Optimizer, form: Form, w: Array) -> Slots:
    """The slots of a weight before the first step.

    ``velocity`` (SGD, RMSProp) has the sign of the gradient; ``mean`` (Adam, LAMB) and
    ``mean_square`` (all but SGD) are those of the gradients.
    """
    start = {"velocity": 0.0, "mean": 0.0, "mean_square": 0.0}
    if optimizer.name == "rmsprop":
        start["mean_square"] = form.mean_square
    return {name: np.full_like(w, start[name]) for name in _SLOTS[optimizer.name]}


def updated(update: Update, w: Array, g: Array, slots: Slots) -> Array:
    """The weight after the step."""
    return _UPDATES[update.optimizer.name](update, w, g, slots)


def _sgd(update: Update, w: Array, g: Array, slots: Slots) -> Array:
    """Inside, v = m v + rate g and w - v; outside, v = m v + g and w - rate v. Nesterov looks one
    step ahead: m v + rate g, or rate (g + m v).
    """
    inside, momentum = update.form.sgd_rate_inside, update.number("momentum")
    own = update.rate * g if inside else g
    slots["velocity"] = velocity = momentum * slots["velocity"] + own
    change = own + momentum * velocity if update.optimizer.nesterov else velocity
    return w - (change if inside else update.rate * change)


def _rmsprop(update: Update, w: Array, g: Array, slots: Slots) -> Array:
    decay, epsilon = update.number("decay"), update.number("epsilon")
    slots["mean_square"] = square = decay * slots["mean_square"] + (1 - decay) * g * g
    inside = update.form.epsilon_inside
    scaled = g / (np.sqrt(square + epsilon) if inside else np.sqrt(square) + epsilon)
    own = update.rate * scaled if update.form.rmsprop_rate_inside else scaled
    slots["velocity"] = velocity = update.number("momentum") * slots["velocity"] + own
    return w - (velocity if update.form.rmsprop_rate_inside else update.rate * velocity)


def _moments(update: Update, g: Array, slots: Slots) -> tuple[Array, Array]:
    """The bias-corrected mean, and root of the mean square plus epsilon."""
    one, two, epsilon = (update.number(name) for name in ("beta_1", "beta_2", "epsilon"))
    slots["mean"] = mean = one * slots["mean"] + (1 - one) * g
    slots["mean_square"] = square = two * slots["mean_square"] + (1 - two) * g * g
    first, second = 1 - one**update.step, 1 - two**update.step
    lamb = update.optimizer.name == "lamb"  # one definition, with the corrected root
    if update.form.corrected_epsilon or lamb:
        return mean / first, np.sqrt(square / second) + epsilon
    return mean / first, (np.sqrt(square) + epsilon) / np.sqrt(second)


def _adam(update: Update, w: Array, g: Array, slots: Slots) -> Array:
    mean, root = _moments(update, g, slots)
    return w - update.rate * mean / root


def _lamb(update: Update, w: Array, g: Array, slots: Slots) -> Array:
    """You et al. 2020, algorithm 2: the change of each weight has the norm of the weight."""
    mean, root = _moments(update, g, slots)
    change = mean / root + update.decay * w
    own, other = float(np.linalg.norm(w)), float(np.linalg.norm(change))
    return w - update.rate * (own / other if own and other else 1.0) * change


_SLOTS: Final[dict[OptimizerName, tuple[str, ...]]] = {
    "sgd": ("velocity",),
    "rmsprop": ("mean_square", "velocity"),
    "adam": ("mean", "mean_square"),
    "adamw": ("mean", "mean_square"),
    "lamb": ("mean", "mean_square"),
}
_UPDATES: Final[dict[OptimizerName, Callable[[Update, Array, Array, Slots], Array]]] = {
    "sgd": _sgd,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
    "lamb": _lamb,
}
