"""A model that was compiled and trained as its file says: labels, saving, new processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from inception_dsl_keras import BACKEND
from keras_specs import SMALL

Make = Callable[[str], Any]
SMOOTH = "training: {label_smoothing: 0.1}\n"
HEADS = SMALL[SMALL.index("aux_heads") : SMALL.index("head: ")]
SPECS = {
    "heads": SMALL,
    "heads without smoothing": SMALL.replace(SMOOTH, ""),
    "one output": SMALL.replace(HEADS, ""),
    "one output without smoothing": SMALL.replace(HEADS, "").replace("0.1}\n", "0.0}\n"),
}
LABELS = {
    "(N,) int64": np.array([0, 3, 1, 2, 2]),
    "(N,) int32": np.array([0, 3, 1, 2, 2], "int32"),
    "(N, 1) int64": np.array([[0], [3], [1], [2], [2]]),
    "(N, 1) int32": np.array([[0], [3], [1], [2], [2]], "int32"),
    "(N,) uint8": np.array([0, 3, 1, 2, 2], "uint8"),
}
LOADER = """
import os, sys
import keras, numpy as np
import small
x = np.load("x.npy")
functions = {n: getattr(small, n) for n in ("cross_entropy", "loss") if hasattr(small, n)}
name = "cross_entropy" if "cross_entropy" in functions else "loss"
model = keras.models.load_model("model.keras", custom_objects={name: functions[name]})
heads = isinstance(model.output, dict)
def outputs(model):
    found = model.predict(x, verbose=0)
    return found if heads else {"logits": found}
for name, y in outputs(model).items():
    expected = np.load(f"{name}.npy")
    assert np.abs(y - expected).max() < 1e-5 * np.abs(expected).max(), name
y = np.arange(len(x)) % 4
y = dict.fromkeys(small.LOSS_WEIGHTS, y) if heads else y
assert int(model.optimizer.iterations) == 2, "the state of the optimizer is loaded"
model.fit(x, y, verbose=0)
assert int(model.optimizer.iterations) == 3
plain = keras.models.load_model("model.keras", compile=False)
assert [l.name for l in plain.layers] == [l.name for l in model.layers]
try:
    keras.models.load_model("model.keras")
    raise SystemExit("the documented argument is not needed")
except TypeError as error:
    assert "Could not locate function" in str(error), error
print(keras.backend.backend(), "done")
"""


def smoothed(logits: Any, classes: Any, smoothing: float) -> Any:
    """The mean cross-entropy, in NumPy."""
    classes = classes.reshape(-1).astype(int)
    target = np.full(logits.shape, smoothing / logits.shape[-1])
    target[np.arange(len(classes)), classes] += 1 - smoothing
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return -(target * logs).sum(axis=-1).mean()


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("spec", SPECS)
def test_loss_takes_all_shapes_of_labels(spec: str, labels: str, module_of: Make) -> None:
    """(N, 1) against (N, classes) could become (N, N), also in Keras's own loops."""
    module, y = module_of(SPECS[spec]), LABELS[labels]
    smoothing = 0.0 if "without" in spec else 0.1
    logits = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    expected = smoothed(logits, y, smoothing)
    found = keras.ops.convert_to_numpy(module.loss(y, logits))
    assert found.mean() == pytest.approx(expected, rel=1e-5)
    if spec == "heads":
        both = {"logits": logits, "side": logits}
        assert float(module.loss(y, both)) == pytest.approx(1.3 * expected, rel=1e-5)
    if labels != "(N, 1) int64":
        return
    model, x = module.small(), np.random.default_rng(1).normal(size=(5, 9, 9, 3))
    entropy = module.loss if "one output" in spec else module.cross_entropy
    model.compile("sgd", loss=entropy, jit_compile=False)
    known = smoothed(model.predict(x, verbose=0), y, smoothing)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(known, rel=1e-4)


SOFT = SMALL.replace("units: $classes", "units: $classes, activation: softmax")


