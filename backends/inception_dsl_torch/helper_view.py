"""The view of a helper of a generated file."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import Code

EMPTY = Code("")


class HelperView(NamedTuple):
    """A helper to print: its template, and what varies in it."""

    template: str
    name: Code = EMPTY
    base: Code = EMPTY
    doc: Code = EMPTY
    lines: tuple[Code, ...] = ()
    head: Code = EMPTY
    result: Code = EMPTY
