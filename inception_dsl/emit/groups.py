"""The settings of each group of weights of a recipe, for training scripts."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..ir.recipe import Training, WeightGroup

GROUPS: Final = ("kernels", "biases", "norms")


class GroupSettings(NamedTuple):
    """The factor of the learning rate and the weight decay of some weights."""

    rate: float
    decay: float


def group_settings(training: Training) -> dict[str, GroupSettings]:
    """The settings of all groups, with the weight decay of those that the recipe does not name."""
    return {name: _settings(training, name) for name in GROUPS}


def _settings(training: Training, name: str) -> GroupSettings:
    given = training.groups.get(name, WeightGroup())
    found = training.weight_decay
    if found is None:
        return GroupSettings(given.rate, 0.0)
    if given.decay is not None:
        return GroupSettings(given.rate, found.rate * given.decay)
    decays = name == "kernels" or found.on == "all"
    return GroupSettings(given.rate, found.rate if decays else 0.0)
