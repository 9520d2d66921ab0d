"""One function for several definitions of a block.

Where they differ only by the value of a parameter, it is named.

The compiler defines a block once for each set of values that reach a kernel size or a stride.
Functions over tensors need no such copies: the value becomes an argument again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inception_dsl.backend import literal

from .body import Assign, Statement
from .calls import Argument


def unify(
    variants: Sequence[list[Statement]], values: Sequence[Mapping[str, Any]]
) -> list[Statement] | None:
    """Statements that serve every variant, given the ``values`` that each one has written out; or
    ``None``.
    """
    if len({len(v) for v in variants}) != 1:
        return None
    found = [_statement(same, values) for same in zip(*variants, strict=True)]
    return None if None in found else [s for s in found if s is not None]


def _statement(
    same: tuple[Statement, ...], values: Sequence[Mapping[str, Any]]
) -> Statement | None:
    first = same[0]
    assigns = [s for s in same if isinstance(s, Assign)]
    if not isinstance(first, Assign) or len(assigns) < len(same):
        return first if len(set(same)) == 1 else None
    bare = {replace(s, call=replace(s.call, arguments=(), made=())) for s in assigns}
    keywords = {tuple(a.keyword for a in s.call.arguments) for s in assigns}
    if len(bare) > 1 or len(keywords) > 1:
        return None
    slots = zip(*(s.call.arguments for s in assigns), strict=True)
    arguments = [_argument(slot, values) for slot in slots]
    if None in arguments:
        return None
    return replace(
        first, call=first.call.with_arguments(tuple(a for a in arguments if a is not None))
    )


def _argument(slot: tuple[Argument, ...], values: Sequence[Mapping[str, Any]]) -> Argument | None:
    written = {a.value for a in slot if a.value is not None}
    if len(written) <= 1:
        return replace(slot[0], value=next(iter(written), None))
    # no word of Keras: it is left out
    if slot[0].keyword == "activation" and literal("none") in written:
        return None
    for name in sorted(values[0], key=lambda n: n != slot[0].keyword):
        if all(a.value in (None, literal(v[name])) for a, v in zip(slot, values, strict=True)):
            return replace(slot[0], value=name)
    return None
