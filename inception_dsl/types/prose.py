"""Free text of a spec, kept apart from source code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Prose:
    """A free text of a spec.

    Anything may stand in it, so it is no ``str`` and is part of none by accident.

    It reaches source through ``literal``, ``comment`` and ``docstring``; ``plain`` is for them, and
    for what is printed for a person.
    """

    plain: str = ""

    def __bool__(self) -> bool:
        return bool(self.plain)

    def __str__(self) -> NoReturn:
        raise TypeError(
            "a text of a spec reaches source as a literal, a comment or a docstring only"
        )

    def __format__(self, _: str) -> str:
        return str(self)
