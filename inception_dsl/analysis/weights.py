"""Weights in the neutral layout, named by path: their shapes, and a check of given arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..ir.typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import applications, owned, visits
from ..ops import Dense, Flatten
from ..types.tensor import product
from .cost import layers


def weight_shapes(typed: TypedProgram) -> dict[str, tuple[int, ...]]:
    """The shape of every weight by path, in the neutral layout."""
    return {
        "/".join(filter(None, (layer.path, weight.name))): tuple(weight.shape)
        for layer in layers(typed)
        for weight in layer.weights
    }


def flattened(typed: TypedProgram) -> dict[str, str]:
    """The weights whose meaning depends on a flatten, by path, each with what was flattened.

    They read the flattened vector, or are in a branch that is added to it or multiplied by it.

    A dense kernel after the flatten of a 6x4x2 map has a row for each position and channel, and a
    batch norm a factor. The shape of the map says which: the same 48 rows mean something else after
    a map of 4x6x2. Vectors that are concatenated are joined by ``+``: ``6x4x2+10``.
    """
    found: dict[str, str] = {}
    order, after = "", dict[str, str]()
    for chain in typed.sections.values():
        order = _chain(chain, (), order, found, after)
    for head, chain in typed.heads:
        _chain(chain, (head.name,), after.get(head.after, ""), found)
    return found


def _chain(
    chain: TypedChain,
    prefix: Path,
    order: str,
    found: dict[str, str],
    after: dict[str, str] | None = None,
) -> str:
    """The order of a chain's output, for an input in ``order``; empty if nothing was flattened.

    ``after`` gets the order of the output of each step.
    """
    own: dict[str, str] = {}
    for step in chain.steps:
        for path, node in applications(step):
            order = _order(node, owned(step, path, prefix), order, found, own)
        own |= dict.fromkeys(step.node.segments[-1:], order)
    if after is not None:
        after |= own
    return order


def _order(
    node: Typed, path: Path, order: str, found: dict[str, str], own: Mapping[str, str]
) -> str:
    if isinstance(node, TypedUse):
        return _chain(node.body, path, order, found)
    if isinstance(node, TypedFork):
        starts, start = node.node.starts(order, own), 0
        for index, (_, c) in enumerate(node.branches if node.node.split and order else ()):
            starts[index], start = f"{order}[{start}:{start + c.x.channels}]", start + c.x.channels
        ends = [
            _chain(c, (*path, name), at, found)
            for (name, c), at in zip(node.branches, starts, strict=True)
        ]
        if not any(ends):
            return ""
        if node.node.merge != "concat":
            order = "+".join(dict.fromkeys(filter(None, ends)))
            for end, (name, chain) in zip(ends, node.branches, strict=True):
                if not end:  # its outputs are added to positions of the map
                    _all(chain, (*path, name), order, found)
            return order
        widths = [str(chain.y.channels) for _, chain in node.branches]
        return "+".join(end or width for end, width in zip(ends, widths, strict=True))
    if isinstance(node.op, Flatten) and node.x.rank:
        # a map of one position has no order: it is the same vector after a global pool
        return sizes(node.x.shape) if product(node.x.spatial) > 1 else ""
    dense = isinstance(node.op, Dense)
    for weight in node.op.weights(node.x) if order else ():
        if (not dense or weight.name == "kernel") and weight.size > 1:
            found.setdefault("/".join((*path, weight.name)), order)
    return "" if dense else order


def _all(chain: TypedChain, path: Path, order: str, found: dict[str, str]) -> None:
    """Add all weights of a chain."""
    for _, node, here in visits(chain, path, path):
        for weight in node.op.weights(node.x) if isinstance(node, TypedOp) else ():
            found.setdefault("/".join((*here, weight.name)), order)


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
