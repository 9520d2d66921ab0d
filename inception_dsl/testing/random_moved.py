"""Shapes after ops that move values between positions and channels, for random networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOVING: Final[Mapping[str, str]] = {
    "channel_shuffle": "groups",
    "space_to_depth": "block_size",
    "depth_to_space": "block_size",
}
"""The ops, with the field whose number must fit."""


def moved(
    name: str, number: int, spatial: tuple[int, ...], channels: int
) -> tuple[tuple[int, ...], int] | None:
    """The shape after one of them; ``None`` if its ``groups`` or ``block_size`` do not fit."""
    if name == "channel_shuffle":
        return None if channels % number else (spatial, channels)
    values = number ** len(spatial)
    if not spatial:
        return None
    if name == "space_to_depth":
        fits = not any(n % number for n in spatial)
        return (tuple(n // number for n in spatial), channels * values) if fits else None
    if channels % values:
        return None
    return tuple(n * number for n in spatial), channels // values


def fitting(name: str, spatial: tuple[int, ...], channels: int) -> list[int]:
    """The numbers from 2 to 6 that fit; with 1 it is the identity."""
    return [n for n in range(2, 7) if moved(name, n, spatial, channels)]
