"""Forks of which a branch begins after an earlier step: published networks, and seeded defects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from defect import CORE, TORCH, Defect
from floats import floats
from frameworks import BACKENDS, running, typed_program
from keras import layers
from offered_network import case_of, problem, source
from operators import declare
from paths import ROOT

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.case import expect

Compiled = Callable[..., TypedProgram]
CLOSE = 1e-12
CELL = ROOT / "specs" / "family" / "nasnet_a_cell.yaml"
# Lin et al. 2017, Feature Pyramid Networks for Object Detection, figure 3
PYRAMID = """\
network: pyramid
input: {channels: 3, height: 32, width: 24}
body:
  - {op: conv, name: c2, filters: 6, kernel_size: 3}
  - {op: conv, name: c3, filters: 8, kernel_size: 3, stride: 2, activation: relu}
  - {op: conv, name: c4, filters: 10, kernel_size: 3, stride: 2}
  - {op: conv, name: inner_2, filters: 5, kernel_size: 1}
  - name: inner_1
    branches: {top: [{op: upsample, factor: 2}], lateral: [{op: conv, filters: 5, kernel_size: 1}]}
    after: {lateral: c3}
    merge: add
  - name: inner_0
    branches: {top: [{op: upsample, factor: 2}], lateral: [{op: conv, filters: 5, kernel_size: 1}]}
    after: {lateral: c2}
    merge: add
outputs:
  m2: c2
  m3: c3
  m4: c4
  p4: {after: inner_2, steps: [{op: conv, filters: 5, kernel_size: 3}]}
  p3: {after: inner_1, steps: [{op: conv, filters: 5, kernel_size: 3}]}
  p2: {after: inner_0, steps: [{op: conv, filters: 5, kernel_size: 3}]}
"""


def test_the_pyramid_is_that_of_torchvision(compiled: Compiled) -> None:
    """The reference and both backends, with the weights of torchvision's module."""
    declare()
    from torchvision.ops import FeaturePyramidNetwork

    typed = compiled(PYRAMID)
    weights = seeded(typed, 5)
    theirs = FeaturePyramidNetwork([6, 8, 10], 5).double()
    state = {}
    for level in range(3):
        inner = f"inner_{level}" + "/lateral" * (level < 2)
        for ours, key in ((inner, "inner"), (f"p{level + 2}", "layer")):
            kernel = torch.tensor(weights[f"{ours}/kernel"]).permute(3, 2, 0, 1)
            state[f"{key}_blocks.{level}.0.weight"] = kernel
            state[f"{key}_blocks.{level}.0.bias"] = torch.tensor(weights[f"{ours}/bias"])
    theirs.load_state_dict(state)
    x = batch(typed, seed=1)
    found = interpret(typed, weights, x).outputs
    maps = {f"p{n}": torch.tensor(found[f"m{n}"]).movedim(-1, 1) for n in (2, 3, 4)}
    wanted = {k: v.detach().movedim(1, -1).numpy() for k, v in theirs(maps).items()}
    for name, y in wanted.items():
        assert np.abs(found[name] - y).max() <= CLOSE
    for backend in BACKENDS:
        model = running(backend, typed)
        model.load(weights)
        results = model.forward(x)
        for name, y in wanted.items():
            assert np.abs(results[name] - y).max() <= CLOSE


def nasnet() -> keras.Model:
    """The cells of Keras's NASNet on the same two convolutions."""
    from keras.src.applications import nasnet as theirs

    inputs = keras.Input((32, 32, 3))
    conv1 = layers.Conv2D(32, 3, 2, "same", use_bias=False, name="conv1")(inputs)
    first = layers.BatchNormalization(epsilon=1e-3, name="conv1_bn")(conv1)
    second = layers.Conv2D(64, 3, padding="same", use_bias=False, name="second")(first)
    normal, p = theirs._normal_a_cell(second, first, 44, "1")
    y, _ = theirs._reduction_a_cell(normal, p, 88, "2")
    return keras.Model(inputs, y)


def of_keras(path: str) -> tuple[str, str]:
    """The layer and the weight of Keras's cells for one of ours."""
    *parts, kind = path.split("/")
    if parts[0] in ("conv1", "conv1_bn", "second"):
        return parts[0], kind
    cell, at = parts[0].split("_")
    number = {"normal": "1", "reduction": "2"}[cell]
    norm = kind in ("gamma", "beta", "moving_mean", "moving_variance")
    if at == "p":
        return f"adjust_{'bn' if norm else 'conv_projection'}_{number}", kind
    if at == "h":
        return f"{cell}_{'bn' if norm else 'conv'}_1_{number}", kind
    branch, place = parts[1], int(parts[2])
    at = "4" if (cell, at) == ("reduction", "5") else at  # as Keras names it
    layer = f"separable_conv_{1 + place // 3}{'_bn' * norm}_{cell}_{branch}{at}_{number}"
    return layer, f"{parts[3]}_kernel" if len(parts) > 3 else kind


