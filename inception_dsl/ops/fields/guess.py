"""Suggestions for invalid values: YAML to write instead, or an empty string."""

from __future__ import annotations

import keyword
import re
from typing import Any, Final

from ...yaml.edits import flow

_TRUE: Final = frozenset({"yes", "on", "y", "true", "1", "1.0"})
_FALSE: Final = frozenset({"no", "off", "n", "false", "0", "0.0", "none"})


def number(value: Any, low: int, high: int) -> str:
    """An integer in the range, from text or a float: ``"8"`` or ``8.0`` gives ``8``."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,8}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return ""
    return str(int(value)) if low <= value <= high else ""


def share(value: Any) -> str:
    """A number from text or a percentage: ``"20%"`` gives ``0.2``."""
    text = value.strip()[:20] if isinstance(value, str) else ""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(%?)", text, re.ASCII)
    return f"{float(found[1]) / (100 if found[2] else 1):.12g}" if found else ""


def truth(value: Any) -> str:
    """``true`` or ``false`` for other spellings of them, as ``yes`` or ``0``."""
    word = str(value)[:9].lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else ""


def sizes(value: Any) -> str:
    """A list from ``3x3`` or ``(3, 3)``."""
    text = value if isinstance(value, str) else ""
    found = re.fullmatch(
        r"\(?\s*([0-9]{1,4}(?:\s*[x,]\s*[0-9]{1,4}){1,2})\s*,?\s*\)?", text[:40], re.ASCII
    )
    return str([int(n) for n in re.split(r"[x,\s]+", found[1])]) if found else ""


def listed(value: Any) -> str:
    """The words of a list as one text: ``[Szegedy, Ioffe]`` gives ``"Szegedy, Ioffe"``."""
    words = value if isinstance(value, list) else []
    if not words or not all(isinstance(word, str) and word for word in words):
        return ""
    return flow(", ".join(words))


def name(value: Any) -> str:
    """A valid name similar to ``value``: ``My-Net`` gives ``my_net``."""
    plain = re.sub(r"[^a-z0-9]+", "_", str(value)[:60].lower()).strip("_")
    found = plain if plain[:1].isalpha() else f"n{plain}"
    return found if plain and isinstance(value, str | int) and not keyword.iskeyword(found) else ""
