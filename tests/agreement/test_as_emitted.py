"""The runner's model is the one that users build: the same numbers, to the last bit, in float64.

The other model is made from the emitted file through public functions only. So a runner that
repaired what it loads would be found: it may set weights and switch dropout off, nothing else.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import safetensors.torch
import torch
from frameworks import SPECS, emitted, running, typed_program
from initial import undrawn

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import batch, calibrated, seeded

SMALL = {  # small and not square
    "v0": "9x12x192",
    "v1": "96x112x3",
    "v1_article": "193x224x3",
    "v2": "64x96x3",
    "v2_article": "193x224x3",
    "v3": "299x307x3",
}
SCALED = (
    "network: exact_numbers\ninput: {channels: 3, height: 4, width: 5}\n"
    "body: [{op: scale, value: 0.17}, {op: activation, function: leaky_relu},"
    " {op: conv, filters: 2, kernel_size: 1, activation: gelu}, {op: batch_norm}]\n"
    "head: [{op: dropout, rate: 0.5}, {op: global_avg_pool}]\n"
)


def imported(text: str, path: Path) -> Any:
    """The emitted file as a module, as a user imports it."""
    path.write_text(text, encoding="utf-8")
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def class_of(module: Any, typed: TypedProgram) -> Any:
    """The class of the whole network: the last one that the module defines."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, torch.nn.Module)
        and value.__module__ == module.__name__
    ][-1]


def in_torch(typed: TypedProgram, weights: Path) -> Any:
    module = imported(emitted("torch", typed), weights.with_name(f"{typed.program.id}_emitted.py"))
    net = class_of(module, typed)().double()
    net.load_state_dict(safetensors.torch.load_file(weights))
    return net


def in_keras(typed: TypedProgram, weights: Path) -> Any:
    module = imported(emitted("keras", typed), weights.with_name(f"{typed.program.id}_emitted.py"))
    options = {"aux_logits": True} if typed.heads else {}
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        model = getattr(module, typed.program.id)(input_shape=typed.program.input.shape, **options)
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])
    model.load_weights(weights)
    return model


def outputs_of_torch(net: Any, x: Any, *, training: bool) -> dict[str, Any]:
    net.train(training)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    given = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    with torch.no_grad():
        found = net(given)
    named = found._asdict() if isinstance(found, tuple) else {"": found}
    return {
        name: np.moveaxis(y.numpy(), 1, -1) if y.ndim > 2 else y.numpy()
        for name, y in named.items()
    }


def outputs_of_keras(model: Any, x: Any, *, training: bool) -> dict[str, Any]:
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    found = model(keras.ops.convert_to_tensor(x), training=training)
    named = found if isinstance(found, dict) else {"": found}
    return {name: keras.ops.convert_to_numpy(y) for name, y in named.items()}


MODELS = {
    "torch": (in_torch, outputs_of_torch, "weights.safetensors"),
    "keras": (in_keras, outputs_of_keras, "model.weights.h5"),
}


class Given(NamedTuple):
    """A program, a batch, and weights that fit it."""

    typed: TypedProgram
    x: Any
    weights: dict[str, Any]


def given(spec: Path, **settings: str) -> Given:
    typed = typed_program(spec, **settings)
    x = batch(typed)
    return Given(typed, x, calibrated(typed, seeded(typed), x))


def check_same(
    case: Given, backend: str, folder: Path, modes: tuple[bool, ...] = (False, True)
) -> None:
    build, run, file = MODELS[backend]
    typed, x, weights = case
    model = running(backend, typed)
    model.load(weights)
    model.save(folder / file)
    with undrawn(backend):  # drawing initial values takes longer than all the rest
        own = build(typed, folder / file)
    for training in modes:
        wanted = model.forward(x, training=training)
        found = run(own, x, training=training)
        assert len(wanted) <= len(found)
        for name, value in wanted.items():
            assert value.dtype == np.float64
            np.testing.assert_array_equal(found.get(name, found.get("")), value)


@pytest.fixture(scope="module", params=SPECS, ids=[spec.stem for spec in SPECS])
def network(request: pytest.FixtureRequest) -> Given:
    """A shipped network, for both backends."""
    spec: Path = request.param
    return given(spec, input=SMALL.get(spec.stem, "75x96x3"))


@pytest.mark.parametrize("backend", MODELS)
def test_runner_has_the_model_of_the_file(network: Given, backend: str, tmp_path: Path) -> None:
    check_same(network, backend, tmp_path, modes=(False,))


@pytest.mark.parametrize("backend", MODELS)
def test_numbers_that_tensorflow_rounds_are_exact(backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "scaled.yaml"
    spec.write_text(SCALED, encoding="utf-8")
    check_same(given(spec), backend, tmp_path)


def test_model_with_exact_numbers_is_saved_and_loaded(tmp_path: Path) -> None:
    """Without custom objects; a plain factor would be rounded again after loading."""
    spec = tmp_path / "scaled.yaml"
    spec.write_text(SCALED, encoding="utf-8")
    typed = typed_program(spec)
    x, model = batch(typed), running("keras", typed)
    model.load(seeded(typed))
    model.save(tmp_path / "weights.weights.h5")
    own = in_keras(typed, tmp_path / "weights.weights.h5")
    own.save(tmp_path / "own.keras")
    loaded = keras.models.load_model(tmp_path / "own.keras")
    (wanted,) = model.forward(x).values()
    (found,) = outputs_of_keras(loaded, x, training=False).values()
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("repair", ["scale", "epsilon"])
def test_a_repaired_model_is_found(
    repair: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that changes a number of a layer, however little, has another model."""
    from inception_dsl_keras import runner

    build = runner.KerasModel.__init__

    def repaired(self: Any, *given: Any, **options: Any) -> None:
        build(self, *given, **options)
        for layer in self.model.layers:
            if hasattr(layer, repair):
                setattr(layer, repair, getattr(layer, repair) * (1 + 1e-9))

    monkeypatch.setattr(runner.KerasModel, "__init__", repaired)
    spec = tmp_path / "scaled.yaml"
    spec.write_text(SCALED, encoding="utf-8")
    with pytest.raises(AssertionError):
        check_same(given(spec), "keras", tmp_path)
