"""``recalibrate`` of generated files: moving statistics become those of the data, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frameworks import BACKENDS, running

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import batch, calibrated, seeded

Compiled = Callable[..., TypedProgram]
NETWORK = """
network: normed
input: {channels: 3, height: 7, width: 6}
classes: 4
defaults: {batch_norm: {decay: 0.9997}}
body:
  - {op: batch_norm, name: first}
  - {op: conv_bn, name: one, filters: 5, kernel_size: 3, batch_norm: {scale: false, decay: 0.5}}
  - {op: dropout, rate: 0.5}
  - {op: conv_bn, name: two, filters: 6, kernel_size: 3, stride: 2, activation: none}
aux_heads: {side: {after: one, loss_weight: 0.3,
  steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}}
head: [{op: global_avg_pool}, {op: dense, units: 7}, {op: batch_norm, name: last},
  {op: dense, units: $classes}]
"""
MOVING = ("moving_mean", "moving_variance")


def recalibrated(backend: str, model: Any, batches: list[Any]) -> dict[str, Any]:
    """The weights after ``recalibrate``, from NumPy batches that are channels last."""
    if backend == "torch":
        import torch

        moved = [torch.from_numpy(np.moveaxis(x, -1, 1).copy()) for x in batches]
        model.module.recalibrate(model.net, moved)
    else:
        model.module.recalibrate(model.model, batches)
    found: dict[str, Any] = model.weights()
    return found


def made(backend: str, typed: TypedProgram) -> Any:
    model = running(backend, typed)
    model.load(seeded(typed))
    if backend == "keras":
        for layer, rate in model.dropouts.items():
            layer.rate = rate  # the runner sets it to 0
    return model


def settings(backend: str, model: Any) -> list[Any]:
    """What ``recalibrate`` must not change: decays, modes, dropout rates."""
    if backend == "torch":
        modules = list(model.net.modules())
        names = ("training", "momentum", "p", "_forward_pre_hooks")
        return [[str(getattr(m, n, None)) for n in names] for m in modules]
    names = ("trainable", "momentum", "rate")
    return [[getattr(layer, n, None) for n in names] for layer in model.model.layers]


@pytest.mark.parametrize("backend", BACKENDS)
def test_statistics_are_those_of_the_batch(backend: str, compiled: Compiled) -> None:
    typed = compiled(NETWORK)
    x, model = batch(typed, size=8), made(backend, typed)
    before = settings(backend, model)
    found = recalibrated(backend, model, [x])
    expected = calibrated(typed, seeded(typed), x)
    assert sum(path.endswith(MOVING) for path in expected) == 8
    for path, value in expected.items():
        assert np.allclose(found[path], value, rtol=1e-10, atol=1e-12), path
    assert settings(backend, model) == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_batches_of_any_size_give_the_statistics_of_all_data(
    backend: str, compiled: Compiled
) -> None:
    """The mean of their variances would miss the variance of their means."""
    typed = compiled(NETWORK)
    x = batch(typed, size=11) + 30 * np.arange(11).reshape(-1, 1, 1, 1)
    found = recalibrated(backend, made(backend, typed), [x[:2], x[2:6], x[6:]])
    assert np.allclose(found["first/moving_mean"], x.mean(axis=(0, 1, 2)), rtol=1e-12)
    assert np.allclose(found["first/moving_variance"], x.var(axis=(0, 1, 2)), rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_frozen_model_and_an_error(backend: str, compiled: Compiled) -> None:
    """A frozen model is recalibrated too; an error in the data leaves all settings as they were."""
    typed = compiled(NETWORK)
    x, model = batch(typed, size=8), made(backend, typed)
    if backend == "keras":
        model.model.trainable = False
    else:
        model.net.train().requires_grad_(False)
    before = settings(backend, model)
    with pytest.raises((TypeError, ValueError)):
        recalibrated_from(backend, model, [None])
    assert settings(backend, model) == before
    found = recalibrated(backend, model, [x])
    expected = calibrated(typed, seeded(typed), x)
    assert np.allclose(found["two/bn/moving_mean"], expected["two/bn/moving_mean"], rtol=1e-10)
    assert settings(backend, model) == before


def recalibrated_from(backend: str, model: Any, batches: Any) -> None:
    """``recalibrate`` on anything."""
    model.module.recalibrate(model.net if backend == "torch" else model.model, batches)


@pytest.mark.parametrize("backend", BACKENDS)
def test_files_without_batch_norm_have_no_such_function(backend: str, compiled: Compiled) -> None:
    text = "network: plain\ninput: {channels: 3, height: 7, width: 6}\nbody: [{op: identity}]\n"
    assert not hasattr(made(backend, compiled(text)).module, "recalibrate")
