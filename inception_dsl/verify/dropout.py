"""Judges dropout: its rate, its factor, its place, and what it drops as a whole.

The masks of many draws show which values are dropped together: whole channels or samples have one
value, and along every other axis both kept and dropped values are found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from ..backend.protocol import Model
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program
from ..ops import Dropout
from ..reference.arrays import Noise, by_input, each, samples
from ..reference.forward import Tape, interpret
from .bounds import FLOAT64
from .finding import Finding
from .zeros import apart

DRAWS: Final = 4000  # independent values that show a layer's share; its factor is exact
SIGMAS: Final = 6.0  # a right program fails once in 5e8 comparisons
CHANCE: Final = 1e-9  # of a right program to look as if it dropped values together
SAMPLES, VALUES = 256, 2**20
"""Limits on a batch that repeats the samples of a small input, and on the values of its layers."""
CHANGES: Final = 64
"""Draws after which dropout must have changed an output."""
FEW: Final = 16
"""Draws with a large input, if only whole channels or samples need more."""


def dropout_findings(
    model: Model,
    typed: TypedProgram,
    x: Any,
    trained: Mapping[str, Any],
    weights: Mapping[str, Any] | None = None,
) -> Iterator[Finding]:
    """Rate and location of dropout, with auxiliary heads unless ``weights`` are given.

    ``trained`` are the outputs in training mode without dropout. The rate is that of many values,
    and what is kept is divided by exactly one minus the rate. With ``weights`` the input is small:
    batches repeat its samples, and the input of a single dropout is compared with the reference,
    else its shape.
    """
    layers = _dropouts(typed, heads=weights is None)
    pairs, outputs = model.dropped(x)
    if len(pairs) != len(layers):
        text = f"the model has {len(pairs)} dropout layers, expected {len(layers)}"
        yield Finding("dropout", problem=text)
    elif layers:
        if any(_op(layer).rate for layer in layers) and not _changes(model, x, outputs, trained):
            yield Finding("dropout", problem="dropout does not change the outputs")
        left = _drawn(model, x, pairs, layers, small=weights is not None)
        for layer in sorted(layers, key=lambda layer: _op(layer).rate):
            problems = [found.problem(layer, shaped=weights is None) for found in left]
            best = problems.index("") if "" in problems else 0  # pairs are in any order
            left.pop(best)
            yield Finding("dropout", problem=problems[best])
        if weights is not None and len(layers) == 1:
            errors = apart({"": pairs[0][0]}, partial(_given, typed, weights, x))
            yield Finding("inputs of dropout", errors[""])


def _changes(model: Model, x: Any, outputs: Mapping[str, Any], trained: Mapping[str, Any]) -> bool:
    """Whether ``outputs``, or those of further draws, are not what they are without dropout.

    A small rate may drop nothing in one draw.
    """
    for _ in range(CHANGES):
        if not all(np.array_equal(outputs[name], y) for name, y in trained.items()):
            return True
        _, outputs = model.dropped(x)
    return False


def _drawn(
    model: Model, x: Any, pairs: list[tuple[Any, Any]], layers: list[TypedOp], *, small: bool
) -> list[Drawn]:
    """What each layer did in many draws, sorted by the factor."""
    if small and any(_op(layer).per != "element" for layer in layers):
        count, sizes = samples(x), [given.size for given in by_input(x).values()]
        largest = max(*sizes, *(given.size for given, _ in pairs)) // count
        copies = min(SAMPLES, VALUES // largest) // count
        if copies > 1:
            x = each(lambda given: np.concatenate([given] * copies), x)
            pairs, _ = model.dropped(x)
    drawn = [Drawn(given.shape[1:]) for given, _ in pairs]
    whole = {_op(layer).per for layer in layers} - {"element"}
    dropping = sum(_op(layer).rate > 0 for layer in layers)
    draws = 0
    while True:
        for found, (given, y) in zip(drawn, pairs, strict=True):
            found.add(given, y)
        draws += 1
        enough = all(found.values >= DRAWS for found in drawn)
        seen = sum(found.drops for found in drawn) >= dropping or draws >= CHANGES
        if enough and seen and (draws >= FEW or not whole):
            return sorted(drawn, key=lambda found: found.factor)
        pairs, _ = model.dropped(x)


@dataclass(slots=True)
class Drawn:
    """What a dropout layer did to inputs of this ``shape``: its factor for what it keeps, and the
    masks of every draw, which are ``known`` where the input is not zero.
    """

    shape: tuple[int, ...]
    values: int = 0
    factors: list[float] = field(default_factory=list)
    known: list[Any] = field(default_factory=list)
    dropped: list[Any] = field(default_factory=list)

    def add(self, given: Any, y: Any) -> None:
        """Add a draw: the input and the output, with a batch axis."""
        self.values += given.size
        known, dropped = given != 0, y == 0
        kept = known & ~dropped
        if kept.any():
            factors = y[kept] / given[kept]
            self.factors += [float(factors.min()), float(factors.max())]
        self.known.append(known)
        self.dropped.append(known & dropped)

    @property
    def drops(self) -> bool:
        """Whether it dropped something."""
        return any(dropped.any() for dropped in self.dropped)

    @property
    def factor(self) -> float:
        """The factor of what is kept: 1 if nothing is, 0 if it is not the same everywhere."""
        if not self.factors:
            return 1.0
        low, high = min(self.factors), max(self.factors)
        return 0.0 if high - low > FLOAT64 * low else low

    def problem(self, layer: TypedOp, *, shaped: bool) -> str:
        """Why this is not the layer of the spec, or an empty text."""
        op = _op(layer)
        known, dropped = np.stack(self.known), np.stack(self.dropped)
        if op.per not in self.together(known, dropped, op.rate):
            return f"dropout does not keep or drop each {op.per} by itself and as a whole"
        axes = _tied(op.per, dropped.ndim)
        units = known.any(axes)
        n = int(units.sum()) or 1
        share = float(dropped.any(axes)[units].mean()) if units.any() else 0.0
        spread = SIGMAS * math.sqrt(max(op.rate * (1 - op.rate), 1 / n) / n)
        if abs(self.factor * (1 - op.rate) - 1) > FLOAT64 or abs(share - op.rate) > spread:
            return (
                f"dropout drops {share:.3f} of its values and multiplies by {self.factor:.4g},"
                f" expected the rate {op.rate:g}"
            )
        if shaped and self.shape != tuple(layer.x.shape):
            return f"dropout has an input of {self.shape}, expected {tuple(layer.x.shape)}"
        return ""

    def together(self, known: Any, dropped: Any, rate: float) -> set[str]:
        """What the masks, of the axes (draws, batch, spatial axes, channels), may keep or drop as
        a whole: ``element``, ``channel``, ``sample``.
        """
        fitting = set[str]()
        for per in ("element", "channel", "sample"):
            tied = _tied(per, dropped.ndim)
            if (dropped.any(tied) & (known & ~dropped).any(tied)).any():
                continue
            units, off = known.any(tied, keepdims=True), dropped.any(tied, keepdims=True)
            free = [axis for axis in range(1, dropped.ndim) if units.shape[axis] > 1]
            if all(_chance(units, off, axis, rate) > CHANCE for axis in free):
                fitting.add(per)
        return fitting


def _tied(per: str, rank: int) -> tuple[int, ...]:
    """The axes of masks, (draws, batch, spatial axes, channels), along which all is dropped or
    kept together.
    """
    return {"element": (), "channel": tuple(range(2, rank - 1))}.get(per, tuple(range(2, rank)))


def _chance(known: Any, dropped: Any, axis: int, rate: float) -> float:
    """How probable it is that independent values look as these do along an axis.

    It is 1 if some group has both kept and dropped values; else the groups with dropped values are
    dropped as a whole, the more of them the less probably.
    """
    size, off = known.sum(axis), dropped.sum(axis)
    touched = (off > 0) & (size > 1)
    if (touched & (off < size)).any():
        return 1.0
    chances = [
        (count, rate**n / (1 - (1 - rate) ** n))
        for n, count in zip(*np.unique(size[touched], return_counts=True), strict=True)
    ]
    return float(math.prod(chance ** int(count) for count, chance in chances))


def _op(layer: TypedOp) -> Dropout:
    assert isinstance(layer.op, Dropout)
    return layer.op


def _dropouts(typed: TypedProgram, *, heads: bool) -> list[TypedOp]:
    """All dropout layers."""
    return [
        node
        for _, node in walk_program(typed, heads=heads)
        if isinstance(node, TypedOp) and isinstance(node.op, Dropout)
    ]


def _given(
    typed: TypedProgram, weights: Mapping[str, Any], x: Any, noise: Noise | None
) -> dict[str, Any]:
    """The input of the dropout layer in training, by the reference."""
    tape, typed = Tape(), replace(typed, heads=typed.always)
    interpret(typed, weights, x, training=True, tape=tape, noise=noise)
    found = [one.x for layer in tape.layers.values() for one in layer if one.op.op == "dropout"]
    return {"": found[0]}
