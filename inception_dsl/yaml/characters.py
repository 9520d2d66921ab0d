"""Checks the characters of a spec: its length, and that all are visible."""

from __future__ import annotations

import re
from typing import Final

from ..diagnostics.report import Report, Span
from ..diagnostics.text import visible

MAX_CHARACTERS: Final = 1_000_000


def allowed(text: str, file: str, report: Report) -> bool:
    """Whether a file has at most ``MAX_CHARACTERS`` characters, all visible.

    Reports the first invisible character.
    """
    if len(text) > MAX_CHARACTERS:
        report.error(
            "E106", f"the file has more than {MAX_CHARACTERS:,} characters", Span(file, 1, 1, 1, 2)
        )
        return False
    if text.isascii() and not _CONTROL.search(text):
        return True
    for number, line in enumerate(text.split("\n"), 1):
        found = hidden_in(line.removesuffix("\r"))
        if found is not None:
            column = line.index(found) + 1
            message = f"the invisible character U+{ord(found):04X} is not allowed"
            report.error("E102", message, Span(file, number, column, number, column + 1))
            return False
    return True


def hidden_in(text: str) -> str | None:
    """The first character of ``text`` that is invisible or changes the text direction.

    Tabs are allowed.
    """
    if text.isprintable() and not _BLANK.search(text):
        return None
    return next((c for c in text if not (visible(c) or c == "\t") or _BLANK.match(c)), None)


_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef]"
)
"""Characters that Python calls printable but that show as blank."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
