"""Files that differ from the spec, imported as the errors say: outputs are those of the original.

One network each of torchvision, timm and ``keras.applications``, with random weights, in both
frameworks in float64.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from frameworks import BACKENDS, ROOT, running, typed_program
from originals import NETWORKS, Layers, Network, State, original
from safetensors.torch import save_file

from inception_dsl.cli import main
from inception_dsl.diagnostics.report import Report
from inception_dsl.verify.bounds import FLOAT64, distance
from inception_dsl.weights import store

STATES = ("torchvision_googlenet", "timm_inception_v3")
NAMES = (*STATES, "keras_inception_v3")
CLASSES = 7


class Original(NamedTuple):
    """A published network with random weights."""

    network: Network
    real: State | Layers

    @property
    def spec(self) -> Path:
        return ROOT / "specs" / "published" / f"{self.network.spec}.yaml"

    @property
    def x(self) -> Any:
        return self.network.batch.astype(np.float64)


@pytest.fixture(scope="module", params=NAMES)
def made(request: pytest.FixtureRequest) -> Original:
    network = next(n for n in NETWORKS if n.spec == request.param)
    return Original(network, original(network))


def command(made: Original, file: Path, out: Path, options: list[str]) -> Any:
    words = ["weights", "import", str(made.spec), str(file), "--from", made.network.source]
    return CliRunner().invoke(main, [*words, "--out", str(out), "--dtype", "float64", *options])


def outputs(made: Original, file: Path, options: list[str], channels: int = 3) -> dict[str, Any]:
    """The output of each framework for the batch; of gray images the first channel."""
    size = [*made.network.size, channels]
    settings = {"input": "x".join(map(str, size))}
    options = [*options, "--input", settings["input"]]
    out = file.with_name("out.safetensors")
    result = command(made, file, out, options)
    assert result.exit_code == 0, result.stderr
    pairs = zip(options[::2], options[1::2], strict=True)
    settings |= {v.partition("=")[0]: v.partition("=")[2] for k, v in pairs if k == "--set"}
    typed = typed_program(made.spec, **settings)
    report = Report()
    weights = store.read(out, typed, report)
    assert weights is not None, report.render()
    out.unlink()
    found = {}
    for backend in BACKENDS:
        model = running(backend, typed, "float64")
        model.load(weights)
        (found[backend],) = model.forward(made.x[..., :channels]).values()
    return found


def agree(found: dict[str, Any], wanted: Any) -> None:
    assert distance(wanted[0], wanted[1]) > 0.01
    errors = {backend: distance(y, wanted) for backend, y in found.items()}
    print({backend: f"{error:.1e}" for backend, error in errors.items()})
    assert max(errors.values()) <= FLOAT64, errors


def result(made: Original, x: Any = None, **changes: Any) -> Any:
    """The output of the original in float64; ``changes`` replaces layers of PyTorch."""
    x = made.x if x is None else x
    if isinstance(made.real, Layers):
        model = made.real.made("float64")
        model.set_weights(made.real.model.get_weights())
        return np.asarray(model(x, training=False))
    with torch.no_grad():
        model = made.real.model.double().eval()
        y = model(State.tensor(x)).numpy()
    made.real.model.float()
    return y


def state_file(model: torch.nn.Module, path: Path) -> Path:
    save_file({k: t.contiguous().clone() for k, t in model.state_dict().items()}, path)
    return path


def offered(made: Original, file: Path, beginning: str) -> list[str]:
    """The options that the error offers."""
    done = command(made, file, file.with_name("out.safetensors"), list_of_parts(made))
    assert done.exit_code == 1
    texts = re.findall(rf"`({beginning}[^`]*)`", done.stderr)
    assert texts, done.stderr
    return shlex.split(texts[0])


def list_of_parts(made: Original) -> list[str]:
    """Files of fine-tuned networks have no auxiliary heads."""
    return ["--set", "aux_heads=null"] if made.network.heads else []


def without_heads(model: Any) -> Any:
    for name in ("aux1", "aux2", "AuxLogits"):
        if getattr(model, name, None) is not None:
            setattr(model, name, None)
    return model


@pytest.mark.parametrize("made", STATES, indirect=True)
def test_a_wrapped_state_dict(made: Original, tmp_path: Path) -> None:
    assert isinstance(made.real, State)
    wrapped = torch.nn.ModuleDict({"backbone": torch.nn.DataParallel(made.real.model)})
    file = state_file(wrapped, tmp_path / "a.safetensors")
    agree(outputs(made, file, []), result(made))


def test_a_class_too_many(made: Original, tmp_path: Path) -> None:
    """The background of TensorFlow's files: the first class is left out, of heads too."""
    file = made.real.save(tmp_path)[0]
    options = ["--set", "classes=999", "--drop-class", "0"]
    wanted = result(made)[:, 1:]
    if isinstance(made.real, Layers):
        wanted = wanted / wanted.sum(-1, keepdims=True)
    agree(outputs(made, file, options), wanted)


