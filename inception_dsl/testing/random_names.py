"""Names that mean something to generated code, to Python, to a framework, or to the language."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path
from typing import Final

ODD: Final = tuple(Path(__file__).with_name("names.txt").read_text().split())
"""What a spec may call a parameter, a step, a branch, a block or a head."""
TOP: Final = (
    *("net", "conv", "bn", "pool", "norm", "width", "forward", "scale", "stem", "body", "head"),
    *("flatten", "model", "relu", "act", "branch", "features", "training", "activation", "step"),
    *("num_classes", "in_features", "in_channels", "padding", "stride", "epsilon", "fc", "aux"),
)
"""What a network may be called: the frameworks' and Python's own names are refused there."""
FIELDS: Final = frozenset({"name", "repeat", "use", "deviation", "allow", "op", "branches"})
"""What a use says of itself; a parameter that is called so keeps its default."""


class Pool:
    """The odd names of one spec: a few, so that different things are often called the same."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.odd = rng.sample(ODD, rng.choice((3, 6, 6, 9, 9, 14)))
        self.share = rng.choice((0.3, 0.6, 0.9))
        self.number = 0

    def pick(self, word: str, taken: Collection[str], also: Collection[str] = ()) -> str:
        """A name that is not ``taken``: an odd one, one of ``also``, or ``word`` with a number."""
        free = [n for n in (*self.odd, *also) if n not in taken]
        if free and self.rng.random() < self.share:
            return self.rng.choice(free)
        self.number += 1
        while f"{word}{self.number}" in taken:
            self.number += 1
        return f"{word}{self.number}"
