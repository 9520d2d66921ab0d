"""The runner: training steps against the reference, differences and plain PyTorch; weight files; boundaries."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from inception_dsl_torch import BACKEND
from inception_dsl_torch.runner import TorchModel, create
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from inception_dsl.backend import Report, Step
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference import training
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import FLOAT64, GRADIENT64, distance, gradient_errors

Compiled = Callable[..., TypedProgram]
HEADS = """
network: two_heads
input: {channels: 3, height: 9, width: 12}
classes: 5
defaults: {conv_bn: {activation: tanh}}
stem:
  - {op: conv_bn, name: first, filters: 4, kernel_size: 3, stride: 2, batch_norm: {scale: false, decay: 0.9}}
  - {op: conv_bn, name: second, filters: 6, kernel_size: 3, use_bias: true, batch_norm: {center: false, decay: 0.99}}
body:
  - {op: conv_bn, name: third, filters: 4, kernel_size: [1, 3], batch_norm: {scale: false, center: false}}
  - {op: separable_conv, name: fourth, filters: 4, kernel_size: 3, depth_multiplier: 2}
aux_heads:
  early: {after: first, loss_weight: 0.3, steps: [{op: flatten}, {op: dense, name: fc, units: $classes}]}
  late: {after: third, loss_weight: 0.7, steps: [{op: global_avg_pool}, {op: dropout, rate: 0.9}, {op: dense, name: fc, units: $classes}]}
head: [{op: global_avg_pool}, {op: dropout, rate: 0.5}, {op: dense, name: fc, units: $classes}]
training: {label_smoothing: 0.2}
"""
BLOCK = """
block: fork
input: {channels: 3, height: 5, width: 4}
steps:
  - branches:
      branch_conv: [{op: conv, filters: 2, kernel_size: 3, activation: tanh}]
      branch_norm: [{op: conv_bn, filters: 3, kernel_size: 1, activation: sigmoid}]
    merge: concat
"""
PLAIN = """
network: plain
input: {channels: 3, height: 4, width: 5}
classes: 4
stem: [{op: conv, name: conv, filters: 6, kernel_size: 3, stride: 2, padding: valid, activation: relu}]
head: [{op: flatten}, {op: dense, name: fc, units: $classes}]
training: {label_smoothing: 0.1}
"""
SMALL = """
network: small
input: {channels: 2, height: 5, width: 4}
classes: 3
blocks: {unit: {steps: [{op: conv_bn, name: inner, filters: 3, kernel_size: 3}]}}
stem: [{op: conv_bn, filters: 3, kernel_size: 3}, {op: max_pool, kernel_size: 2}]
body:
  - {use: unit, name: units, repeat: 2}
  - {op: separable_conv, name: conv, filters: 4, kernel_size: 1, repeat: 2}
  - {name: fork, branches: {branch_a: [], branch_b: [{use: unit}]}, merge: concat}
head: [{op: global_avg_pool}, {op: dense, name: fc, units: $classes}]
"""


def running(typed: TypedProgram, dtype: str = "float64") -> TorchModel:
    """A model with seeded weights."""
    source = BACKEND.emit(typed, Report())
    assert source is not None
    model = create(typed, source, dtype)
    model.load(seeded(typed, seed=5))
    return model


def check(found: Step, typed: TypedProgram, x: Any, targets: Any, rate: float) -> training.Step:
    """Hold a step to the reference."""
    expected = training.step(typed, seeded(typed, seed=5), x, targets, rate)
    assert distance(found.loss, expected.loss) <= FLOAT64
    errors = gradient_errors(found.gradients, expected.gradients)
    assert max(errors.values()) <= GRADIENT64, errors
    after = training.unbiased(expected)
    assert found.weights.keys() == after.keys()
    for path, value in after.items():
        assert distance(found.weights[path], value) <= FLOAT64, path
    return expected


def test_a_step_with_heads_smoothing_dropout_and_partial_batch_norms(compiled: Compiled) -> None:
    typed = compiled(HEADS)
    assert typed.has_loss
    x, classes = batch(typed, seed=6, size=3), np.array([4, 0, 2])
    model = running(typed)
    check(model.step(x, classes, 0.05), typed, x, classes, 0.05)
    assert not model.net.training
    judge = interpret(typed, model.weights(), x).outputs
    assert distance(model.forward(x)["logits"], judge["logits"]) <= FLOAT64


def test_a_step_of_a_block_without_a_loss(compiled: Compiled) -> None:
    typed = compiled(BLOCK)
    assert not typed.has_loss
    x = batch(typed, seed=7, size=3)
    targets = {
        name: np.random.default_rng(8).normal(size=(3, *y.shape))
        for name, y in typed.outputs.items()
    }
    check(running(typed).step(x, targets, 0.1), typed, x, targets, 0.1)


def test_every_output_has_its_target(compiled: Compiled) -> None:
    typed = compiled(
        """
