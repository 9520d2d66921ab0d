"""The colours of figures.

The fills differ in lightness, so that they can be told apart in grayscale and by people who do not
see all colours; a test computes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from .figure import Role


class Theme(NamedTuple):
    """Colours: ``text`` in boxes, ``outside`` for other text, ``border`` of boxes."""

    background: str
    text: str
    outside: str
    line: str
    border: str
    fills: Mapping[Role, str]


_LIGHT: Final[dict[Role, str]] = {
    "block": "#e8eef7",
    "conv": "#a9cbe8",
    "pool": "#f7d9a0",
    "dense": "#8fc9a8",
    "norm": "#f4e9f4",
    "activation": "#e3a587",
    "other": "#d5d5cf",
    "merge": "#ffffff",
}
_DARK: Final[dict[Role, str]] = {
    "block": "#2b3648",
    "conv": "#1f5a87",
    "pool": "#7a5a14",
    "dense": "#1f6b4a",
    "norm": "#5a3d63",
    "activation": "#8a4a33",
    "other": "#4a4a48",
    "merge": "#1b1f24",
}
THEMES: Final = {
    "light": Theme("#ffffff", "#111111", "#333333", "#555555", "#555555", _LIGHT),
    "dark": Theme("#14181d", "#f2f2f2", "#c8ccd2", "#9aa3ad", "#9aa3ad", _DARK),
    "transparent": Theme("", "#111111", "#767676", "#767676", "#767676", _LIGHT),
}
