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
    "merge": "#ffffff",
    "block": "#e9f2fa",
    "norm": "#ecdaf0",
    "pool": "#f2cd82",
    "other": "#c0c0ba",
    "conv": "#79b7e5",
    "dense": "#6eae87",
    "activation": "#d67a50",
}
_DARK: Final[dict[Role, str]] = {
    "merge": "#1a1c1e",
    "block": "#212b35",
    "norm": "#422f47",
    "other": "#42423f",
    "conv": "#00527c",
    "dense": "#296449",
    "pool": "#7d6220",
    "activation": "#ab5c41",
}
THEMES: Final = {
    "light": Theme("#ffffff", "#111111", "#333333", "#555555", "#555555", _LIGHT),
    "dark": Theme("#101214", "#f7f7f7", "#c8ccd2", "#9aa3ad", "#9aa3ad", _DARK),
    "transparent": Theme("", "#111111", "#767676", "#767676", "#767676", _LIGHT),
}
