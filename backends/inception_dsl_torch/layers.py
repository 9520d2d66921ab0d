"""What an op becomes in PyTorch.

Modules, or an expression in ``forward`` where nothing is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from inception_dsl.backend import Expression, Value


class Stored(NamedTuple):
    """A weight: its name below the op in the spec, its module among the op's modules, its key
    there, its layout.
    """

    name: str
    module: int
    key: str
    layout: str


class Layer(NamedTuple):
    """``modules`` are constructors to run in order.

    ``inline`` writes the op as an expression of its input instead, which reads the values
    ``reads``.
    """

    modules: tuple[Expression, ...] = ()
    weights: tuple[Stored, ...] = ()
    inline: Callable[[str], str] | None = None
    reads: tuple[Value, ...] = ()
