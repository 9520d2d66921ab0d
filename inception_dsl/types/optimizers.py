"""Optimisers and schedules by name: their fields, and what each framework computes.

Where the definitions of an optimiser differ, a recipe says whose it means: its `form`. `caffe` is
Caffe 1, `tensorflow` is `tf.compat.v1.train`, `keras` is Keras 3 and `torch` is `torch.optim`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

OptimizerName: TypeAlias = Literal["sgd", "rmsprop", "adam", "adamw", "lamb"]
FormName: TypeAlias = Literal["caffe", "tensorflow", "keras", "torch"]
ScheduleName: TypeAlias = Literal[
    "constant", "staircase", "exponential", "polynomial", "cosine", "steps", "warm_up", "plateau"
]


class Form(NamedTuple):
    """What the training of one framework computes, where frameworks differ.

    ``title`` is its name in a sentence. ``epsilon_inside``: RMSProp divides by sqrt(mean square +
    epsilon), else by sqrt(mean square) + epsilon. ``mean_square`` is where its mean square starts.
    ``sgd_rate_inside`` and ``rmsprop_rate_inside``: the velocity has the learning rate in it, so
    that a lower rate acts on new gradients only. ``corrected_epsilon``: Adam adds epsilon to the
    root of the bias-corrected mean square, else to that of the mean square itself.
    ``trusted_decay``: LAMB's trust ratio has the weight decay in it. ``clip_epsilon`` is added to
    the norm by which gradients are clipped. ``decay_clipped``: L2 is part of the loss, so that it
    is clipped with the gradients. ``average_copies``: the running average is the weights after the
    first step; else it starts with the initial weights.
    """

    title: str
    epsilon_inside: bool
    mean_square: float
    sgd_rate_inside: bool
    rmsprop_rate_inside: bool
    corrected_epsilon: bool
    trusted_decay: bool
    clip_epsilon: float
    decay_clipped: bool
    average_copies: bool


FORMS: Final[dict[FormName, Form]] = {
    "caffe": Form("Caffe", False, 0.0, True, True, False, False, 0.0, False, False),
    "tensorflow": Form("TensorFlow 1", True, 1.0, False, True, False, True, 0.0, True, False),
    "keras": Form("Keras", True, 0.0, True, True, False, False, 0.0, True, True),
    "torch": Form("PyTorch", False, 0.0, False, False, True, False, 1e-6, False, True),
}


class Kind(NamedTuple):
    """The fields of an optimiser or a schedule besides those that all have.

    A run needs a number for each of ``needed``. ``forms`` are the frameworks that have it.
    """

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    forms: tuple[FormName, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them."""
        return self.needed + self.optional


TITLES: Final[dict[OptimizerName, str]] = {
    "sgd": "SGD",
    "rmsprop": "RMSProp",
    "adam": "Adam",
    "adamw": "AdamW",
    "lamb": "LAMB",
}
"""The names of optimisers in a sentence."""
_ADAM: Final = ("beta_1", "beta_2", "epsilon")
_ALL: Final[tuple[FormName, ...]] = ("caffe", "tensorflow", "keras", "torch")
OPTIMIZERS: Final[dict[OptimizerName, Kind]] = {
    "sgd": Kind((), ("momentum", "nesterov"), _ALL),
    "rmsprop": Kind(("decay", "epsilon"), ("momentum",), _ALL),
    "adam": Kind(_ADAM, (), _ALL),
    "adamw": Kind(_ADAM, (), ("keras", "torch")),
    "lamb": Kind(_ADAM, (), ("tensorflow", "keras")),
}
_COUNTED: Final = ("counts_from", "by_epoch")
SCHEDULES: Final[dict[ScheduleName, Kind]] = {
    "constant": Kind(),
    "staircase": Kind(("factor", "every"), _COUNTED),
    "exponential": Kind(("factor", "every"), _COUNTED),
    "polynomial": Kind(("power",), ("end", *_COUNTED)),
    "cosine": Kind((), ("end", *_COUNTED)),
    "steps": Kind(("factor", "at"), _COUNTED),
    "warm_up": Kind((), ("start", *_COUNTED)),
    "plateau": Kind(("factor",), ("patience", "minimum")),
}
"""`every` and `at` are in epochs or in steps: `every_epochs`, `every_steps`."""
UNITS: Final = ("epochs", "steps")
