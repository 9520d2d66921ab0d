"""Runs generated Keras source. The only file of this package that imports Keras and its engines.

Dropout is off in training mode too: its rate is zero, except while the model is saved. Nothing else
of the model is changed, except for its weights; TensorFlow's pools of three axes are computed in
float64 too. All functions compute from copies of the variables; a training step assigns the new
values at its end.
"""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from inception_dsl.backend import (
    PLAIN,
    Feed,
    Files,
    ImageBatch,
    Step,
    Trained,
    TypedProgram,
    Updated,
    check_weights,
    main_text,
    module_from_source,
    weight_shapes,
)

from .called import compared
from .runner_calls import leaves, observed, recorded
from .runner_engine import compiled, differentiate, floats, numpy, values
from .runner_files import SUFFIXES, Slot, read
from .runner_pools import pools_of_three_axes
from .runner_recipe import rates, script_of, train_steps, updates
from .source import source_of
from .weights import bindings


def create(typed: TypedProgram, files: Files, dtype: str, *, heads: bool = True) -> KerasModel:
    """Create a model from generated files for the input of ``typed``, with all heads or none."""
    module = module_from_source(main_text(files), f"{typed.program.id}_keras")
    return KerasModel(
        typed, module, dtype, {"aux_logits": True} if heads and typed.auxiliary else {}
    )


def rejected(typed: TypedProgram, files: Files, *, heads: bool = False) -> str:
    """The message for an input of this size, or an empty text."""
    module = module_from_source(main_text(files), f"{typed.program.id}_keras")
    try:
        _built(module, typed, **({"aux_logits": True} if heads else {}))
    except ValueError as error:
        return str(error)
    return ""


def preprocess(files: Files, images: Any) -> Any:
    """What the emitted ``preprocess`` makes of images of bytes, or of float64 in that type."""
    module = module_from_source(main_text(files), "preprocess_keras")
    with floats("float32" if images.dtype == np.uint8 else str(images.dtype)):
        return numpy(module.preprocess(images))


def _built(module: Any, typed: TypedProgram, **options: Any) -> Any:
    """The model on the input of ``typed``, with its parameters and its classes."""
    build, program = getattr(module, typed.program.id), typed.program
    known = inspect.signature(build).parameters
    source = source_of(typed).network
    options |= {
        a.name: a.values[0] for a in source.scope.signature() if a.form is PLAIN and a.name in known
    }
    if program.kind == "network" and "num_classes" in known:  # blocks may have such a parameter
        options["num_classes"] = program.values["classes"]
    shapes = {source.inputs.shapes[name]: x.shape for name, x in program.inputs.items()}
    return build(**shapes, **options)


