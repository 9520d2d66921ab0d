"""The colours of figures, in grayscale and as people see them who do not see all colours."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from inception_dsl_documents.figure import Role
from inception_dsl_documents.labels import ROLES
from inception_dsl_documents.palette import THEMES

Colour = tuple[float, float, float]
# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0: on linear RGB
SIGHT = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(code: str) -> Colour:
    parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return r, g, b


def luminance(code: str) -> float:
    r, g, b = linear(code)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def lab(colour: Colour) -> Colour:
    """CIE L*a*b*, of which distances are as large as people see differences."""
    r, g, b = (min(1.0, max(0.0, c)) for c in colour)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(code: str, sight: str) -> Colour:
    colour = linear(code)
    r, g, b = (sum(f * c for f, c in zip(row, colour, strict=True)) for row in SIGHT[sight])
    return lab((r, g, b))


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_all_roles_have_a_colour(theme: str) -> None:
    assert set(THEMES[theme].fills) == set(ROLES)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES)
def test_colours_can_be_told_apart(theme: str, sight: str) -> None:
    """A difference of 2.3 can just be seen; neighbours in a legend need more."""
    fills = THEMES[theme].fills
    for one, two in combinations(fills, 2):
        assert math.dist(seen(fills[one], sight), seen(fills[two], sight)) > 6, (one, two)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_can_be_told_apart_in_grayscale(theme: str) -> None:
    lightness: dict[Role, float] = {
        role: seen(code, "all colours")[0] for role, code in THEMES[theme].fills.items()
    }
    for low, high in pairwise(sorted(lightness.values())):
        assert high - low > 4


@pytest.mark.parametrize("name", THEMES)
def test_text_is_readable(name: str) -> None:
    theme = THEMES[name]
    pages = [theme.background] if theme.background else ["#ffffff", "#000000"]
    for fill in theme.fills.values():
        assert contrast(theme.text, fill) >= 4.5, fill
    for page in pages:
        assert contrast(theme.outside, page) >= 4.5
        assert contrast(theme.line, page) >= 3
