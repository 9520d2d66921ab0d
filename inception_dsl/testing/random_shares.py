"""Steps that share weights, added to random chains and forks.

Their random numbers are their own, so that the specs without them stay the same.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from .random_blocks import Block, Step
from .random_shapes import Shape
from .random_values import Values

WEIGHTED: Final = frozenset(
    {
        *("conv", "conv_bn", "separable_conv", "depthwise_conv", "conv_transpose", "dense"),
        *("batch_norm", "layer_norm", "group_norm"),
    }
)
NORMS: Final = frozenset({"batch_norm", "conv_bn"})


class Shares:
    """Adds steps that share weights; ``values`` makes their names. None are added if ``off``."""

    def __init__(self, seed: int, values: Values) -> None:
        self.rng, self.values, self.off = random.Random(f"shares {seed}"), values, False

    def chain(self, steps: list[Step], shapes: list[Shape]) -> list[Step]:
        """The steps, some of them twice; ``shapes`` are those before and after each."""
        found: list[Step] = []
        for step, (x, y) in zip(steps, pairwise(shapes), strict=True):
            found.append(step)
            if x == y and self.owning(step) and self.rng.random() < 0.08:
                found.append(self.again(step))
                if self.rng.random() < 0.3:
                    found[-1]["repeat"] = 2
        return found

    def fork(self, branches: dict[str, list[Step]]) -> None:
        """Add a branch with the weights of another one, after an activation."""
        fitting = [name for name, steps in branches.items() if self.copied(steps)]
        if fitting and self.rng.random() < 0.15:
            name = self.rng.choice(fitting)
            steps = [
                self.again(step, f"{name}/")
                if self.owning(step) or "weights" in step
                else {**step, "name": self.values.fresh("copy")}
                for step in branches[name]
            ]
            first: Step = {"op": "activation", "function": "tanh"}
            branches[self.values.fresh("again")] = [first, *steps]

    def copied(self, steps: list[Step]) -> bool:
        """Whether a branch can be written once more, in any framework: Keras computes the calls of
        a batch norm in order only at the end of a branch.
        """
        if any("branches" in step or "repeat" in step for step in steps):
            return False
        norms = [self.has(step, NORMS) for step in steps]
        return any(map(self.owning, steps)) and not any(norms[:-1])

    def owning(self, step: Step) -> bool:
        """Whether others can share the weights of a step."""
        plain = not self.off and not {"repeat", "each", "branches", "weights"} & step.keys()
        return plain and self.has(step, WEIGHTED)

    def has(self, step: Step, ops: frozenset[str]) -> bool:
        """Whether a step has one of these ops."""
        blocks: Mapping[str, Block] = self.values.book.blocks
        inner = [blocks[step["use"]].steps] if "use" in step else []
        inner += step.get("branches", {}).values()
        if step.get("op") in ("layer_norm", "group_norm") and {"scale", "center"} & step.keys():
            return False  # it may have no weights
        repeat = step.get("repeat", 1)
        if not isinstance(repeat, int) or not repeat:
            return False  # it may be absent
        return step.get("op") in ops or any(self.has(s, ops) for steps in inner for s in steps)

    def again(self, step: Step, above: str = "") -> Step:
        """A step with the weights of ``step`` or of its owner; ``above`` begins the path."""
        if "name" not in step:
            step["name"] = self.values.fresh("owner")
        owner = step.get("weights", step["name"])
        kept = {key: value for key, value in step.items() if key not in ("name", "deviation")}
        return {**kept, "name": self.values.fresh("shared"), "weights": f"{above}{owner}"}
