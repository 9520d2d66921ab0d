"""What an op becomes in PyTorch: modules, or an expression in ``forward``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from inception_dsl.backend import Code, Expression, Slot

Speller: TypeAlias = Callable[[Slot], Code]
"""Writes a slot into an expression, in parentheses where it is a sum."""


class Stored(NamedTuple):
    """A weight that an op may have: its name below the op in the spec, its module among the op's,
    its key, its layout.
    """

    name: str
    module: int
    key: str
    layout: str


class Layer(NamedTuple):
    """``modules`` are constructors to run in order, ``weights`` where each weight is among them, in
    any use.

    ``inline`` writes the op as an expression of its input instead; it spells the slots that it
    reads, and needs the imports ``needs``.
    """

    modules: tuple[Expression, ...] = ()
    weights: tuple[Stored, ...] = ()
    inline: Callable[[str, Speller], str] | None = None
    needs: tuple[str, ...] = ()
