"""Typical use of generated Keras models: save, clone, train, mixed precision; every network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import inception_dsl
from inception_dsl.analysis.sizes import minimum_input
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.verify.bounds import FLOAT32, distance

SPECS = sorted((Path(__file__).parents[3] / "specs").glob("*.yaml"))
HALF = "bfloat16"
ONLY = "output"  # the key of a single output in this module
LOADER = """
import sys
import keras, numpy as np
for line in sys.stdin:
    folder = line.strip()
    model = keras.models.load_model(f"{folder}/model.keras", safe_mode=True)
    found = model(np.load(f"{folder}/x.npy"), training=False)
    found = found if isinstance(found, dict) else {"output": found}
    np.savez(f"{folder}/found.npz", **found)
    assert not [name for name in sys.modules if name.startswith("inception_dsl")]
    print("done", flush=True)
"""


class Life(NamedTuple):
    """A model with its auxiliary heads; ``x`` are three samples (N, H, W, C), ``found`` the outputs
    in inference.
    """

    typed: TypedProgram
    module: ModuleType
    model: Any
    x: Any
    found: dict[str, Any]

    def built(self) -> Any:
        """A new model with initial weights."""
        options = {"aux_logits": True} if self.typed.heads else {}
        return getattr(self.module, self.typed.program.id)(input_shape=self.x.shape[1:], **options)


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: spec.stem)
def life(request: pytest.FixtureRequest) -> Iterator[Life]:
    network = inception_dsl.load(request.param)
    least = minimum_input(network.typed, heads=True)[0]
    shape = (3, least, least + 32, network.typed.program.input.channels)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    keras.utils.set_random_seed(0)
    life = Life(network.typed, network.module("keras"), None, x, {})
    life = life._replace(model=nudged(life.built(), 1.0 if network.typed.probabilities else 2.0))
    life = life._replace(found=outputs(life.model, x))
    for name, y in life.found.items():
        assert distance(y[0], y[1]) > 100 * FLOAT32, (
            f"{name}: the outputs of different samples must differ"
        )
    yield life
    keras.backend.clear_session()


def nudged(model: Any, gain: float) -> Any:
    """The model with random biases, scales and statistics, and random kernels.

    The variance ``gain / fan_in`` keeps the size of activations. It is smaller before a softmax,
    whose outputs would otherwise be all 0 or 1.
    """
    rng = np.random.default_rng(0)
    for variable in model.weights:
        value = variable.numpy()
        if value.ndim == 1:
            value = value * rng.uniform(0.8, 1.2, value.shape) + rng.uniform(0, 0.1, value.shape)
        else:
            value = rng.normal(0, np.sqrt(gain / np.prod(value.shape[:-1])), value.shape)
        variable.assign(value)
    return model


def outputs(model: Any, x: Any) -> dict[str, Any]:
    """The outputs in inference as arrays, by name."""
    found = model(x, training=False)
    return {
        name: y.numpy() for name, y in (found if isinstance(found, dict) else {ONLY: found}).items()
    }


def same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether two sets of outputs have the same bits."""
    return found.keys() == wanted.keys() and all(
        np.array_equal(found[name], y) for name, y in wanted.items()
    )


