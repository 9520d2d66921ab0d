"""The ways to merge the branches of a fork: concatenate, add, multiply."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

Merge: TypeAlias = Literal["concat", "add", "multiply"]
MERGES: Final[tuple[str, ...]] = get_args(Merge)
