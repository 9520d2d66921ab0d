"""A helper class of a generated file, as its template prints it."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import Code

NOTHING = Code("")


class HelperView(NamedTuple):
    """A helper to print: its template, and what varies in it."""

    template: str
    name: Code = NOTHING
    base: Code = NOTHING
    doc: Code = NOTHING
    lines: tuple[Code, ...] = ()
    head: Code = NOTHING
    result: Code = NOTHING
