"""Frames and scopes by hand: a block with an int, a float, a bool and a str; used three times."""

from __future__ import annotations

from inception_dsl.backend import Code, Frame, Names, Row, Scope, Symbol
from inception_dsl.types.terms import of

CHANNELS, N = Symbol("in_channels"), Symbol("n")
RATE, FLAG, WORD = Symbol("rate", "float"), Symbol("flag", "bool"), Symbol("word", "str")
SYMBOLS = (CHANNELS, N, RATE, FLAG, WORD)
USES = ((8, 3, 0.5, True, "relu"), (16, 5, 0.25, False, "relu"), (8, 9, 0.5, True, "tanh"))
ROWS = tuple(Row(dict(zip(SYMBOLS, use, strict=True)), number) for number, use in enumerate(USES))


def frame(rows: tuple[Row, ...] = ROWS, *, sized: bool = False) -> Frame:
    """The frame of the block; ``rows`` are its uses."""
    return Frame({symbol.hint: of(symbol) for symbol in SYMBOLS}, rows, sized)


def scope(rows: tuple[Row, ...] = ROWS) -> Scope:
    """The scope of the block: every symbol becomes an argument when it is read."""
    names = Names(symbol.hint for symbol in SYMBOLS)
    known = {symbol: Code(symbol.hint) for symbol in SYMBOLS}
    return Scope(names, known, frozenset(SYMBOLS), rows)
