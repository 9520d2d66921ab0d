"""How numbers of channels are scaled and rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.types.width import UNCHANGED, Width

# the numbers of MobileNetV2 (Sandler et al. 2018), as its own code rounds them: value, divisor
ROUNDED = [
    (32 * 0.35, 8, 16),
    (16 * 0.35, 8, 8),
    (24 * 0.35, 8, 8),
    (96 * 0.35, 8, 32),
    (160 * 0.35, 8, 56),
    (24 * 0.75, 8, 24),
    (96 * 1.3, 8, 128),
    (20, 8, 24),
    (12, 8, 16),
    (11.9, 8, 16),
    (3.5, 1, 4),
    (2.5, 1, 3),
    (2.3, 1, 2),
    (0.2, 1, 1),
]


@pytest.mark.parametrize(("value", "divisor", "wanted"), ROUNDED)
def test_rounded_numbers(value: float, divisor: int, wanted: int) -> None:
    assert Width(divisor=divisor, minimum=divisor).count(value) == wanted


@given(st.floats(0.01, 5000), st.integers(1, 32), st.integers(1, 40))
def test_the_rule(value: float, divisor: int, minimum: int) -> None:
    found = Width(divisor=divisor, minimum=minimum).count(value)
    assert found >= minimum
    below = int(value // divisor) * divisor
    if found > minimum + divisor:
        assert found in (below, below + divisor, below + 2 * divisor)
        assert abs(found - value) <= divisor / 2 or (below < 0.9 * value and divisor > 1)
    assert divisor == 1 or found >= 0.9 * value


def test_what_a_width_changes() -> None:
    assert UNCHANGED.channels(64, scaled=True) == 64
    assert UNCHANGED.channels(21.5, scaled=True) == 22
    half = Width(0.5)
    assert half.channels(64, scaled=True) == 32
    assert half.channels(64, scaled=False) == 64
    assert half.channels(21.4, scaled=False) == 21


@given(st.floats(0.05, 4), st.integers(1, 16), st.integers(1, 500))
def test_what_to_write_for_a_number(factor: float, divisor: int, channels: int) -> None:
    width = Width(factor, divisor, divisor)
    found = width.unscaled(channels)
    every = [n for n in range(1, 12_000) if width.channels(n, scaled=True) == channels]
    assert found in every if found else (not every or divisor > 1)
