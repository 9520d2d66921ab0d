"""Names for the types of arrays, and batches of one input or of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..ir.program import INPUT

Array: TypeAlias = Any
Batch: TypeAlias = Any
"""The array of a batch; for several inputs, a mapping of their names to arrays."""
Weights: TypeAlias = Mapping[str, Array]
Noise: TypeAlias = Callable[[Array], Array]
"""Adds rounding errors to a value that an op reads."""
Gradients: TypeAlias = tuple[Array, dict[str, Array]]


def by_input(x: Batch) -> Mapping[str, Array]:
    """The arrays of a batch by the names of the inputs."""
    return x if isinstance(x, Mapping) else {INPUT: x}


def each(change: Callable[[Array], Array], x: Batch) -> Batch:
    """The batch with all of its arrays changed."""
    return {n: change(a) for n, a in x.items()} if isinstance(x, Mapping) else change(x)


def samples(x: Batch) -> int:
    """The number of samples of a batch."""
    return len(next(iter(by_input(x).values())))