@pytest.mark.parametrize("spec", [SOFT, SOFT.replace(HEADS, "")], ids=["heads", "one output"])
def test_training_by_logits(spec: str, module_of: Make, tmp_path: Path) -> None:
    """A softmax at the end: the model that is trained has a gradient where it is rounded to 0."""
    module, y = module_of(spec), np.array([1, 2, 3, 1, 1])
    x = np.random.default_rng(1).normal(size=(5, 9, 9, 3))
    heads = {"aux_logits": True} if "aux_heads" in spec else {}
    plain, model = module.small(**heads), module.small(**heads, classifier_activation=None)
    dense = model.get_layer("head_2")
    dense.bias.assign([300, 0, 0, 0])
    for layer in plain.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    logits, found = (m.predict(x, verbose=0) for m in (model, plain))
    name = "probabilities"
    logits, found = (v if heads else {name: v} for v in (logits, found))
    assert found[name][0, 1] == 0
    for key, value in found.items():
        np.testing.assert_allclose(value, keras.ops.softmax(logits[key]), rtol=1e-5, atol=1e-12)
    expected = smoothed(logits[name], y, 0.1) + 0.3 * (
        smoothed(logits["side"], y, 0.1) if heads else 0
    )
    given = logits if heads else logits[name]
    assert np.mean(module.loss(y, given, from_logits=True)) == pytest.approx(expected, rel=1e-5)
    loss, weights, labels = module.cross_entropy, None, y
    if heads:
        loss, weights = dict.fromkeys(module.LOSS_WEIGHTS, loss), module.LOSS_WEIGHTS
        labels = dict.fromkeys(module.LOSS_WEIGHTS, y)
    model.compile(keras.optimizers.SGD(1.0), loss=loss, loss_weights=weights, jit_compile=False)
    model.fit(x, labels, verbose=0)
    assert dense.bias.numpy()[1] > 0.3
    model.save(tmp_path / "soft.keras")
    again = keras.models.load_model(tmp_path / "soft.keras", compile=False)
    np.testing.assert_allclose(
        keras.tree.flatten(again.predict(x, verbose=0))[0],
        keras.tree.flatten(model.predict(x, verbose=0))[0],
    )


@pytest.mark.parametrize("label", [4, 1000, -1])
@pytest.mark.parametrize("spec", SPECS)
def test_labels_outside_of_the_classes_are_errors(spec: str, label: int, module_of: Make) -> None:
    """An error of TensorFlow, with and without a graph."""
    module, y = module_of(SPECS[spec]), np.array([0, label])
    with pytest.raises(Exception, match="label value"):
        module.loss(y, np.zeros((2, 4), "float32"))
    if label != 4:
        return
    model, x = module.small(), np.zeros((2, 9, 9, 3))
    entropy = module.loss if "one output" in spec else module.cross_entropy
    model.compile("sgd", loss=entropy, jit_compile=False)
    with pytest.raises(Exception, match="label value"):
        model.fit(x, y, verbose=0)


ON_ENGINE = """
import keras, numpy as np
import small
logits = np.zeros((2, 4), "float32")
for label in (4, 1000, -1, -100):
    try:
        found = keras.ops.convert_to_numpy(small.loss(np.array([0, label]), logits))
    except Exception as error:
        assert keras.backend.backend() == "torch" and "out of bounds" in str(error), error
    else:
        assert np.isnan(found).any(), (label, found)
print("done")
"""


def run(code: str, engine: str, folder: Path) -> str:
    """Run a program in a new process on an engine, in a folder."""
    (chosen,) = [found for found in BACKEND.engines if found.name == engine]
    environment = {**os.environ, **dict(chosen.environment)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("engine", ["jax", "torch"])
@pytest.mark.parametrize("spec", ["heads", "one output without smoothing"])
def test_labels_outside_of_the_classes_elsewhere(
    spec: str, engine: str, source_of: Make, tmp_path: Path
) -> None:
    """An error of PyTorch; JAX cannot raise one, so the loss is NaN."""
    (tmp_path / "small.py").write_text(source_of(SPECS[spec]))
    assert run(ON_ENGINE, engine, tmp_path).strip() == "done"


@pytest.mark.parametrize(
    ("spec", "engine"),
    [*(("heads", engine.name) for engine in BACKEND.engines), ("one output", "tensorflow")],
)
def test_a_trained_model_loads_as_documented(
    spec: str, engine: str, source_of: Make, module_of: Make, tmp_path: Path
) -> None:
    """In a new process and on each engine, with the state of the optimizer."""
    text = SPECS[spec]
    source, module = source_of(text), module_of(text)
    name = "cross_entropy" if spec == "heads" else "loss"
    assert f'custom_objects={{"{name}": {name}}}' in " ".join(source.split())
    (tmp_path / "small.py").write_text(source)
    heads = spec == "heads"
    model = module.small(aux_logits=True) if heads else module.small()
    x, y = np.random.default_rng(1).normal(size=(6, 9, 9, 3)).astype("float32"), np.arange(6) % 4
    if heads:
        loss = dict.fromkeys(module.LOSS_WEIGHTS, module.cross_entropy)
        model.compile("adam", loss=loss, loss_weights=module.LOSS_WEIGHTS)
        model.fit(x, dict.fromkeys(module.LOSS_WEIGHTS, y), epochs=2, verbose=0)
    else:
        model.compile("adam", loss=module.loss)
        model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    found = model.predict(x, verbose=0)
    for output, value in (found if heads else {"logits": found}).items():
        np.save(tmp_path / f"{output}.npy", value)
    assert run(LOADER, engine, tmp_path).strip() == f"{engine} done"
