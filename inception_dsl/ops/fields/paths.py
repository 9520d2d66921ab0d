"""The checks of names of files and steps."""

import re
from typing import Any, Final

from .refusal import refuse, shown

ID: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


def path(value: Any) -> str:
    """Check for the path of a spec file."""
    if isinstance(value, str) and 1 <= len(value) <= 1024 and value.isprintable():
        return value
    raise refuse(f"expected the path of a spec file, found {shown(value)}")


def step_path(value: Any) -> str:
    """Check for the path of a step: names and positions with slashes between them."""
    value = str(value) if type(value) is int else value
    parts = value.split("/") if isinstance(value, str) else ()
    if not parts or not all(p.isdecimal() or ID.match(p) for p in parts) or len(value) > 1024:
        text, help = shown(value), "write the path of a step, such as `conv1` or `branch_3x3/conv1`"
        raise refuse(f"expected the path of a step, found {text}", code="E206", help=help)
    return str(value)
