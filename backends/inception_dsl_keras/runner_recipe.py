"""Runs the optimiser and the running average of an emitted training script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final

import keras
import numpy as np

from inception_dsl.backend import Feed, Files, Updated, script_from_source

from .runner_engine import floats, graph, numpy

OWN: Final = {"velocity": "velocity", "mean": "mean", "mean_square": "mean_square"}
ADAM: Final = {"momentum": "mean", "velocity": "mean_square"}
SLOTS: Final[Mapping[str, Mapping[str, str]]] = {
    "SGD": {"momentum": "velocity"},
    "RMSprop": {"velocity": "mean_square", "momentum": "velocity"},
    "Adam": ADAM,
    "AdamW": ADAM,
    "Lamb": ADAM,
}
"""The slots of Keras's optimisers, by their names in the reference."""


def script_of(files: Files, module: ModuleType) -> ModuleType:
    """The training script, which imports the very ``module`` of the model."""
    (first, _), (_, source), *_ = files.items()
    assert isinstance(source, str)
    return script_from_source(source, first.removesuffix(".py"), module)


def updates(
    model: Any, files: Files, feed: Feed, samples: int, steps: Iterable[int]
) -> Iterator[Updated]:
    """The states of a ``KerasModel`` after each of ``steps`` of the script."""
    wanted, ids = list(steps), {b.path: id(model.variables[b.key]) for b in model.bindings}
    shapes = model.shapes
    with floats(model.dtype):
        script = script_of(files, model.module)
        own = Updates(script, model.model, script.Rates(samples, wanted[-1]))
    for step in range(wanted[-1]):
        given = feed(model.weights(), step)
        with floats(model.dtype):
            own.advance({ids[path]: value for path, value in given.items()})
        if step + 1 in wanted:
            slots, average = own.slots(), own.averages()
            of_paths = {path: slots.get(number, {}) for path, number in ids.items()}
            yield Updated(
                step + 1,
                model.weights(),
                {p: {n: v.reshape(shapes[p]) for n, v in of.items()} for p, of in of_paths.items()},
                {p: average[i].reshape(shapes[p]) for p, i in ids.items() if i in average},
            )


class Updates:
    """The optimiser of a script for a model, and its running average, if there is one."""

    def __init__(self, script: ModuleType, model: Any, rates: Any) -> None:
        self.model = model
        self.optimizer = script.make_optimizer(model, rates)
        self.average = None
        if hasattr(script, "Average"):
            self.average = script.Average(model, self.optimizer)
        self._compiled = graph(self._advance)

    def advance(self, given: Mapping[int, Any]) -> None:
        """One step: the gradients and the new moving statistics, by the ids of variables."""
        own = [np.asarray(given[id(v)]).reshape(v.shape) for v in self.model.weights]
        self._compiled([keras.ops.convert_to_tensor(value, "float64") for value in own])

    def _advance(self, values: list[Any]) -> None:
        trainable, gradients = [], []
        for variable, value in zip(self.model.weights, values, strict=True):
            if variable.trainable:
                trainable.append(variable)
                gradients.append(value)
            else:
                variable.assign(value)
        self.optimizer.apply(gradients, trainable)
        if self.average is not None:
            self.average.update()

    def slots(self) -> dict[int, dict[str, Any]]:
        """The slots of each trainable weight, by its id and their names in the reference."""
        classes = [c.__name__ for c in type(self.optimizer).__mro__ if _of_keras(c)]
        names = next((SLOTS[name] for name in classes if name in SLOTS), OWN)
        found: dict[int, dict[str, Any]] = {id(v): {} for v in self.model.trainable_variables}
        for suffix, name in names.items():
            own = [v for v in self.optimizer.variables if v.name.endswith(f"_{suffix}")]
            sign = -1 if (suffix, name) == ("momentum", "velocity") and "SGD" in classes else 1
            for weight, slot in zip(self.model.trainable_variables, own, strict=bool(own)):
                found[id(weight)][name] = sign * numpy(slot)
        return found

    def averages(self) -> dict[int, Any]:
        """The average of each weight by its id, where the script has one; else the weight."""
        if self.average is None:
            return {}
        current = {id(v): numpy(v) for v in self.model.weights}
        pairs = zip(self.average.current, self.average.values, strict=True)
        return current | {id(v): numpy(value) for v, value in pairs}


def _of_keras(kind: type) -> bool:
    return kind.__module__.startswith("keras.")
