"""docs/fine-tuning.md: every command and every line, with random files of the originals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import blocks, commands

DOCUMENT = "docs/fine-tuning.md"
FILES = """
import operators
operators.declare()
import timm, torch, torchvision
from safetensors.torch import save_file
state = timm.create_model("inception_v3", pretrained=False).state_dict()
save_file(state, "model.safetensors")
other = torchvision.models.inception_v3(weights=None, init_weights=False)
torch.save(other.state_dict(), "inception_v3_google-0cc3c7bd.pth")
"""
LAYERS = """
import keras
model = keras.applications.InceptionV3(weights=None, include_top=False)
model.save("inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5")
"""
TORCH = """
before = load_file("ten.torch.safetensors")
after = model.state_dict()
assert {k for k in after if not torch.equal(after[k], before[k])} == CHANGED, "frozen layers"
"""
TORCH_END = """
assert model.num_features == 2048 and features.shape == (12, 2048)
assert maps.shape == (12, 2048, 2, 2)
torch.testing.assert_close(maps.mean((2, 3)), features)
"""
KERAS = """
fresh = module.timm_inception_v3()
fresh.load_weights("ten.weights.h5")
changed = [a.path for a, b in zip(model.variables, fresh.variables) if np.any(a != b)]
assert changed == ["classifier/kernel", "classifier/bias"], changed
"""
KERAS_END = """
assert features.shape == (12, 2048) and maps.output.shape[1:] == (2, 2, 2048)
assert other.output.shape == (None, 5)
norms = [v for v in model.trainable_variables if "bn" in v.path]
assert len(model.trainable_variables) > 2 and norms == []
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the originals, in which all commands were run."""
    found = tmp_path_factory.mktemp("fine_tuning")
    for text in (FILES, LAYERS):
        ran(found, [sys.executable, "-c", text])
    printed = "".join(ran(found, ["bash", "-c", command]) for command in commands(DOCUMENT))
    (shown,) = (block.text for block in blocks("", DOCUMENT))
    assert shown in printed
    return found


def ran(folder: Path, command: list[str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    search = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": search, "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def script(heading: str) -> list[str]:
    """The blocks of Python below a heading."""
    text = (Path(__file__).parents[2] / DOCUMENT).read_text(encoding="utf-8")
    below = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [block.text for block in blocks("python", DOCUMENT) if block.text in below]


def test_pytorch(folder: Path) -> None:
    """An epoch changes the classifier only: no frozen weight, and no moving statistics."""
    load, freeze, epoch, more, end = script("PyTorch")
    changed = 'CHANGED = {"classifier.weight", "classifier.bias"}\n'
    lines = [load, freeze, epoch, changed, TORCH, more, end, TORCH_END]
    ran(folder, [sys.executable, "-c", "\n".join(lines)])


def test_keras(folder: Path) -> None:
    load, epoch, more, end = script("Keras")
    lines = [load, epoch, KERAS, more, end, KERAS_END]
    ran(folder, [sys.executable, "-c", "\n".join(lines)])
    text = (Path(__file__).parents[2] / DOCUMENT).read_text(encoding="utf-8")
    (command,) = re.findall(r"`(inception-dsl weights convert [^`]*other\.keras[^`]*)`", text)
    assert "five.safetensors: 472 weights, 21,830,245 parameters" in ran(
        folder, ["bash", "-c", command.replace("\n", " ")]
    )


def test_the_files_of_all_sources_give_a_network(folder: Path) -> None:
    """They have the same weights by name, and the size of their frameworks' own files."""
    from safetensors.numpy import load_file

    sizes = {
        name: sum(array.size for array in load_file(folder / f"{name}.safetensors").values())
        for name in ("ten", "ten_torchvision", "ten_keras")
    }
    assert sizes["ten"] == sizes["ten_torchvision"] == 21_840_490
    assert sizes["ten_keras"] == sizes["ten"] - 17_216  # no gamma
