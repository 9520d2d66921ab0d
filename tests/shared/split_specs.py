"""Specs of a fork that divides its input."""

from __future__ import annotations

BLOCK = "block: mixer\ninput: {channels: 32, height: 9, width: 8}\n"


def fork(split: str, count: int = 2, merge: str = "concat") -> str:
    """A fork of empty branches."""
    branches = ", ".join(f"{name}: []" for name in "abcdefgh"[:count])
    return f"{{name: mix, branches: {{{branches}}}, split: {split}, merge: {merge}}}"


def spec(split: str, count: int = 2, more: str = "", merge: str = "concat") -> str:
    return f"{BLOCK}{more}steps:\n  - {fork(split, count, merge)}\n"
