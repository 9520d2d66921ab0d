"""Weights in the neutral layout, named by path: which there are, and whether given ones fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..ir.typed import TypedProgram
from .cost import layers


def weight_shapes(typed: TypedProgram) -> dict[str, tuple[int, ...]]:
    """The shape of every weight by path."""
    return {
        "/".join(filter(None, (layer.path, weight.name))): tuple(weight.shape)
        for layer in layers(typed)
        for weight in layer.weights
    }


def digest(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The SHA-256 of a weight list.

    A line ``name 3x3x16x32`` for every weight, sorted by name, in UTF-8.
    """
    import hashlib  # only files need it

    lines = (f"{name} {sizes(shape)}\n" for name, shape in sorted(shapes.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sizes(shape: Iterable[int]) -> str:
    """A shape as text: ``3x3x16x32``."""
    return "x".join(map(str, shape))


def check_weights(weights: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ``KeyError`` for weights that are missing or left over, ``ValueError`` for those of
    another shape.
    """
    if missing := sorted(shapes.keys() - weights.keys()):
        raise KeyError(f"missing weights: {', '.join(missing)}")
    if extra := sorted(weights.keys() - shapes.keys()):
        raise KeyError(f"unknown weights: {', '.join(extra)}")
    wrong = [
        f"{p} has {tuple(w.shape)}, expected {shapes[p]}"
        for p, w in weights.items()
        if tuple(w.shape) != shapes[p]
    ]
    if wrong:
        raise ValueError(f"weights of another shape: {'; '.join(wrong)}")
