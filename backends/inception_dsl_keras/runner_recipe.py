"""Runs an emitted training script: its optimiser with given gradients, or whole steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

import keras
import numpy as np

from inception_dsl.backend import Feed, Files, ImageBatch, Trained, Updated, script_from_source

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


def rates(script: ModuleType, samples: int, steps: Iterable[int]) -> tuple[int, list[float]]:
    """The steps of a whole run, and the learning rates of ``steps``."""
    found = [script.learning_rate(step, samples) for step in steps]
    return script.steps_of_run(samples), found


def updates(
    model: Any, files: Files, feed: Feed, samples: int, steps: Iterable[int]
) -> Iterator[Updated]:
    """The states of a ``KerasModel`` after each of ``steps`` of the script."""
    wanted, ids = list(steps), {b.path: id(model.variables[b.key]) for b in model.bindings}
    with floats(model.dtype):
        script = script_of(files, model.module)
        own = Updates(script, model, script.Rates(samples, wanted[-1], 1))
    for step in range(wanted[-1]):
        given = feed(model.weights(), step)
        with floats(model.dtype):
            own.advance({ids[path]: value for path, value in given.items()})
        if step + 1 in wanted:
            yield own.state(step + 1)


def train_steps(
    model: Any, files: Files, samples: int, given: Sequence[tuple[Updated, ImageBatch]]
) -> Iterator[Trained]:
    """Whole steps of the script, each from its own state.

    Eager: TensorFlow needs 17 seconds for the graph of such a step of Inception-v4.
    """
    model = model.trainee()
    model.load(given[0][0].weights)
    with floats(model.dtype):
        script = script_of(files, model.module)
        trainee = script.Trainee(model.model)
    for state, (images, classes, parts, *_) in given:
        model.load(state.weights)
        with floats(model.dtype):
            own = Updates(script, model, script.Rates(samples, len(given) + 1, parts))
            trainee.compile(own.optimizer, run_eagerly=True)
            trainee.average = own.average
            if state.step:
                own.set(state)
            split = (np.split(np.asarray(a), parts) for a in (images, np.asarray(classes, "int32")))
            logs = [trainee.train_on_batch(*p, return_dict=True) for p in zip(*split, strict=True)]
        loss = float(np.mean([part["loss"] for part in logs]))
        yield Trained(loss, own.state(state.step + 1))


class Updates:
    """The optimiser of a script for a ``KerasModel``, and its running average, if there is one."""

    def __init__(self, script: ModuleType, model: Any, rates: Any) -> None:
        self.of, self.model, self.parts = model, model.model, rates.parts
        self.optimizer = script.make_optimizer(self.model, rates)
        self.average = None
        if hasattr(script, "Average"):
            self.average = script.Average(self.model, self.optimizer)
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

    def set(self, state: Updated) -> None:
        """Set the number of steps, the slots and the average."""
        self.optimizer._iterations.assign(state.step * self.parts)
        paths = {id(self.of.variables[b.key]): b.path for b in self.of.bindings}
        for weight, name, sign, slot in self._slots():
            slot.assign(sign * state.slots[paths[id(weight)]][name].reshape(slot.shape))
        for weight, value in self._averages():
            value.assign(state.average[paths[id(weight)]].reshape(value.shape))

    def state(self, step: int) -> Updated:
        """The state after ``step`` steps."""
        found, average = self.of.weights(), {}
        slots: dict[str, dict[str, Any]] = {path: {} for path in found}
        paths = {id(self.of.variables[b.key]): b.path for b in self.of.bindings}
        for weight, name, sign, slot in self._slots():
            path = paths[id(weight)]
            slots[path][name] = sign * numpy(slot).reshape(found[path].shape)
        for weight, value in self._averages():
            path = paths[id(weight)]
            average[path] = numpy(value).reshape(found[path].shape)
        # where the script has no average of a weight, the weight itself
        return Updated(step, found, slots, {**found, **average} if average else {})

    def _slots(self) -> Iterator[tuple[Any, str, int, Any]]:
        """Each trainable weight, a name of the reference, the sign, and its slot."""
        classes = [c.__name__ for c in type(self.optimizer).__mro__ if _of_keras(c)]
        names = next((SLOTS[name] for name in classes if name in SLOTS), OWN)
        for suffix, name in names.items():
            own = [v for v in self.optimizer.variables if v.name.endswith(f"_{suffix}")]
            sign = -1 if (suffix, name) == ("momentum", "velocity") and "SGD" in classes else 1
            for weight, slot in zip(self.model.trainable_variables, own, strict=bool(own)):
                yield weight, name, sign, slot

    def _averages(self) -> Iterator[tuple[Any, Any]]:
        """Each weight of which the script has an average, and that."""
        if self.average is not None:
            yield from zip(self.average.current, self.average.values, strict=True)


def _of_keras(kind: type) -> bool:
    return kind.__module__.startswith("keras.")
