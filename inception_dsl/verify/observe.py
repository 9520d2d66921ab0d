"""Runs a model of a backend on a case and collects the results as NumPy arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ..backend.protocol import Model, Step
from .bounds import distance, gradient_errors
from .finding import Finding


class Observed(NamedTuple):
    """The results of one model, as NumPy arrays with channels last.

    ``unequal`` are the weights whose values differ from those that were loaded.

    ``spread`` is the change of the results when the weights are perturbed by rounding errors, by
    kind and name: a relative error, for the loss an absolute difference. ``offered`` is about what
    the file offers beside the model.
    """

    weights: Mapping[str, tuple[int, ...]]
    unequal: tuple[str, ...]
    parameters: tuple[int, int]
    outputs: Mapping[str, Any]
    boundaries: Mapping[str, Any]
    loss: float | None = None
    spread: Mapping[str, Mapping[str, float]] = {}
    trained: Mapping[str, Any] = {}
    gradients: Mapping[str, Any] = {}
    updated: Mapping[str, Any] = {}
    offered: Sequence[Finding] = ()


NUDGE: Final = 2.0**-20  # relative perturbation of a weight
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

    With ``targets`` also run a training step, and ``nudges`` steps with perturbed weights.
    """
    model.load(weights)
    held = model.weights()
    shapes = {path: tuple(value.shape) for path, value in held.items()}
    unequal = [
        p
        for p, v in weights.items()
        if p not in held or not np.array_equal(held[p], np.asarray(v, dtype))
    ]
    trainable, other = model.parameters()
    parameters = (int(trainable), int(other))
    found = Observed(shapes, tuple(unequal), parameters, *model.inference(x))
    if targets is None:
        return found
    trained = model.forward(x, training=True)
    model.load(weights)  # the forward pass has changed the statistics
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
) -> dict[str, dict[str, float]]:
    """The largest change of loss, gradients and updated weights when weights change by ``NUDGE``.

    A gradient jumps when a value before a ReLU or in a max pool crosses a threshold, and the loss
    is a single number that can match by chance. One rounding is therefore not enough, and several
    perturbations are tried; each changes the outputs about as much as float32 rounding does.
    """
    rng = np.random.default_rng(0)
    largest: dict[str, dict[str, float]] = {}
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
            "loss": {"loss": abs(other.loss - step.loss)},
            "gradients": gradient_errors(other.gradients, step.gradients),
            "weights after": {p: error for p, error in moved.items() if p in step.gradients},
            "statistics": {p: error for p, error in moved.items() if p not in step.gradients},
        }
        for kind, by_name in errors.items():
            known = largest.setdefault(kind, {})
            known |= {name: max(known.get(name, 0.0), error) for name, error in by_name.items()}
    return largest


def save(observed: Observed, folder: Path) -> dict[str, Any]:
    """Write the arrays to ``folder`` and return the other fields as plain data."""
    for kind in ARRAYS:
        write(folder, kind, getattr(observed, kind))
    return {name: value for name, value in observed._asdict().items() if name not in ARRAYS}


def restored(plain: Mapping[str, Any], folder: Path) -> Observed:
    """The results that :func:`save` wrote; arrays are read on access."""
    weights = {path: tuple(shape) for path, shape in plain["weights"].items()}
    arrays = {kind: Archive(folder, kind) for kind in ARRAYS}
    return Observed(
        weights,
        tuple(plain["unequal"]),
        tuple(plain["parameters"]),
        loss=plain["loss"],
        spread=plain["spread"],
        offered=[Finding(*one) for one in plain["offered"]],
        **arrays,
    )


class Archive(Mapping[str, Any]):
    """The arrays of one kind in a folder, by name; read on access, never unpickled."""

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
    """Write each array to its own file, and a JSON file with their names in order.

    Raises ``TypeError`` for an array of anything but numbers, as a runner may return.
    """
    for i, (name, value) in enumerate(arrays.items()):
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{kind} `{name}`: expected numbers, found {array.dtype}")
        np.save(folder / f"{kind}.{i}.npy", array, allow_pickle=False)
    (folder / f"{kind}.json").write_text(json.dumps(list(arrays)), encoding="utf-8")
