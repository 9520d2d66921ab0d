"""How an op is written in PyTorch: as modules, or as an expression in ``forward``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import Code, Expression, Slot

Speller: TypeAlias = Callable[[Slot], Code]
"""Returns a slot as source for an expression; sums are in parentheses."""


class Stored(NamedTuple):
    """A weight that an op may have.

    ``name`` is its name below the op's path in the spec; ``module`` is the index of its module in
    :attr:`Layer.modules`, ``key`` its key in that module.
    """

    name: str
    module: int
    key: str
    layout: str


class Layer(NamedTuple):
    """How an op is written.

    ``modules`` are constructor calls of modules that run in order, ``weights`` all weights that the
    op has in any use. ``inline`` writes the op as an expression of its input instead, if possible;
    the expression needs the imports ``needs``. ``fresh`` is the same op for an input that nothing
    else reads, if it may overwrite that.
    """

    modules: tuple[Expression, ...] = ()
    weights: tuple[Stored, ...] = ()
    inline: Callable[[str, Speller], str] | None = None
    needs: tuple[str, ...] = ()
    fresh: Layer | None = None
