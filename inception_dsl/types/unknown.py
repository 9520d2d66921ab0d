"""Values that are not known: those of parameters without a default, and sizes of no input.

An unknown number of channels is an :class:`UnknownInt`, which still has a term; every other value
is :class:`Unknown`.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from .spelling import spell
from .terms import Term, subtract
from .traced import Traced, term_of

_ANY: Final = 5_040
"""The number in place of an unknown one: nothing may depend on it."""


class UnknownError(Exception):
    """A result depends on a value that is not known."""


class Unknown:
    """A value of a type of parameters (``kind``). Whatever reads it raises ``UnknownError``."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getattr__(self, name: str) -> Unknown:
        """A field of a value that is not known, such as ``batch_norm.epsilon``."""
        if name.startswith("_"):
            raise AttributeError(name)
        return Unknown("")

    def _read(self, *_: Any) -> NoReturn:
        raise UnknownError

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _read
    __bool__ = __hash__ = __iter__ = __index__ = __len__ = __contains__ = _read
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _read
    __floordiv__ = __rfloordiv__ = __neg__ = _read

    def __rmod__(self, other: int) -> int:
        """No remainder: it is not known whether a number is divisible by this one."""
        return 0


class UnknownInt(Traced):
    """A number of channels of which only the term is known. Two are equal if their terms are."""

    kind: Final = "int"

    def __new__(cls, term: Term | None) -> UnknownInt:
        self = super().__new__(cls, _ANY, term)
        assert isinstance(self, UnknownInt)
        return self

    def __eq__(self, other: object) -> bool:
        if self is other or self.term is None:
            return self is other
        return isinstance(other, UnknownInt) and self.term == other.term

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return id(self) if self.term is None else hash(self.term)

    def __mod__(self, other: object) -> int:
        """No remainder: it is not known whether this is divisible."""
        return 0

    def __str__(self) -> str:
        if self.term is None:
            return "?"
        return spell(self.term, {symbol: symbol.hint for symbol in self.term.symbols})

    __repr__ = __str__

    def __format__(self, form: str) -> str:
        return str(self)


def known(value: int) -> int:
    """``value`` as a number if its term is a constant, else as an unknown one."""
    if not isinstance(value, Traced):
        return value
    term = value.term
    return UnknownInt(term) if term is None or term.parts else int(term.constant)


def is_unknown(value: object) -> bool:
    """Whether a value, or an item of it, is not known."""
    if isinstance(value, dict):
        return any(map(is_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_unknown, value))
    return isinstance(value, Unknown | UnknownInt)


def differ(one: int, other: int) -> bool:
    """Whether two numbers differ whatever the unknown values are."""
    between = subtract(term_of(one), term_of(other))
    return between is not None and not between.parts and between.constant != 0