network: pyramid
input: {channels: 3, height: 8, width: 6}
stem: [{op: conv_bn, name: first, filters: 4, kernel_size: 3, stride: 2}]
body: [{op: conv, name: second, filters: 5, kernel_size: 3, activation: tanh}]
outputs: {early: first}
"""
    )
    x = batch(typed, seed=9, size=2)
    rng = np.random.default_rng(10)
    targets = {name: rng.normal(size=(2, *y.shape)) for name, y in typed.outputs.items()}
    assert len(targets) == 2
    check(running(typed).step(x, targets, 0.1), typed, x, targets, 0.1)


def test_gradients_are_differences_of_the_loss(compiled: Compiled) -> None:
    typed = compiled(BLOCK)
    x, weights = batch(typed, seed=11, size=2), seeded(typed, seed=5)
    (name,) = typed.outputs
    target = np.random.default_rng(12).normal(size=(2, *typed.y.shape))
    model = running(typed)

    def loss() -> float:
        return float((model.forward(x, training=True)[name] * target).sum())

    differences = {}
    step = 1e-5
    for path in model.step(x, {name: target}, 0.0).gradients:
        slopes = np.zeros(weights[path].shape)
        for index in np.ndindex(slopes.shape):
            losses = []
            for sign in (1, -1):
                moved = weights[path].copy()
                moved[index] += sign * step
                model.load({**weights, path: moved})
                losses.append(loss())
            slopes[index] = (losses[0] - losses[1]) / (2 * step)
        differences[path] = slopes
    model.load(weights)
    found = model.step(x, {name: target}, 0.0)
    errors = gradient_errors(found.gradients, differences)
    assert max(errors.values()) <= GRADIENT64, errors
    assert distance(found.loss, loss()) <= FLOAT64


def test_a_step_is_that_of_plain_pytorch(compiled: Compiled) -> None:
    typed = compiled(PLAIN)
    weights = seeded(typed, seed=5)
    x, classes, rate = batch(typed, seed=13, size=4), np.array([3, 1, 0, 1]), 0.2
    found = running(typed).step(x, classes, rate)
    own = {path: torch.tensor(value, requires_grad=True) for path, value in weights.items()}
    y = F.conv2d(
        torch.tensor(x).permute(0, 3, 1, 2),
        own["conv/kernel"].permute(3, 2, 0, 1),
        own["conv/bias"],
        stride=2,
    )
    y = y.relu().permute(0, 2, 3, 1).flatten(1) @ own["fc/kernel"] + own["fc/bias"]
    logs = y.log_softmax(dim=1)
    wanted = -(0.9 * logs[range(4), classes] + 0.1 * logs.mean(dim=1)).mean()
    wanted.backward()
    assert distance(found.loss, wanted.item()) <= FLOAT64
    assert found.gradients.keys() == found.weights.keys() == own.keys()
    for path, value in own.items():
        assert value.grad is not None
        assert distance(found.gradients[path], value.grad) <= GRADIENT64, path
        assert distance(found.weights[path], (value - rate * value.grad).detach()) <= FLOAT64, path


def test_weights_and_gradients_are_copies(compiled: Compiled) -> None:
    typed = compiled(SMALL)
    model = running(typed)
    before = model.weights()
    kept = {path: value.copy() for path, value in before.items()}
    x, target = batch(typed), {"logits": np.ones((2, 3))}
    step = model.step(x, target, 0.5)
    held = {path: value.copy() for path, value in step.weights.items()}
    model.step(x, target, 0.5)
    assert all(np.array_equal(value, before[path]) for path, value in kept.items())
    assert all(np.array_equal(value, step.weights[path]) for path, value in held.items())
    assert not any(
        np.array_equal(value, before[path]) for path, value in held.items() if "moving" in path
    )


def test_boundaries_are_blocks_and_modules_at_the_top(compiled: Compiled) -> None:
    typed = compiled(SMALL)
    x = batch(typed)
    model = running(typed)
    found = model.boundaries(x)
    named = ["units/0", "units/1", "conv/0", "conv/1", "fork/branch_b", "fc"]
    assert [*found] == ["stem/0", "stem/1", *named]
    judge = interpret(typed, model.weights(), x)
    assert distance(found["fc"], judge.outputs["logits"]) <= FLOAT64
    for path in ("units/0", "units/1", "fork/branch_b"):
        assert distance(found[path], judge.blocks[path]) <= FLOAT64


def test_files_load_into_the_generated_class(compiled: Compiled, tmp_path: Path) -> None:
    model = running(compiled(SMALL), "float32")
    model.step(batch(model.typed), {"logits": np.ones((2, 3))}, 0.1)
    path = tmp_path / "small.safetensors"
    path.write_bytes(b"old")
    model.save(path)
    assert [*tmp_path.glob("*.safetensors*")] == [path]
    net = model.module.Small()
    net.load_state_dict(load_file(path), strict=True)
    assert all(
        torch.equal(value, model.net.state_dict()[key]) for key, value in net.state_dict().items()
    )
    assert net.units[0].inner.bn.num_batches_tracked == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_files_of_other_floats_are_converted(
    dtype: torch.dtype, compiled: Compiled, tmp_path: Path
) -> None:
    model = running(compiled(SMALL))
    state = {
        k: v.to(dtype)
        for k, v in model.net.state_dict().items()
        if not k.endswith("num_batches_tracked")
    }
    save_file(state, tmp_path / "other.safetensors")
    model.restore(tmp_path / "other.safetensors")
    for key, value in state.items():
        assert torch.equal(model.net.state_dict()[key], value.double()), key


def test_one_error_lists_everything_and_changes_nothing(compiled: Compiled, tmp_path: Path) -> None:
    model = running(compiled(SMALL), "float32")
    weights = model.weights()
    state = {key: value.clone() for key, value in model.net.state_dict().items()}
    del state["fc.bias"]
    state["more.weight"] = torch.ones(2)
    state["fc.weight"] = torch.ones(4, 3)
    state["stem.0.bn.weight"] = torch.ones(3, dtype=torch.int32)
    state["units.0.inner.bn.num_batches_tracked"] = torch.tensor(1.0)
    state["units.1.inner.bn.bias"][1] = float("nan")
    state["units.1.inner.bn.running_mean"] = torch.full((3,), 1e300, dtype=torch.float64)
    save_file(state, tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError) as caught:
        model.restore(tmp_path / "wrong.safetensors")
    assert str(caught.value).split(" does not fit: ")[1].split("; ") == [
        "fc.bias is missing",
        "more.weight is unknown",
        "stem.0.bn.weight holds int32, expected float32",
        "units.0.inner.bn.num_batches_tracked holds float32, expected int64",
        "units.1.inner.bn.bias is not finite",
        "units.1.inner.bn.running_mean is not finite",
        "fc.weight has (4, 3), expected (3, 7)",
    ]
    assert all(np.array_equal(value, weights[path]) for path, value in model.weights().items())


def test_damaged_files_are_refused(compiled: Compiled, tmp_path: Path) -> None:
    model = running(compiled(SMALL), "float32")
    weights = model.weights()
    path = tmp_path / "small.safetensors"
    model.save(path)
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    damaged = [data[:length] for length in [0, 7, 8, header - 1, header, header + 1, len(data) - 1]]
    damaged += [
        data + b"\0",
        b"\xff" * 8 + data[8:],
        data.replace(b'"F32"', b'"I32"', 1),
        b"PK\x03\x04" + data,
    ]
    damaged.append(data.replace(b'"shape":[3]', b'"shape":[9]', 1))
    for text in damaged:
        path.write_bytes(text)
        with pytest.raises(
            ValueError, match=r"small.safetensors (is no whole safetensors file|does not fit): "
        ):
            model.restore(path)
    with pytest.raises(FileNotFoundError):
        model.restore(tmp_path / "none.safetensors")
    assert all(np.array_equal(value, weights[name]) for name, value in model.weights().items())


def test_a_pickle_is_never_opened(compiled: Compiled, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"fc.weight": Trap()}, tmp_path / "trap.safetensors")
    with pytest.raises(ValueError, match="is no whole safetensors file"):
        running(compiled(SMALL)).restore(tmp_path / "trap.safetensors")
    assert not (tmp_path / "sprung").exists()


def test_the_old_file_stays_where_writing_fails(
    compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "small.safetensors").write_bytes(b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        running(compiled(SMALL)).save(folder / "small.safetensors")
    assert (folder / "small.safetensors").read_bytes() == b"old"
    assert [p.name for p in folder.iterdir()] == ["small.safetensors"]
