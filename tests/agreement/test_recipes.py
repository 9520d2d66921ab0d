"""Files that are never opened: the error has a command that makes a file that can be imported.

The files are made by PyTorch, TensorFlow, NumPy and ONNX themselves.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published_files import TIMM, Run, imported, published_spec, state
from safetensors.numpy import load_file

__all__ = ["imported", "published_spec"]

Make = Callable[[dict[str, Any], Path], None]


def tensors(held: dict[str, Any]) -> dict[str, Any]:
    return {name: torch.from_numpy(array) for name, array in held.items()}


def prefixed(held: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors(held).items()}


def lightning(held: dict[str, Any], path: Path) -> None:
    found = {"epoch": 3, "global_step": 7, "pytorch-lightning_version": "2.5.0"}
    found |= {"state_dict": prefixed(held, "model."), "hyper_parameters": {"lr": 0.1}}
    torch.save({**found, "optimizer_states": [{"state": {}, "param_groups": []}]}, path)


def averaged(held: dict[str, Any], path: Path) -> None:
    """A file of ``torch.optim.swa_utils``."""
    found = {"n_averaged": torch.tensor(5), **prefixed(held, "module.")}
    torch.save({"model": found, "optimizer": {}}, path)


def transposed(held: dict[str, Any], path: Path) -> None:
    """Tensors that share memory and are not contiguous cannot be saved as they are."""
    found = {k: t.movedim(0, -1).contiguous().movedim(-1, 0) for k, t in tensors(held).items()}
    torch.save(found, path)


def scripted(held: dict[str, Any], path: Path) -> None:
    class Part(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    whole = Part()
    for name, tensor in tensors(held).items():
        *outer, leaf = name.split(".")
        part: torch.nn.Module = whole
        for one in outer:
            if not hasattr(part, one):
                part.add_module(one, Part())
            part = part.get_submodule(one)
        part.register_buffer(leaf, tensor)
    torch.jit.script(whole).save(str(path))


def onnx_model(held: dict[str, Any], path: Path) -> None:
    import onnx

    values = [onnx.numpy_helper.from_array(array, name) for name, array in held.items()]
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    node = onnx.helper.make_node("Identity", ["fc.bias"], ["y"])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [y], values)), path)


FILES: dict[str, Make] = {
    "plain.pth": lambda held, path: torch.save(tensors(held), path),
    "older.pt": lambda held, path: torch.save(
        tensors(held), path, _use_new_zipfile_serialization=False
    ),
    "state.pth.tar": lambda held, path: torch.save({"state_dict": tensors(held)}, path),
    "model.bin": lambda held, path: torch.save({"model": tensors(held), "epoch": 1}, path),
    "another.pth": lambda held, path: torch.save({"step": 1, "net": tensors(held)}, path),
    "lightning.ckpt": lightning,
    "it's averaged.pt": averaged,
    "transposed.pth": transposed,
    "script.pt": scripted,
    "arrays.npz": lambda held, path: np.savez(path, **held),
    "network.onnx": onnx_model,
}


def recipe(stderr: str) -> str:
    """The command in the help of an error."""
    found = re.search(r"first: `(python -c .*)`$", stderr, re.MULTILINE)
    assert found, stderr
    return found[1]


def made(command: str) -> Path:
    """Runs a command of a shell; the file that it names last."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "PATH": path})
    code = shlex.split(command)[-1]
    return Path(re.findall(r'"([^"]*\.safetensors)"', code)[-1])


@pytest.mark.parametrize("name", FILES)
def test_the_recipe_works(imported: Run, tmp_path: Path, name: str) -> None:
    held = state(TIMM)
    FILES[name](held, tmp_path / name)
    stderr = imported(tmp_path / name).stderr
    assert "error[E701]" in stderr
    file = made(recipe(stderr))
    result = imported(file)
    assert result.exit_code == 0, result.stderr
    found = load_file(tmp_path / "out.safetensors")
    np.testing.assert_array_equal(found["aux/out/kernel"], held["AuxLogits.out.weight"].T)


def test_another_entry_of_a_checkpoint(imported: Run, tmp_path: Path) -> None:
    """Averaged weights beside those of the last step: the command names the entry."""
    first, second = state(TIMM), {k: 2 * array for k, array in state(TIMM).items()}
    both = {"model": tensors(first), "model_ema": prefixed(second, "module.")}
    torch.save(both, tmp_path / "a.pth")
    command = recipe(imported(tmp_path / "a.pth").stderr)
    assert imported(made(command)).exit_code == 0
    (tmp_path / "out.safetensors").unlink()
    assert imported(made(command.replace('"state_dict"', '"model_ema"'))).exit_code == 0
    found = load_file(tmp_path / "out.safetensors")
    np.testing.assert_array_equal(found["classifier/bias"], second["fc.bias"])


SLIM = """\
network: small
input: {channels: 3, height: 6, width: 5}
classes: 4
body:
  - {op: conv_bn, name: conv_1a, filters: 6, kernel_size: 3, batch_norm: {scale: false}}
  - {op: separable_conv, name: mixed, filters: 5, kernel_size: 3}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
checkpoints:
  slim:
    separator: /
    names: {conv_1a: Conv2d_1a_3x3, mixed: Mixed/Separable, classifier: Logits}
    blocks: {conv_bn: {conv: "", bn: BatchNorm}}
"""
VARIABLES = {
    "Conv2d_1a_3x3/weights": (3, 3, 3, 6),
    **{f"Conv2d_1a_3x3/BatchNorm/{n}": (6,) for n in ("beta", "moving_mean", "moving_variance")},
    "Mixed/Separable/depthwise_weights": (3, 3, 6, 1),
    "Mixed/Separable/pointwise_weights": (1, 1, 6, 5),
    "Mixed/Separable/biases": (5,),
    "Logits/weights": (5, 4),
    "Logits/biases": (4,),
}


@pytest.mark.parametrize("given", ["model.ckpt", "model.ckpt.index", "model.ckpt.meta"])
def test_a_checkpoint_of_tensorflow(
    imported: Run, tmp_path: Path, published_spec: Path, given: str
) -> None:
    """A checkpoint with the names of TF-slim, which has a class more and counts its steps."""
    import tensorflow as tf

    held = state({f"InceptionV4/{name}": shape for name, shape in VARIABLES.items()})
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, array in held.items():
            tf.compat.v1.get_variable(name, initializer=array)
        tf.compat.v1.get_variable("global_step", initializer=np.int64(9))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    published_spec.write_text(SLIM)
    file = made(recipe(imported(tmp_path / given, "slim").stderr))
    result = imported(file, "slim")
    assert "begin with `InceptionV4/`" in result.stdout, result.stderr
    found = load_file(tmp_path / "out.safetensors")
    for name, key in {
        "conv_1a/conv/kernel": "Conv2d_1a_3x3/weights",
        "conv_1a/bn/moving_mean": "Conv2d_1a_3x3/BatchNorm/moving_mean",
        "mixed/pointwise/kernel": "Mixed/Separable/pointwise_weights",
        "mixed/depthwise/kernel": "Mixed/Separable/depthwise_weights",
        "classifier/bias": "Logits/biases",
    }.items():
        np.testing.assert_array_equal(found[name], held[f"InceptionV4/{key}"])