def test_gray_images(made: Original, tmp_path: Path) -> None:
    """A gray image gives what the original gives for it in three channels."""
    file = made.real.save(tmp_path)[0]
    agree(outputs(made, file, [], 1), result(made, np.repeat(made.x[..., :1], 3, axis=-1)))


def own_classifier(made: Original, folder: Path) -> tuple[Path, Callable[[], Any]]:
    """A file with a classifier of another name and size, and what computes its output."""
    rng = np.random.default_rng(3)
    kernel = rng.normal(0.0, 0.1, (_features(made), CLASSES)).astype("f4")
    bias = rng.normal(0.0, 0.1, CLASSES).astype("f4")
    if isinstance(made.real, Layers):
        whole, features = made.real.model, _wide(made)
        kernel *= np.float32(2.0 / (features @ kernel.astype("f8")).std())  # no softmax of 0 or 1
        base = keras.Model(whole.input, whole.get_layer("predictions").input)
        model = keras.Model(base.input, keras.layers.Dense(CLASSES, name="mine")(base.output))
        model.get_layer("mine").set_weights([kernel, bias])
        model.save_weights(folder / "a.weights.h5")
        y = features @ kernel.astype("f8") + bias
        y = np.exp(y - y.max(-1, keepdims=True))
        y = y / y.sum(-1, keepdims=True)  # the spec ends in a softmax
        return folder / "a.weights.h5", lambda: y
    model = made.real.model
    linear = torch.nn.Linear(len(kernel), CLASSES)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(kernel.T.copy()))
        linear.bias.copy_(torch.from_numpy(bias))
    before, heads = model.fc, {n: getattr(model, n) for n in ("aux1", "aux2") if hasattr(model, n)}
    try:
        model.fc = torch.nn.Sequential(torch.nn.Dropout(0.5), linear)
        without_heads(model)
        file = state_file(model, folder / "a.safetensors")
        y = result(made)
    finally:
        model.fc = before.float()
        for name, head in heads.items():
            setattr(model, name, head)
    return file, lambda: y


def _features(made: Original) -> int:
    return 1024 if made.network.spec == "torchvision_googlenet" else 2048


def _wide(made: Original) -> Any:
    """The features of a network of Keras in float64."""
    model = made.real.made("float64")  # type: ignore[union-attr]
    model.set_weights(made.real.model.get_weights())
    features = keras.Model(model.input, model.get_layer("predictions").input)
    return np.asarray(features(made.x, training=False))


def test_an_own_classifier(made: Original, tmp_path: Path) -> None:
    file, wanted = own_classifier(made, tmp_path)
    options = offered(made, file, "--set checkpoints")
    assert f"classes={CLASSES}" in options
    agree(outputs(made, file, [*list_of_parts(made), *options]), wanted())


def test_a_new_classifier(made: Original, tmp_path: Path) -> None:
    """Its bias is 0, so all classes of a kernel of equal columns have the same output."""
    file, _ = own_classifier(made, tmp_path)
    options = [*list_of_parts(made), "--set", "classes=3", "--drop", "classifier"]
    found = outputs(made, file, options)
    assert found["torch"].shape == (made.network.samples, 3)
    assert distance(found["torch"], found["keras"]) <= FLOAT64
