"""Symbolic terms: how a number is computed from a block's parameters and input.

Generated code prints a term, such as ``channels // 2``, in place of a number, but only if the term
has the right value in every use of the block (:mod:`inception_dsl.backend.scope`).

A :class:`Symbol` is a parameter, the channels of an input or the index of a loop. Symbols are
compared by identity, not by name. A :class:`Term` is arithmetic over symbols. Terms cannot be
ordered or used as conditions: every decision is made on the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from .expression import ROUNDING, Expression

Number: TypeAlias = "int | float"
MAX_SIZE: Final = 60


@dataclass(eq=False, slots=True)
class Symbol:
    """A quantity whose value can differ in each use; ``hint`` is a readable name."""

    hint: str
    kind: str = "int"

    def __repr__(self) -> str:
        return f"<{self.hint}>"


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation kept as it is: ``+ - * / // %`` of two terms, ``min``/``max`` of any number,
    ``round``/``floor``/``ceil`` of one.
    """

    function: str
    arguments: tuple[Term, ...]

    @property
    def size(self) -> int:
        return 1 + sum(term.size for term in self.arguments)


Atom: TypeAlias = "Symbol | Apply"


@dataclass(frozen=True, slots=True)
class Term:
    """``constant + sum(factor * atom)``; factors, and the constant of a sum, are integers."""

    parts: tuple[tuple[Atom, int], ...]
    constant: Number = 0

    @property
    def size(self) -> int:
        """The number of symbols and operations."""
        return sum(1 if isinstance(atom, Symbol) else atom.size for atom, _ in self.parts)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols in the term, each once, in order."""
        return tuple(dict.fromkeys(_symbols(self)))

    @property
    def lone(self) -> Symbol | None:
        """The symbol, if the term is a single symbol."""
        match self.parts:
            case ((Symbol() as symbol, 1),) if not self.constant:
                return symbol
        return None

    def evaluate(self, values: Mapping[Symbol, Any]) -> Any:
        """The value with the symbols in ``values``.

        Raises ``ArithmeticError``, ``KeyError`` or ``TypeError`` if there is none.
        """
        if self.lone is not None:
            return values[self.lone]
        total: Any = self.constant
        for index, (atom, factor) in enumerate(self.parts):
            value = values[atom] if isinstance(atom, Symbol) else _apply(atom, values)
            value = value if factor == 1 else factor * value
            total = value if not index and not self.constant else total + value
        return total


def _symbols(term: Term) -> Iterator[Symbol]:
    for atom, _ in term.parts:
        if isinstance(atom, Symbol):
            yield atom
        else:
            for argument in atom.arguments:
                yield from _symbols(argument)


_OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "min": min,
    "max": max,
    **ROUNDING,
    "half_up": lambda a: max(1, int(a + 0.5)),
}


def _apply(atom: Apply, values: Mapping[Symbol, Any]) -> Any:
    return _OPERATORS[atom.function](*(argument.evaluate(values) for argument in atom.arguments))


def constant(value: Number) -> Term:
    """The term of a constant."""
    return Term((), value)


def of(symbol: Symbol) -> Term:
    """The term of a single symbol."""
    return Term(((symbol, 1),))


def whole(term: Term) -> bool:
    """Whether a term is an integer for all values of its symbols.

    Only then is a sum independent of its order: float sums are rounded.
    """
    if not term.parts:  # for speed: most terms are constants
        return isinstance(term.constant, int)
    return isinstance(term.constant, int) and all(
        atom.kind == "int" if isinstance(atom, Symbol) else _integer(atom) for atom, _ in term.parts
    )


def _integer(atom: Apply) -> bool:
    """Whether an operation gives an integer for all values of its symbols."""
    if atom.function in ROUNDING or atom.function == "half_up":
        return True
    return atom.function != "/" and all(map(whole, atom.arguments))


def _bounded(term: Term | None) -> Term | None:
    """``term``, or ``None`` if it is too long to be readable."""
    return None if term is None or term.size > MAX_SIZE else term


def _kept(function: str, *arguments: Term) -> Term | None:
    if all(not argument.parts for argument in arguments):
        try:
            return constant(_OPERATORS[function](*(argument.constant for argument in arguments)))
        except ArithmeticError:
            return None
    return _bounded(Term(((Apply(function, arguments), 1),)))


def add(a: Term | None, b: Term | None) -> Term | None:
    """``a + b``; integer terms are simplified."""
    if a is None or b is None:
        return None
    if not (whole(a) and whole(b)):
        return _kept("+", a, b)
    parts: dict[Atom, int] = dict(a.parts)
    for atom, factor in b.parts:
        parts[atom] = parts.get(atom, 0) + factor
    kept = tuple((atom, factor) for atom, factor in parts.items() if factor)
    return _bounded(Term(kept, a.constant + b.constant))


def negate(a: Term | None) -> Term | None:
    """``-a``."""
    if a is None:
        return None
    return multiply(a, constant(-1)) if whole(a) else _kept("-", constant(0), a)


def subtract(a: Term | None, b: Term | None) -> Term | None:
    """``a - b``."""
    if a is None or b is None:
        return None
    return add(a, negate(b)) if whole(a) and whole(b) else _kept("-", a, b)


def multiply(a: Term | None, b: Term | None) -> Term | None:
    """``a * b``."""
    if a is None or b is None:
        return None
    if whole(a) and whole(b):
        for term, other in ((a, b), (b, a)):
            if not other.parts:
                factor = int(other.constant)
                parts = tuple((atom, f * factor) for atom, f in term.parts if factor)
                return Term(parts, term.constant * factor)
    return _kept("*", a, b)


def divide(a: Term | None, b: Term | None) -> Term | None:
    """``a // b``."""
    if a is None or b is None:
        return None
    if whole(a) and a.parts and not b.parts and isinstance(b.constant, int) and b.constant > 0:
        by = b.constant
        if all(factor % by == 0 for _, factor in a.parts):
            return Term(tuple((atom, f // by) for atom, f in a.parts), a.constant // by)
    return _kept("//", a, b)


def quotient(a: Term | None, b: Term | None) -> Term | None:
    """``a / b``."""
    return None if a is None or b is None else _kept("/", a, b)


def rounded(function: str, a: Term | None) -> Term | None:
    """``round``, ``floor``, ``ceil`` or ``half_up`` (``function``) of a term.

    ``half_up`` is the nearest integer, halves up, at least 1.
    """
    if a is None or whole(a):
        return a
    match a.parts:
        case ((Apply("/", (top, bottom)), 1),) if not a.constant and whole(top) and whole(bottom):
            if function == "floor":
                return divide(top, bottom)
            if function == "ceil":
                return negate(divide(negate(top), bottom))
    return _kept(function, a)


def modulo(a: Term | None, b: Term | None) -> Term | None:
    """``a % b``."""
    return None if a is None or b is None else _kept("%", a, b)


def choose(function: str, *terms: Term | None) -> Term | None:
    """``min`` or ``max`` (``function``) of terms."""
    found = [term for term in terms if term is not None]
    if len(found) < len(terms):
        return None
    return found[0] if all(term == found[0] for term in found) else _kept(function, *found)


_BINARY: Final[dict[str, Callable[[Term | None, Term | None], Term | None]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": quotient,
    "//": divide,
    "%": modulo,
}


def explain(expression: Expression, names: Mapping[str, Term | None]) -> Term | None:
    """The term of an expression; ``None`` if one of its names has none."""
    stack: list[Term | None] = []
    for kind, value, _ in expression.code:
        if kind == "number":
            stack.append(constant(float(value) if "." in value else int(value)))
        elif kind == "name":
            stack.append(names.get(value))
        elif kind == "negate":
            stack.append(negate(stack.pop()))
        else:
            count = int(value) if value.isdecimal() else 2
            arguments = stack[-count:]
            del stack[-count:]
            stack.append(applied(kind, arguments))
    return stack[0]


def applied(function: str, arguments: Sequence[Term | None]) -> Term | None:
    """The term of an operation on terms."""
    if function in ROUNDING or function == "half_up":
        return rounded(function, *arguments)
    if function in ("min", "max"):
        return choose(function, *arguments)
    return _BINARY[function](*arguments)


def replace(term: Term | None, terms: Mapping[Symbol, Term | None]) -> Term | None:
    """``term`` with its symbols replaced by terms; ``None`` if a symbol has none."""
    if term is None:
        return None
    total: Term | None = constant(term.constant)
    for index, (atom, factor) in enumerate(term.parts):
        if isinstance(atom, Symbol):
            value = terms.get(atom)
        else:
            value = applied(atom.function, [replace(each, terms) for each in atom.arguments])
        value = value if factor == 1 else multiply(value, constant(factor))
        total = value if not index and not term.constant else add(total, value)
    return total
