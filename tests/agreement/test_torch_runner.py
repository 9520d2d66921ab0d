"""The PyTorch runner: training steps against the reference, finite differences and plain PyTorch;
outputs of blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch_specs import SMALL, running

from inception_dsl.backend import Step
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
  - {op: conv_bn, name: first, filters: 4, kernel_size: 3, stride: 2,
      batch_norm: {scale: false, decay: 0.9}}
  - {op: conv_bn, name: second, filters: 6, kernel_size: 3, use_bias: true,
      batch_norm: {center: false, decay: 0.99}}
body:
  - {op: conv_bn, name: third, filters: 4, kernel_size: [1, 3],
      batch_norm: {scale: false, center: false}}
  - {op: separable_conv, name: fourth, filters: 4, kernel_size: 3, depth_multiplier: 2}
aux_heads:
  early: {after: first, loss_weight: 0.3,
      steps: [{op: flatten}, {op: dense, name: fc, units: $classes}]}
  late: {after: third, loss_weight: 0.7,
      steps: [{op: global_avg_pool}, {op: dropout, rate: 0.9},
      {op: dense, name: fc, units: $classes}]}
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
stem: [{op: conv, name: conv, filters: 6, kernel_size: 3, stride: 2, padding: valid,
    activation: relu}]
head: [{op: flatten}, {op: dense, name: fc, units: $classes}]
training: {label_smoothing: 0.1}
"""


def check(found: Step, typed: TypedProgram, x: Any, targets: Any, rate: float) -> training.Step:
    """Compare a training step with the reference."""
    expected = training.step(typed, seeded(typed, seed=5), x, targets, rate)
    assert distance(found.loss, expected.loss) <= FLOAT64
    errors = gradient_errors(found.gradients, expected.gradients)
    assert max(errors.values()) <= GRADIENT64, errors
    after = training.unbiased(expected)
    assert found.weights.keys() == after.keys()
    for path, value in after.items():
        assert distance(found.weights[path], value) <= FLOAT64, path
    return expected


def test_step_with_heads_smoothing_dropout_and_partial_batch_norms(compiled: Compiled) -> None:
    typed = compiled(HEADS)
    assert typed.has_loss
    x, classes = batch(typed, seed=6, size=3), np.array([4, 0, 2])
    model = running(typed)
    targets = {"logits": classes}
    check(model.step(x, targets, 0.05), typed, x, targets, 0.05)
    assert not model.net.training
    reference = interpret(typed, model.weights(), x).outputs
    assert distance(model.forward(x)["logits"], reference["logits"]) <= FLOAT64


def test_step_of_a_block_without_a_loss(compiled: Compiled) -> None:
    typed = compiled(BLOCK)
    assert not typed.has_loss
    x = batch(typed, seed=7, size=3)
    targets = {
        name: np.random.default_rng(8).normal(size=(3, *y.shape))
        for name, y in typed.outputs.items()
    }
    check(running(typed).step(x, targets, 0.1), typed, x, targets, 0.1)


def test_step_with_a_target_per_output(compiled: Compiled) -> None:
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


def test_gradients_match_finite_differences(compiled: Compiled) -> None:
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


def test_step_matches_plain_pytorch(compiled: Compiled) -> None:
    typed = compiled(PLAIN)
    weights = seeded(typed, seed=5)
    x, classes, rate = batch(typed, seed=13, size=4), np.array([3, 1, 0, 1]), 0.2
    found = running(typed).step(x, {"logits": classes}, rate)
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


def test_boundaries_are_blocks_and_top_level_modules(compiled: Compiled) -> None:
    typed = compiled(SMALL)
    x = batch(typed)
    model = running(typed)
    outputs, found = model.inference(x)
    named = ["units/0", "units/1", "conv/0", "conv/1", "fork/branch_b", "head/0", "fc"]
    assert [*found] == ["stem/0", "stem/1", *named]
    reference = interpret(typed, model.weights(), x)
    assert outputs.keys() == reference.outputs.keys()
    for y in (outputs["logits"], found["fc"]):
        assert distance(y, reference.outputs["logits"]) <= FLOAT64
    for path in ("units/0", "units/1", "fork/branch_b"):
        assert distance(found[path], reference.blocks[path]) <= FLOAT64


def test_group_norm_of_one_channel_without_input_gradient(compiled: Compiled) -> None:
    """PyTorch 2.13 crashes on channels-last strides, which a one-channel input has by chance."""
    typed = compiled(
        "block: one\ninput: {channels: 1, height: 6, width: 6}\n"
        "steps: [{op: group_norm, groups: 1}]\n"
    )
    x = batch(typed)
    model = running(typed)
    model.load(seeded(typed, seed=5))
    targets = {"output": np.ones(x.shape)}
    check(model.step(x, targets, 0.1), typed, x, targets, 0.1)
