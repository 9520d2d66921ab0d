"""What is judged of an emitted file, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
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


def resized(typed: TypedProgram, sizes: Mapping[str, tuple[int, ...]]) -> TypedProgram:
    """The program on inputs of other sizes; types of nodes stay: infer it to read them."""
    own = typed.program.inputs.items()
    inputs = {name: x._replace(spatial=sizes.get(name, x.spatial)) for name, x in own}
    return replace(typed, program=typed.program._replace(inputs=inputs))
