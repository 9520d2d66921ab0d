"""Colours for the share of a cost: light to dark, or dark to light on a dark page.

The lightness alone gives the order, so that they can be read in grayscale and by people who do not
see all colours; a test computes that, and the contrast of the text on them.
"""

from __future__ import annotations

from typing import Final

LIMITS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""The shares with which the levels after the first begin; the same in every network."""
COLOURS: Final = {
    "light": ("#fffdf0", "#fdeaae", "#f9c976", "#ee9f5b", "#d4634e", "#9c3358", "#4f1850"),
    "dark": ("#1d222a", "#3b2950", "#6a2c66", "#a03a62", "#de7356", "#f3ac5e", "#fdeaae"),
}
_INKS: Final = ("#000000", "#ffffff")


def luminance(colour: str) -> float:
    """The relative luminance of ``#rrggbb``, as WCAG 2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    """The contrast of two colours, from 1 to 21, as WCAG 2 defines it."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def ink(fill: str) -> str:
    """The colour of text on ``fill``: black or white."""
    return max(_INKS, key=lambda text: contrast(text, fill))
