"""The inputs of the branches of a fork that divides the channels of its input."""

from __future__ import annotations

from .random_blocks import Step
from .random_fields import At
from .random_sizes import starts
from .random_terms import Values, divide, number, piece_of, subtract


def parts(step: Step, at: At, values: Values) -> list[At]:
    """The inputs of the branches of any fork, with the expressions for their channels."""
    split = step.get("split")
    if split is None:
        return [at] * len(step["branches"])
    shapes = starts(step, at.shape, values)
    if split == "equal":
        part = divide(at.channels, number(len(shapes))) if at.channels else None
        return [At(shape, part) for shape in shapes]
    left = at.channels
    for size in split:
        own = None if size == "rest" else piece_of(size)
        if size != "rest":
            left = subtract(left, own) if left and own else None
    pieces = [left if size == "rest" else piece_of(size) for size in split]
    return [At(*found) for found in zip(shapes, pieces, strict=True)]
