"""A small network with other names and layouts in its published files, and such files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.layouts import published

SPEC = """\
network: small
input: {channels: 3, height: 6, width: 5}
classes: 4
body:
  - {op: conv_bn, name: stem, filters: 6, kernel_size: [3, 2], stride: 2}
  - {use: tower, repeat: 2}
  - {op: depthwise_conv, name: depthwise, kernel_size: [1, 2], depth_multiplier: 2, use_bias: false}
blocks:
  tower: {steps: [{op: conv, name: conv, filters: 5, kernel_size: 1, use_bias: false},
      {op: activation, function: relu}]}
head: [{op: flatten}, {op: dropout, rate: 0.5}, {op: dense, name: classifier, units: $classes}]
aux_heads:
  aux: {after: stem, loss_weight: 0.3,
      steps: [{op: global_avg_pool}, {op: dense, name: out, units: $classes}]}
checkpoints:
  timm:
    names: {stem: conv1, tower/*: "layers.{1..2}", depthwise: dw, classifier: fc, aux: AuxLogits}
    blocks: {tower: {conv: conv}}
    optional: [AuxLogits]
  torchvision: timm
  keras-applications:
    names: {classifier: predictions, aux/out: aux, depthwise: depthwise}
    numbered: {conv: conv2d, bn: batch_normalization}
    optional: [aux]
"""
TIMM = {
    "conv1.conv.weight": (6, 3, 3, 2),
    **{f"conv1.bn.{name}": (6,) for name in ("weight", "bias", "running_mean", "running_var")},
    **{f"layers.{i}.conv.weight": (5, 6 if i == 1 else 5, 1, 1) for i in (1, 2)},
    "dw.weight": (10, 1, 1, 2),
    "fc.weight": (4, 90),
    "fc.bias": (4,),
    "AuxLogits.out.weight": (4, 6),
    "AuxLogits.out.bias": (4,),
}
Run = Callable[..., Result]


@pytest.fixture
def published_spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


def typed_program(published_spec: Path, **settings: str) -> TypedProgram:
    report = Report()
    typed = compile_spec(published_spec, settings, report)
    assert typed is not None, report.render()
    return typed


@pytest.fixture
def imported(published_spec: Path) -> Run:
    """Imports a file for the small network; an exception fails the test."""

    def imported(file: Path, source: str = "timm", *more: str) -> Result:
        out = str(published_spec.with_name("out.safetensors"))
        command = [
            "weights",
            "import",
            str(published_spec),
            str(file),
            "--from",
            source,
            "--out",
            out,
            *more,
        ]
        result = CliRunner().invoke(main, command)
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        assert (result.exit_code == 0) == Path(out).exists()
        return result

    return imported


def state(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {k: rng.uniform(0.5, 1.5, shape).astype(np.float32) for k, shape in shapes.items()}


def layered(published_spec: Path, first: int = 0) -> dict[str, dict[str, Any]]:
    """The small network's weights by layer; layers are numbered from ``first``."""
    typed = typed_program(published_spec)
    weights = {p: a.astype(np.float32) for p, a in seeded(typed).items()}
    found: dict[str, dict[str, Any]] = {}
    for key, array in published(typed, "keras-applications", "layers", weights).items():
        layer, leaf = key.split("/")
        word, _, number = layer.rpartition("_") if layer[-1].isdecimal() else (layer, "", "0")
        if word in ("conv2d", "batch_normalization") and first:
            layer = f"{word}_{int(number) + first}"
        found.setdefault(layer.removesuffix("_0"), {})[leaf] = array
    return found


def write_old(
    path: Path, found: dict[str, dict[str, Any]], *, suffix: str = ":0", chunks: bool = False
) -> None:
    """Write the old HDF5 format, with layers not in creation order."""
    with h5py.File(path, "w") as file:
        names = [*reversed(found), "activation"]
        if chunks:
            file.attrs["layer_names0"] = np.array([n.encode() for n in names[:2]])
            file.attrs["layer_names1"] = np.array([n.encode() for n in names[2:]])
        else:
            file.attrs["layer_names"] = np.array([n.encode() for n in names])
        for layer in names:
            group = file.create_group(layer)
            own = found.get(layer, {})
            group.attrs["weight_names"] = np.array([f"{layer}/{n}{suffix}".encode() for n in own])
            for name, array in own.items():
                group[f"{layer}/{name}{suffix}"] = array


def write_new(
    path: Path | io.BytesIO, found: dict[str, dict[str, Any]], *, named: bool = True
) -> None:
    with h5py.File(path, "w") as file:
        for index, (layer, own) in enumerate(found.items()):
            group = file.create_group(f"layers/layer_{index}/vars")
            if named:
                group.attrs["name"] = layer
            for number, array in enumerate(own.values()):
                group[str(number)] = array
        file["optimizer/vars/0"] = np.zeros(3)