class KerasModel:
    """A generated model in Keras; see :class:`inception_dsl.backend.Model`."""

    def __init__(
        self, typed: TypedProgram, module: Any, dtype: str, options: Mapping[str, Any]
    ) -> None:
        self.typed, self.module, self.dtype, self.options = typed, module, dtype, options
        with floats(dtype):
            self.model = model = _built(module, typed, **options)
        self.source = source_of(typed)
        heads = "aux_logits" in options
        left = () if heads else tuple(f"{name}/" for name in typed.auxiliary)
        self.bindings = [b for b in bindings(self.source) if not b.path.startswith(left)]
        self.variables = {f"{x.name}/{v.name}": v for x in leaves(model) for v in x.variables}
        self.shapes = {p: v for p, v in weight_shapes(typed).items() if not p.startswith(left)}
        kind = keras.layers.Dropout
        self.dropouts = {x: x.rate for x in leaves(model) if isinstance(x, kind)}
        for layer in self.dropouts:
            layer.rate = 0.0

    def weights(self) -> dict[str, Any]:
        """All variables in the neutral layout, by path."""
        return {
            b.path: numpy(self.variables[b.key]).reshape(self.shapes[b.path]) for b in self.bindings
        }

    def load(self, weights: Mapping[str, Any]) -> None:
        """Set all variables; raises an error if one is missing, unknown or has the wrong shape."""
        check_weights(weights, self.shapes)
        for binding in self.bindings:
            variable = self.variables[binding.key]
            variable.assign(np.asarray(weights[binding.path]).reshape(variable.shape))

    def parameters(self) -> tuple[int, int]:
        """The numbers of trainable and other parameters, without dropout's random seeds."""
        trainable = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        return trainable, sum(int(np.prod(v.shape)) for v in self.model.non_trainable_weights)

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name; auxiliary heads only in training mode."""
        return self.outputs(self.run(self.model, x, training), training)

    def outputs(self, found: Any, training: bool) -> dict[str, Any]:
        """The outputs of the model as arrays; auxiliary heads only in training mode."""
        left = () if training else self.typed.auxiliary
        return {name: numpy(y) for name, y in self.named(found).items() if name not in left}

    def initial(self) -> dict[str, Any]:
        """New initial values: those of the layers, then what ``init_weights`` sets."""
        if hasattr(self.module, "init_weights"):
            with floats(self.dtype):
                self.module.init_weights(self.model)
        return self.weights()

    def features(self, x: Any) -> dict[str, Any]:
        """What a model without head gives, with the weights of this one."""
        build = getattr(self.module, self.typed.program.id)
        if "include_top" not in inspect.signature(build).parameters:
            return {}
        with floats(self.dtype):
            model = _built(self.module, self.typed, include_top=False)
        for layer in model.layers:
            layer.set_weights(self.model.get_layer(layer.name).get_weights())
        found = self.run(model, x, False)
        name = self.source.network.features_name
        return {"features": numpy(found[name] if isinstance(found, dict) else found)}

    def dropped(self, x: Any) -> tuple[list[tuple[Any, Any]], dict[str, Any]]:
        """Dropout on: the input and the output of every such layer, and the outputs."""
        with self.as_emitted(), recorded(self.dropouts) as found, pools_of_three_axes():
            outputs = self.model(self.tensor(x), training=True)  # which draws anew every time
        named = {name: numpy(y) for name, y in self.named(outputs).items()}
        return [(numpy(given), numpy(y)) for given, y in found], named

    @property
    def from_logits(self) -> bool:
        """Whether the outputs are logits, by which the file trains, instead of probabilities."""
        return "classifier_activation" in self.options

    def trainee(self) -> KerasModel:
        """The model that the file trains, with the weights of this one."""
        build = getattr(self.module, self.typed.program.id)
        known = "classifier_activation" in inspect.signature(build).parameters
        if self.from_logits or not known or self.typed.program.kind == "block":
            return self
        options = {**self.options, "classifier_activation": None}
        other = KerasModel(self.typed, self.module, self.dtype, options)
        other.load(self.weights())
        return other

    def losses(self, x: Any, targets: Any) -> dict[str, float]:
        """The loss for classes as Keras takes them: one or two axes, 32 or 64 bits."""
        trainee = self.trainee()
        logits = {} if trainee is self else trainee.losses(x, targets)
        found = self.run(self.model, x, True)
        own = {}
        for rank in (1, 2):
            for kind in ("int32", "int64"):
                form = f"{'(N,)' if rank == 1 else '(N, 1)'} {kind}"
                given = self.targets(targets, kind)
                classes = given.get(self.typed.output_name)
                if rank == 2 and classes is not None:
                    given[self.typed.output_name] = classes[:, None]
                own[form] = self.of_outputs(given, found)
        named = {f"{form} by logits": value for form, value in logits.items()}
        return named | {form: float(numpy(value)) for form, value in own.items()}

    def of_outputs(self, targets: Any, found: Any) -> Any:
        """The mean loss of outputs by the function of the file.

        It takes targets by output if some have their own, else the classes of all.
        """
        more = {"from_logits": True} if self.from_logits else {}
        classes = targets.get(self.typed.output_name)
        given = dict.fromkeys((c.output for c in self.typed.classifiers), classes) | targets
        if not self.typed.program.losses:
            given = classes
        return keras.ops.mean(self.module.loss(given, found, **more))

    def inference(self, x: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The outputs, and the outputs of all block instances and top-level steps by path."""
        run = partial(self.run, training=False)
        outputs, held = observed(self.model, compared(self.source), x, run)
        return self.outputs(outputs, False), held

    def step(self, x: Any, targets: Any, rate: float) -> Step:
        """One step of ``keras.optimizers.SGD`` in training mode, with the engine's gradients."""
        trainee = self.trainee()
        if trainee is not self:
            done = trainee.step(x, targets, rate)
            self.load(done.weights)
            return done
        trainable, rest = self.model.trainable_variables, self.model.non_trainable_variables
        given = [values(trainable), values(rest), self.tensor(x), self.targets(targets)]
        with floats(self.dtype), pools_of_three_axes():
            (loss, after), gradients = differentiate(self.loss, *given)
            keras.optimizers.SGD(rate).apply(gradients, trainable)
        for variable, value in zip(rest, after, strict=True):
            variable.assign(value)
        found = {id(v): numpy(g) for v, g in zip(trainable, gradients, strict=True)}
        named = [(b.path, id(self.variables[b.key])) for b in self.bindings]
        by_path = {
            path: found[key].reshape(self.shapes[path]) for path, key in named if key in found
        }
        return Step(float(numpy(loss)), by_path, self.weights())

    def loss(
        self, trainable: list[Any], rest: list[Any], x: Any, targets: Any
    ) -> tuple[Any, list[Any]]:
        """The loss in training mode, and the new values of the non-trainable variables."""
        found, after = self.model.stateless_call(trainable, rest, x, training=True)
        if self.typed.has_loss:
            return self.of_outputs(targets, found), after
        products = [keras.ops.sum(y * targets[name]) for name, y in self.named(found).items()]
        return sum(products[1:], products[0]), after

    def rates(self, files: Files, samples: int, steps: Iterable[int]) -> tuple[int, list[float]]:
        return rates(script_of(files, self.module), samples, steps)

    def updates(
        self, files: Files, feed: Feed, samples: int, steps: Iterable[int]
    ) -> Iterator[Updated]:
        return updates(self, files, feed, samples, steps)

    def train_steps(
        self, files: Files, samples: int, given: Sequence[tuple[Updated, ImageBatch]]
    ) -> Iterator[Trained]:
        return train_steps(self, files, samples, given)

    def save(self, path: Path) -> None:
        """Write ``.keras`` (with all heads) or ``.weights.h5``; replaces an old file at the end."""
        if not path.name.endswith(SUFFIXES):
            raise ValueError(f"{path}: expected a file name that ends in {' or '.join(SUFFIXES)}")
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder, self.as_emitted():
            staged = Path(folder) / path.name
            if path.name.endswith(".keras"):
                self.model.save(staged)
            else:
                self.model.save_weights(staged)
            os.replace(staged, path)

    def restore(self, path: Path) -> None:
        """Set all variables from a file written by Keras, by layer name."""
        paths = {id(self.variables[b.key]): b.path for b in self.bindings}
        variables: dict[str, Any] = {}
        for layer in leaves(self.model):
            own: dict[str, Any] = {}
            layer.save_own_variables(own)
            variables |= {f"{layer.name}/{number}": variable for number, variable in own.items()}
        slots = {key: Slot(paths[id(v)], tuple(v.shape)) for key, v in variables.items()}
        for key, value in read(path, slots, self.dtype).items():
            variables[key].assign(value)

    @contextmanager
    def as_emitted(self) -> Iterator[None]:
        """Use the spec's dropout rates inside the context."""
        for layer, rate in self.dropouts.items():
            layer.rate = rate
        try:
            yield
        finally:
            for layer in self.dropouts:
                layer.rate = 0.0

    def run(self, model: Any, x: Any, training: bool) -> Any:
        """The outputs of ``model``."""
        call = compiled(partial(model.stateless_call, training=training))
        with pools_of_three_axes():
            return call(
                values(model.trainable_variables),
                values(model.non_trainable_variables),
                self.tensor(x),
            )[0]

    def named(self, found: Any) -> dict[str, Any]:
        """The outputs of the model by name."""
        return found if isinstance(found, dict) else {self.typed.output_name: found}

    def tensor(self, x: Any) -> Any:
        """An array as a tensor; several inputs by name."""
        if isinstance(x, Mapping):
            return {name: self.tensor(array) for name, array in x.items()}
        return keras.ops.convert_to_tensor(np.asarray(x, self.dtype))

    def targets(self, targets: Mapping[str, Any], kind: str = "int32") -> dict[str, Any]:
        """The targets of a training step as tensors: class indices of a ``kind``, or numbers."""
        losses, found = self.typed.program.losses, {}
        for name, y in targets.items():
            indices = self.typed.has_loss and (
                name not in losses or losses[name].kind == "cross_entropy"
            )
            found[name] = keras.ops.array(np.asarray(y, kind)) if indices else self.tensor(y)
        return found
