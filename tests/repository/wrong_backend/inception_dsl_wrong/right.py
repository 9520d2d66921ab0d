"""Runs the program itself, by the NumPy reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inception_dsl.backend import (
    Files,
    Step,
    TypedProgram,
    check_weights,
    cost,
    layers,
    main_text,
    weight_shapes,
)
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.training import step

SUFFIXES = (".npz",)


def create(typed: TypedProgram, files: Files, dtype: str) -> Model:
    assert main_text(files).startswith("# ")
    return Model(typed, dtype)


class Model:
    def __init__(self, typed: TypedProgram, dtype: str) -> None:
        self.typed, self.dtype = typed, dtype
        self.held = {path: np.zeros(shape, dtype) for path, shape in weight_shapes(typed).items()}

    def weights(self) -> dict[str, Any]:
        return dict(self.held)

    def load(self, weights: Mapping[str, Any]) -> None:
        check_weights(weights, weight_shapes(self.typed))
        self.held = {path: np.asarray(weights[path], self.dtype) for path in self.held}

    def parameters(self) -> tuple[int, int]:
        total = cost(list(layers(self.typed)))
        return total.trainable, total.non_trainable

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        return interpret(self.typed, self.held, x, training=training).outputs

    def inference(self, x: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        found = interpret(self.typed, self.held, x)
        return found.outputs, found.blocks

    def step(self, x: Any, targets: Any, rate: float) -> Step:
        found = step(self.typed, self.held, x, targets, rate)
        return Step(found.loss, found.gradients, found.weights)

    def save(self, path: Path) -> None:
        np.savez(path, **self.held)

    def restore(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as archive:
            self.load({name: archive[name] for name in archive.files})
