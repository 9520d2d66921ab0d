"""Blocks of random specs, their parameters, and expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

Step: TypeAlias = dict[str, Any]
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Given(NamedTuple):
    """An expression in a spec: its text, and the function that computes it from a scope."""

    text: str
    of: Callable[[Mapping[str, Any]], Any]


class Parameter(NamedTuple):
    """A parameter of a block: its type, its first value, other values, and if it has a default."""

    type: str
    value: Any
    choices: tuple[Any, ...]
    optional: bool


@dataclass(slots=True)
class Block:
    """A block and its parameters.

    ``imported`` says whether it has a file of its own; ``defaults`` are those of that file.
    """

    steps: list[Step]
    parameters: dict[str, Parameter]
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    imported: bool = False
