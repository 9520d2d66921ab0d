"""How a fork divides the channels of its input between its branches."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

EQUAL: Final = "equal"
REST: Final = "rest"

Split: TypeAlias = "str | tuple[Any, ...] | None"
"""``None``: every branch gets the whole input. ``EQUAL``: parts of one size. A tuple: a number or
an expression for each branch, and at most once ``REST``, which is what the others leave.
"""
