"""Names in generated code."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPELLED = {"resnet": "ResNet", "googlenet": "GoogLeNet", "bn": "BN", "se": "SE"}


def class_name(identifier: str) -> str:
    """``inception_resnet_v2`` as ``InceptionResNetV2``."""
    words = [w for w in identifier.split("_") if w]
    return "".join(_SPELLED.get(w, w[:1].upper() + w[1:]) for w in words)


def spelled(identifier: str) -> str:
    """``inception_resnet_a`` gives ``Inception-ResNet-A``; ``some_head`` gives ``Some head``."""
    text = ""
    for word in identifier.split("_"):
        letter = len(word) == 1 and word.isalpha()
        joined = letter or word in _SPELLED or re.fullmatch(r"v\d+", word)
        shown = (
            word.upper()
            if letter
            else _SPELLED.get(word, word if text else word[:1].upper() + word[1:])
        )
        text += f"{'-' if joined else ' '}{shown}" if text else shown
    return text


class Names:
    """The names taken in one scope, in order."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.taken = dict.fromkeys(reserved)

    def take(self, name: str) -> str:
        """Take a name, be it taken already or not."""
        self.taken[name] = None
        return name

    def unique(self, *wanted: str) -> str:
        """The first of ``wanted`` that is free, else the last with a number.

        It is taken from now on.
        """
        for candidate in wanted:
            if candidate not in self.taken:
                return self.take(candidate)
        number = 2
        while f"{wanted[-1]}_{number}" in self.taken:
            number += 1
        return self.take(f"{wanted[-1]}_{number}")

    def state(self) -> int:
        """What :meth:`restore` takes back: how many names are taken."""
        return len(self.taken)

    def restore(self, state: int) -> None:
        """Free the names that were taken since."""
        while len(self.taken) > state:
            self.taken.popitem()