def test_the_cells_are_those_of_keras(tmp_path: Path) -> None:
    """With zeros around the pools of the reduction cell, as Keras's code has them."""
    text = CELL.read_text(encoding="utf-8")
    for pool in ("max_pool", "avg_pool"):
        old = f"{{op: {pool}, kernel_size: 3, stride: 2}}"
        assert old in text
        pad = "{op: zero_pad, padding: [[0, 1], [0, 1]]}"
        new = f"{pad}, {{op: {pool}, kernel_size: 3, stride: 2, padding: valid}}"
        text = text.replace(old, new)
    path = tmp_path / "cells.yaml"
    path.write_text(text, encoding="utf-8")
    typed = typed_program(path)
    weights = seeded(typed, 3)
    with floats("float64"):
        theirs = nasnet()
    held = {(layer.name, w.name): w for layer in theirs.layers for w in layer.weights}
    for name, value in weights.items():
        weight = held.pop(of_keras(name))
        weight.assign(value.reshape(weight.shape))
    assert not held
    x = batch(typed, seed=2)
    wanted = keras.ops.convert_to_numpy(theirs(x, training=False))
    assert wanted.std() > 0.1
    assert np.abs(interpret(typed, weights, x).outputs["output"] - wanted).max() <= 1e-10
    for backend in BACKENDS:
        model = running(backend, typed)
        model.load(weights)
        assert np.abs(model.forward(x)["output"] - wanted).max() <= 1e-10


SPEC = """
network: later
input: {channels: 3, height: 9, width: 8}
classes: 4
blocks:
  cell:
    steps:
      - {op: identity, name: given}
      - {op: conv, name: first, filters: $in_channels, kernel_size: 3}
      - {op: activation, function: relu}
      - {op: conv, filters: $in_channels, kernel_size: 3}
      - branches: {last: [], first: [{op: conv, filters: 2, kernel_size: 1}], given: []}
        after: {first: first, given: given}
        merge: concat
        name: joined
body:
  - {op: conv, name: early, filters: 5, kernel_size: 3}
  - {op: activation, function: relu}
  - {use: cell}
  - {op: identity, name: same}
  - {use: cell, name: again}
  - branches:
      x: []
      y: [{op: global_avg_pool, over: channels}]
      z: [{op: global_max_pool, over: channels}]
    after: {y: early, z: same}
    merge: concat
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
training: {}
"""
DEFECTS = (
    Defect(
        "a ReLU overwrites what a later branch begins with",
        TORCH,
        "build",
        "fresh = [False, *(is_fresh(p.step) and not p.kept for p in planned)]",
        "fresh = [False, *(is_fresh(p.step) for p in planned)]",
    ),
    Defect(
        "a ReLU of a section overwrites what a later branch begins with",
        TORCH,
        "network",
        "fresh = is_fresh(step) and not planned.kept and not tapped",
        "fresh = is_fresh(step) and not tapped",
    ),
    Defect(
        "an identity that is read later is no variable",
        TORCH,
        "build",
        "if text == x and not planned.kept:",
        "if text == x:",
    ),
    Defect(
        "an earlier output has no variable of its own",
        CORE,
        "backend.statements",
        'target = self.kept[name] = self.local.claim(name, f"{name}_output")',
        "self.kept[name] = target",
    ),
)


@pytest.fixture
def later(tmp_path: Path) -> tuple[Path, Any, Any]:
    """The spec, its case, the results of the reference."""
    spec = tmp_path / "later.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    case = case_of(spec)
    return spec, case, expect(case, train=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_verify_agrees(later: tuple[Path, Any, Any], backend: str) -> None:
    spec, case, expected = later
    assert problem(spec, backend, source(spec, backend), case, expected) == ""


UNREAD = """
network: two_maps
input: {channels: 3, height: 9, width: 8}
body:
  - {op: conv, name: early, filters: 4, kernel_size: 1}
  - {op: conv, name: first, filters: 5, kernel_size: 3}
  - name: second
    branches: {alone: [{op: conv, filters: 6, kernel_size: 3}]}
    after: {alone: early}
    merge: concat
outputs: {first: first}
training: {}
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_output_reads_a_step(backend: str, tmp_path: Path) -> None:
    """No later step reads it, but it is computed, in training too."""
    spec = tmp_path / "two_maps.yaml"
    spec.write_text(UNREAD, encoding="utf-8")
    assert problem(spec, backend, source(spec, backend), case_of(spec)) == ""


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d.name)
def test_seeded_defects_are_found(later: tuple[Path, Any, Any], defect: Defect) -> None:
    spec, case, expected = later
    with defect.seeded():
        text = source(spec, "torch")
    found = problem(spec, "torch", text, case, expected)
    assert found.startswith("outputs"), found
