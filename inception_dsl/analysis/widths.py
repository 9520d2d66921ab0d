"""Parameters that are only numbers of filters.

The width of a network scales their values where they are passed, and what is computed from them
follows: ``${4 * growth}`` is four times the scaled growth. Other numbers of filters are scaled
where an op reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..ir.program import Chain, ForkNode, OpNode, Program
from ..ops import attribute_names, expressions
from ..types.expression import Expression

TOP = ""
FIELD = "filters"
FIXED = frozenset({"in_channels", "classes"})
"""What no width scales."""


def filter_parameters(program: Program) -> dict[str, frozenset[str]]:
    """The names of these parameters in each block; those at the top level are under ``""``."""
    found = _Reads(program)
    return {
        TOP: found.split(program.chains)[0],
        **{name: found.of(name)[0] for name in program.blocks},
    }


class _Reads:
    """What the blocks of a program read."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.known: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def of(self, block: str) -> tuple[frozenset[str], frozenset[str]]:
        """The parameters of a block that are only numbers of filters, and all others it reads."""
        if block not in self.known:
            self.known[block] = self.split([self.program.blocks[block].chain])
        return self.known[block]

    def split(self, chains: Iterable[Chain]) -> tuple[frozenset[str], frozenset[str]]:
        """The names that chains read only as numbers of filters, and all others."""
        read, alone, others = set[str](), set[str](), set[str]()
        together: list[set[str]] = []
        for value, counts in (found for chain in chains for found in self.values(chain)):
            for each in expressions(value):
                names = {name for name, _ in each.names}
                read |= names
                if not counts or _degree(each) != 1:
                    others |= names
                elif len(each.code) == 1:
                    alone |= names
                else:
                    together.append(names - FIXED)
        only = alone - others
        while mixed := {name for names in together if names - only for name in names & only}:
            only -= mixed  # scaled in one expression with what is not
        return frozenset(only), frozenset(read - only)

    def values(self, chain: Chain) -> Iterator[tuple[Any, bool]]:
        """Every value that the steps of a chain use, and whether it is a number of filters."""
        for node in chain:
            yield node.repeat, False
            if node.each:
                yield from self.values(node.each)
                continue
            if isinstance(node, OpNode):
                for name in attribute_names(type(node.op)):
                    yield getattr(node.op, name), name == FIELD
            elif isinstance(node, ForkNode):
                yield node.sizes, True
                for _, branch in node.branches:
                    yield from self.values(branch)
            else:
                only, others = self.of(node.block)
                for name, value in node.arguments.items():
                    if name in only or name in others:
                        yield value, name in only


def _degree(expression: Expression) -> int | None:
    """How often a factor of all parameters is a factor of the result: 1 for ``a + 2 * b``.

    ``None`` if it is no power of it, as for ``a + 16``.
    """
    stack: list[int | None] = []
    for kind, value, _ in expression.code:
        if kind in ("number", "name"):
            stack.append(int(kind == "name"))
            continue
        count = int(value) if value.isdecimal() else 1 if kind == "negate" else 2
        given = stack[-count:]
        del stack[-count:]
        a, b = given[0], given[-1]
        if kind in ("*", "/", "//") and a is not None and b is not None:
            stack.append(a + b if kind == "*" else a - b)
        else:
            stack.append(a if len({*given}) == 1 else None)
    return stack[0]
