"""What is judged of an emitted file, and what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from ..backend.protocol import Files
from ..ir.typed import TypedProgram
from .bounds import FLOAT64


class Finding(NamedTuple):
    """A comparison of something that the file offers: its relative error, or why it is wrong."""

    name: str
    error: float = 0.0
    problem: str = ""

    @property
    def wrong(self) -> str:
        """What is wrong, or an empty text."""
        if self.problem or self.error <= FLOAT64:
            return self.problem
        return f"{self.name} differ: relative error {self.error:.2g}, allowed {FLOAT64:g}"


class Job(NamedTuple):
    """What was emitted: ``emitted`` is the program of ``files``."""

    runner: Any
    emitted: TypedProgram
    files: Files


def resized(typed: TypedProgram, axes: tuple[int, ...]) -> TypedProgram:
    """The program on an input of another size; types of nodes stay, as nothing here reads them."""
    changed = typed.program.input._replace(spatial=axes)
    return replace(typed, program=typed.program._replace(input=changed))
