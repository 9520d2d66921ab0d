"""Weights in the neutral layout, named by path: their shapes, and a check of given arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..ir.typed import TypedProgram
from .cost import layers


def weight_shapes(typed: TypedProgram) -> dict[str, tuple[int, ...]]:
    """The shape of every weight by path, in the neutral layout."""
    return {
        "/".join(filter(None, (layer.path, weight.name))): tuple(weight.shape)
        for layer in layers(typed)
        for weight in layer.weights
    }


def digest(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The SHA-256 of a list of weights.

    Hashed are the lines ``name 3x3x16x32`` of all weights, sorted by name, in UTF-8.
    """
    import hashlib  # only weight files need it; importing it would slow down the start

    lines = (f"{name} {sizes(shape)}\n" for name, shape in sorted(shapes.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sizes(shape: Iterable[int]) -> str:
    """A shape as text: ``3x3x16x32``."""
    return "x".join(map(str, shape))


def check_weights(weights: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that ``weights`` has exactly the arrays of ``shapes``.

    Raises ``KeyError`` for missing or unknown weights, ``ValueError`` for wrong shapes.
    """
    if missing := sorted(shapes.keys() - weights.keys()):
        raise KeyError(f"missing weights: {', '.join(missing)}")
    if extra := sorted(weights.keys() - shapes.keys()):
        raise KeyError(f"unknown weights: {', '.join(extra)}")
    wrong = [
        f"{p} has shape {tuple(w.shape)}, expected {shapes[p]}"
        for p, w in weights.items()
        if tuple(w.shape) != shapes[p]
    ]
    if wrong:
        raise ValueError(f"weights with the wrong shape: {'; '.join(wrong)}")
