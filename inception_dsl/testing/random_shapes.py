"""Shapes and fields of random steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .random_blocks import Given, Step

DEFAULTS: Final[Mapping[str, Any]] = {
    "stride": 1,
    "padding": "same",
    "dilation": 1,
    "ceil_mode": False,
    "groups": 1,
    "depth_multiplier": 1,
    "over": "positions",
    "keepdims": False,
    "repeat": 1,
    "output_padding": 0,
}
WINDOWED: Final = frozenset(
    {"conv", "conv_bn", "separable_conv", "depthwise_conv", "max_pool", "avg_pool"}
)
POOLS: Final = frozenset({"max_pool", "avg_pool"})
ENLARGING: Final = frozenset({"upsample", "conv_transpose"})
GLOBAL: Final = frozenset({"adaptive_avg_pool", "global_avg_pool", "global_max_pool"})


class Misfit(Exception):  # noqa: N818 - the step is discarded; not an error
    """A step does not fit, or its output is too large for a quick test."""


class Shape(NamedTuple):
    """The shape of one sample: spatial axes (none for a vector) and channels."""

    spatial: tuple[int, ...]
    channels: int

    @property
    def rank(self) -> int:
        return len(self.spatial)

    @property
    def elements(self) -> int:
        found = self.channels
        for size in self.spatial:
            found *= size
        return found


class Attributes:
    """The fields of a step: its own values, else the spec's defaults, else the op's."""

    def __init__(self, step: Step, defaults: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self.step, self.defaults, self.values = step, defaults, values

    def __getitem__(self, key: str) -> Any:
        return resolved(self.step.get(key, self.defaults.get(key, DEFAULTS.get(key))), self.values)


def resolved(value: Any, values: Mapping[str, Any]) -> Any:
    """A value with its expressions evaluated."""
    if isinstance(value, Given):
        return value.of(values)
    return [resolved(v, values) for v in value] if isinstance(value, list) else value


def at(value: Any, axis: int) -> int:
    return int(value[axis] if isinstance(value, list) else value)


def sides(padding: Any, axis: int) -> tuple[int, int]:
    """Explicit padding as pixels before and after an axis."""
    if padding == "valid":
        return 0, 0
    one = padding[axis] if isinstance(padding, list) else padding
    return (one[0], one[1]) if isinstance(one, list) else (one, one)
