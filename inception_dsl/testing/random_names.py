"""Names that also have a meaning in generated code, Python, a framework, or the language."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path
from typing import Final

ODD: Final = tuple(Path(__file__).with_name("names.txt").read_text().split())
"""Names for parameters, steps, branches, blocks and heads."""
TOP: Final = (
    *("net", "conv", "bn", "pool", "norm", "width", "forward", "scale", "stem", "body", "head"),
    *("flatten", "model", "relu", "act", "branch", "features", "training", "activation", "step"),
    *("num_classes", "in_features", "in_channels", "padding", "stride", "epsilon", "fc", "aux"),
)
"""Names for networks, where names of the frameworks and of Python are an error."""
NO_HEADS: Final = frozenset({"logits", "stem", "body", "head"})
"""Names of the final output and of sections, with which paths of steps without a name begin."""
FIELDS: Final = frozenset(
    {"name", "repeat", "use", "deviation", "allow", "op", "branches", "weights", "each"}
)
"""Fields of a use; a use cannot set a parameter with such a name, so it keeps its default."""


class Pool:
    """A few unusual names for one spec, so that different things often get the same name."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.odd = rng.sample(ODD, rng.choice((3, 6, 6, 9, 9, 14)))
        self.share = rng.choice((0.3, 0.6, 0.9))
        self.number = 0

    def pick(self, word: str, taken: Collection[str], also: Collection[str] = ()) -> str:
        """A name not in ``taken``: an unusual one, one of ``also``, or ``word`` with a number."""
        free = [n for n in (*self.odd, *also) if n not in taken]
        if free and self.rng.random() < self.share:
            return self.rng.choice(free)
        self.number += 1
        while f"{word}{self.number}" in taken:
            self.number += 1
        return f"{word}{self.number}"
