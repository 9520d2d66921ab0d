"""Names in generated code."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

_SPELLED = {
    "resnet": "ResNet",
    "googlenet": "GoogLeNet",
    "alexnet": "AlexNet",
    "vgg": "VGG",
    "i3d": "I3D",
    "unet": "UNet",
    "metanext": "MetaNeXt",
    "rgb": "RGB",
    "bn": "BN",
    "se": "SE",
    "cbam": "CBAM",
    "relu": "ReLU",
}


def class_name(identifier: str) -> str:
    """``inception_resnet_v2`` becomes ``InceptionResNetV2``."""
    words = [w for w in identifier.split("_") if w]
    name = "".join(_SPELLED.get(w, w[:1].upper() + w[1:]) for w in words)
    return f"{name}_" if keyword.iskeyword(name) else name  # None, True, False


def spelled(identifier: str) -> str:
    """``inception_resnet_a`` becomes ``Inception-ResNet-A``, ``my_head`` becomes ``My head``."""
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
    """The used names of one scope, in order."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.taken = dict.fromkeys(reserved)

    def take(self, name: str) -> str:
        """Mark a name as used, even if it already is."""
        self.taken[name] = None
        return name

    def unique(self, *wanted: str) -> str:
        """Mark and return the first free name in ``wanted``, else the last one with a number."""
        for candidate in wanted:
            if candidate not in self.taken:
                return self.take(candidate)
        number = 2
        while f"{wanted[-1]}_{number}" in self.taken:
            number += 1
        return self.take(f"{wanted[-1]}_{number}")

    def state(self) -> int:
        """The state for :meth:`restore`: the number of used names."""
        return len(self.taken)

    def restore(self, state: int) -> None:
        """Free the names that were marked since :meth:`state`."""
        while len(self.taken) > state:
            self.taken.popitem()