@pytest.fixture(scope="module")
def load_in_keras() -> Iterator[Callable[[Path], str]]:
    """Loads the model of a folder in a process with only Keras, and saves its outputs there."""
    with subprocess.Popen(
        [sys.executable, "-c", LOADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def load(folder: Path) -> str:
            print(folder, file=stdin, flush=True)
            return stdout.readline().strip()

        yield load
        stdin.close()


def test_saved_model_loads_in_safe_mode_without_the_source(
    life: Life, load_in_keras: Callable[[Path], str], tmp_path: Path
) -> None:
    life.model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", life.x)
    assert load_in_keras(tmp_path) == "done"
    with np.load(tmp_path / "found.npz") as found:
        assert same(dict(found), life.found)


HISTORY = r', "keras_history": \[.*?\]'


def layers_of(model: keras.Model) -> Any:
    """The configuration as a file holds it: pairs are lists.

    Keras numbers the calls of a layer that is called twice in another order in a clone, so a call
    is known by the layers that it reads.
    """
    found = json.loads(json.dumps(model.get_config()))
    for layer in found["layers"]:
        layer["inbound_nodes"] = sorted(
            (sorted(re.findall(r'"keras_history": \["(.*?)"', text)), re.sub(HISTORY, "", text))
            for text in map(json.dumps, layer["inbound_nodes"])
        )
    return found


def test_clone_has_the_same_layers_and_its_own_weights(life: Life) -> None:
    cloned = keras.models.clone_model(life.model)
    assert layers_of(cloned) == layers_of(life.model)
    drawn = [
        (v, w)
        for v, w in zip(cloned.weights, life.model.weights, strict=True)
        if "kernel" in v.name
    ]
    assert drawn
    assert not [v.path for v, w in drawn if np.array_equal(v.numpy(), w.numpy())]
    assert not same(outputs(cloned, life.x), life.found)
    assert same(outputs(life.model, life.x), life.found)
    cloned.set_weights(life.model.get_weights())
    assert same(outputs(cloned, life.x), life.found)


def test_fit_changes_every_weight(life: Life) -> None:
    """Two training steps; the history has the loss of every output."""
    model, heads = life.built(), {head.name: head.loss_weight for head, _ in life.typed.heads}
    model.set_weights(life.model.get_weights())
    before = model.get_weights()
    loss: Any = getattr(life.module, "cross_entropy" if heads else "loss", "mse")
    assert (loss == "mse") != life.typed.has_loss
    y: Any = np.array([3, 999, 500]) if life.typed.has_loss else np.zeros_like(life.found[ONLY])
    if heads:
        heads = {life.typed.output_name: 1.0, **heads}
        assert heads == life.module.LOSS_WEIGHTS
        loss, y = dict.fromkeys(heads, loss), dict.fromkeys(heads, y)
    model.compile(
        keras.optimizers.SGD(0.01), loss=loss, loss_weights=heads or None, jit_compile=False
    )
    history = model.fit(life.x, y, batch_size=3, epochs=2, verbose=0).history
    assert history.keys() == {"loss", *(f"{name}_loss" for name in heads)}
    assert np.isfinite(list(history.values())).all()
    assert history["loss"][0] != history["loss"][1]
    if heads:
        total = sum(weight * np.array(history[f"{name}_loss"]) for name, weight in heads.items())
        assert np.allclose(history["loss"], total, rtol=1e-5)
    assert not [
        v.path
        for v, value in zip(model.weights, before, strict=True)
        if np.array_equal(v.numpy(), value)
    ]


def in_half(model: Any) -> Any:
    """A float32 copy that rounds weights and layer outputs to half, as mixed precision does."""

    def rounded(y: Any) -> Any:
        return keras.ops.cast(keras.ops.cast(y, HALF), "float32")

    def call(layer: Any, *args: Any, **options: Any) -> Any:
        return keras.tree.map_structure(rounded, layer(*args, **options))

    copied = keras.models.clone_model(model, call_function=call)
    copied.set_weights(
        [rounded(value) if value.ndim > 1 else value for value in model.get_weights()]
    )
    return copied


def test_mixed_precision(life: Life) -> None:
    """Variables are float32; outputs have the compute dtype, as Keras documents."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(f"mixed_{HALF}")
    try:
        model = life.built()
    finally:
        keras.config.set_dtype_policy(before)
    assert {v.dtype for v in model.weights} == {"float32"}
    assert {
        keras.backend.standardize_dtype(y.dtype) for y in keras.tree.flatten(model.outputs)
    } == {HALF}
    model.set_weights(life.model.get_weights())
    rounding = outputs(in_half(life.model), life.x)
    for name, y in outputs(model, life.x).items():
        apart = distance(y.astype("float32"), life.found[name])
        assert apart > 10 * FLOAT32, "nothing was rounded"
        assert apart <= 4 * distance(rounding[name], life.found[name]), name
