"""Free text of a spec, kept separate from generated source code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Prose:
    """A free text of a spec, such as a title.

    It is untrusted, so it is not a ``str`` and raises ``TypeError`` where it would be formatted
    into one. Emit it with ``literal``, ``comment`` or ``docstring``; ``plain`` is the raw text for
    these functions and for terminal output.
    """

    plain: str = ""

    def __bool__(self) -> bool:
        return bool(self.plain)

    def __str__(self) -> NoReturn:
        raise TypeError(
            "free text of a spec must be emitted as a literal, a comment or a docstring"
        )

    def __format__(self, _: str) -> str:
        return str(self)
