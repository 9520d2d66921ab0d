"""What a model of a backend does with a case: everything that is compared, as plain arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ..backend.protocol import Model, Step
from .bounds import distance, gradient_errors


class Observed(NamedTuple):
    """What one model did.

    ``unequal`` are weights that it did not keep as given; arrays are NumPy's, channels last.

    ``spread`` says how far a step moves when the weights are rounded otherwise, by what is
    compared; of the loss it is the difference itself.
    """

    weights: Mapping[str, tuple[int, ...]]
    unequal: tuple[str, ...]
    parameters: tuple[int, int]
    outputs: Mapping[str, Any]
    boundaries: Mapping[str, Any]
    loss: float | None = None
    spread: Mapping[str, float] = {}
    trained: Mapping[str, Any] = {}
    gradients: Mapping[str, Any] = {}
    updated: Mapping[str, Any] = {}


NUDGE: Final = 2.0**-20  # of a weight
ARRAYS: Final = ("outputs", "boundaries", "trained", "gradients", "updated")


def observe(
    model: Model,
    weights: Mapping[str, Any],
    x: Any,
    dtype: str,
    targets: Any = None,
    rate: float = 0.0,
    *,
    nudges: int = 0,
) -> Observed:
    """Load ``weights`` and run the batch ``x``.

    With ``targets`` also a training step, and ``nudges`` more of them.
    """
    shapes = {path: tuple(value.shape) for path, value in model.weights().items()}
    model.load(weights)
    held = model.weights()
    unequal = [
        p
        for p, v in weights.items()
        if p not in held or not np.array_equal(held[p], np.asarray(v, dtype))
    ]
    trainable, other = model.parameters()
    parameters = (int(trainable), int(other))
    found = Observed(shapes, tuple(unequal), parameters, model.forward(x), model.boundaries(x))
    if targets is None:
        return found
    trained = model.forward(x, training=True)
    model.load(weights)  # the statistics have moved
    step = model.step(x, targets, rate)
    found = found._replace(
        loss=float(step.loss), trained=trained, gradients=step.gradients, updated=step.weights
    )
    return found._replace(spread=_spread(model, step, weights, x, targets, rate, nudges))


def _spread(
    model: Model,
    step: Step,
    weights: Mapping[str, Any],
    x: Any,
    targets: Any,
    rate: float,
    nudges: int,
) -> dict[str, float]:
    """How far loss (absolute), gradients and the weights after a step move when every weight moves
    by ``NUDGE``.

    Where a value before a ReLU or in a maximum pool changes sides, a gradient jumps; the loss is
    one number, which may be lucky. One rounding alone says little of them, so that several
    disturbances are looked at, each of which moves outputs about as far as rounding does.
    """
    rng = np.random.default_rng(0)
    largest: dict[str, float] = {}
    for _ in range(nudges):
        model.load(
            {
                p: np.asarray(w) * (1 + NUDGE * rng.choice([-1, 1], np.shape(w)))
                for p, w in weights.items()
            }
        )
        other = model.step(x, targets, rate)
        moved = {path: distance(value, step.weights[path]) for path, value in other.weights.items()}
        errors = {
            "loss": [abs(other.loss - step.loss)],
            "gradients": gradient_errors(other.gradients, step.gradients).values(),
            "weights after": [error for path, error in moved.items() if path in step.gradients],
            "statistics": [error for path, error in moved.items() if path not in step.gradients],
        }
        largest = {kind: max([largest.get(kind, 0.0), *values]) for kind, values in errors.items()}
    return largest


def save(observed: Observed, folder: Path) -> dict[str, Any]:
    """Write the arrays to ``folder``; what is left is plain data."""
    for kind in ARRAYS:
        write(folder, kind, getattr(observed, kind))
    return {name: value for name, value in observed._asdict().items() if name not in ARRAYS}


def restored(plain: Mapping[str, Any], folder: Path) -> Observed:
    """What :func:`save` has written; an array is read when it is asked for."""
    weights = {path: tuple(shape) for path, shape in plain["weights"].items()}
    arrays = {kind: Archive(folder, kind) for kind in ARRAYS}
    return Observed(
        weights,
        tuple(plain["unequal"]),
        tuple(plain["parameters"]),
        loss=plain["loss"],
        spread=plain["spread"],
        **arrays,
    )


class Archive(Mapping[str, Any]):
    """The arrays of a kind in a folder, by name, each read when it is asked for.

    Nothing is ever unpickled.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        names = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
        self._files = {name: folder / f"{kind}.{i}.npy" for i, name in enumerate(names)}

    def __getitem__(self, name: str) -> Any:
        return np.load(self._files[name], allow_pickle=False)

    def __iter__(self) -> Any:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def write(folder: Path, kind: str, arrays: Mapping[str, Any]) -> None:
    """A file for every array, and their names in order beside them."""
    for i, value in enumerate(arrays.values()):
        np.save(folder / f"{kind}.{i}.npy", np.asarray(value), allow_pickle=False)
    (folder / f"{kind}.json").write_text(json.dumps(list(arrays)), encoding="utf-8")
