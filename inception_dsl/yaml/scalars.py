"""Scalars of the YAML 1.2 core schema, and numbers that YAML versions read differently."""

from __future__ import annotations

import re
from typing import Final

INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]{1,32}|[0-9]{1,32}(\.[0-9]{0,32})?)([eE][-+]?[0-9]{1,3})?\Z"
)
ODD: Final = re.compile(
    r"[-+]?(0[0-9_]+|0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+|[0-9][0-9_]*(:[0-5]?[0-9])+|[0-9]+(_[0-9]+)+)\Z"
)
LONG: Final = re.compile(r"[-+]?[0-9]{19,}\Z")
WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NUMERIC: Final = frozenset("+-.0123456789")
"""The characters with which a number can start."""
SPECIAL: Final = frozenset(
    {f"{s}.{w}" for s in ("", "-", "+") for w in ("inf", "Inf", "INF")} | {".nan", ".NaN", ".NAN"}
)


def decimal_digits(text: str) -> str:
    """A YAML 1.2 number such as `0x1F` in decimal digits; empty for `1:30` and the like."""
    digits = text.lstrip("+-").replace("_", "")
    if ":" in text or len(digits) > 18:
        return ""
    number = int(digits, 0) if digits[1:2] in ("o", "x", "b") else int(digits)
    return f"-{number}" if text.startswith("-") else str(number)
