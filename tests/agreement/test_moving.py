"""Ops that move values: the frameworks' own functions, ShuffleNet and ESPCN, and sizes that fit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from frameworks import BACKENDS, emitted, running
from operators import declare
from steps import op
from torch import nn

from inception_dsl.backend import module_from_source
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.gradients import BACKWARD
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.testing.conformance import Agrees, prepared

Compiled = Callable[..., TypedProgram]
SIZES = {0: (), 1: (6,), 2: (6, 4), 3: (2, 4, 6)}


def blocked(x: Any, rank: int, b: int, order: str) -> Any:
    """The definition, value by value, in loops."""
    sizes, channels = [n // b for n in x.shape[1:-1]], x.shape[-1]
    y = np.empty((len(x), *sizes, channels * b**rank))
    inside = itertools.product(range(b), repeat=rank)
    for (p, offset), c in itertools.product(enumerate(inside), range(channels)):
        index = p * channels + c if order == "channels_last" else c * b**rank + p
        for pixel in np.ndindex(*sizes):
            at = tuple(i * b + o for i, o in zip(pixel, offset, strict=True))
            y[(slice(None), *pixel, index)] = x[(slice(None), *at, c)]
    return y


@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_blocks_by_their_definition(rank: int, order: str) -> None:
    """Both directions, forward and backward: they are each other's inverse and transpose."""
    rng = np.random.default_rng(rank)
    deep, wide = (
        op(f"{kind}, block_size: 2, order: {order}")
        for kind in ("space_to_depth", "depth_to_space")
    )
    x = rng.normal(size=(2, *SIZES[rank], 3))
    y = blocked(x, rank, 2, order)
    assert np.array_equal(REFERENCE[deep.op](deep, x, {}), y)
    assert np.array_equal(REFERENCE[wide.op](wide, y, {}), x)
    dy, dx = rng.normal(size=y.shape), rng.normal(size=x.shape)
    found = BACKWARD[deep.op](deep, x, {}, y, dy)[0]
    assert np.isclose((found * x).sum(), (dy * y).sum(), rtol=1e-12)
    assert np.array_equal(blocked(found, rank, 2, order), dy)
    assert np.array_equal(BACKWARD[wide.op](wide, y, {}, x, dx)[0], blocked(dx, rank, 2, order))


def test_blocks_are_those_of_pytorch_timm_and_tensorflow() -> None:
    import tensorflow as tf

    declare()
    from timm.layers.space_to_depth import SpaceToDepth

    x = np.random.default_rng(0).normal(size=(2, 6, 9, 4))
    first = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
    step = op("space_to_depth, block_size: 3")
    found = REFERENCE[step.op](step, x, {})
    assert np.array_equal(found, tf.nn.space_to_depth(x, 3).numpy())
    square = np.random.default_rng(1).normal(size=(2, 8, 12, 3))
    step = op("space_to_depth, block_size: 4")
    wanted = SpaceToDepth(4)(torch.from_numpy(np.moveaxis(square, -1, 1).copy())).numpy()
    assert np.array_equal(REFERENCE[step.op](step, square, {}), np.moveaxis(wanted, 1, -1))
    step = op("space_to_depth, block_size: 3, order: channels_first")
    found = REFERENCE[step.op](step, x, {})
    assert np.array_equal(found, np.moveaxis(nn.PixelUnshuffle(3)(first).numpy(), 1, -1))
    step = op("depth_to_space, block_size: 2")
    assert np.array_equal(REFERENCE[step.op](step, x, {}), tf.nn.depth_to_space(x, 2).numpy())
    step = op("depth_to_space, block_size: 2, order: channels_first")
    found = REFERENCE[step.op](step, x, {})
    assert np.array_equal(found, np.moveaxis(nn.PixelShuffle(2)(first).numpy(), 1, -1))


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_a_shuffle_is_pytorchs(rank: int, groups: int) -> None:
    rng = np.random.default_rng(groups)
    x, dy = rng.normal(size=(2, 2, *SIZES[rank], 6))
    first = torch.tensor(np.moveaxis(x, -1, 1).reshape(2, 6, -1), requires_grad=True)
    wanted = nn.ChannelShuffle(groups)(first)
    wanted.backward(torch.tensor(np.moveaxis(dy, -1, 1).reshape(2, 6, -1)))
    step = op(f"channel_shuffle, groups: {groups}")
    y = REFERENCE[step.op](step, x, {})
    assert np.array_equal(np.moveaxis(y, -1, 1).reshape(2, 6, -1), wanted.detach().numpy())
    assert first.grad is not None
    dx = BACKWARD[step.op](step, x, {}, y, dy)[0]
    assert np.array_equal(np.moveaxis(dx, -1, 1).reshape(2, 6, -1), first.grad.numpy())


def test_a_crop_is_kerass_and_undoes_a_zero_pad() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 7, 8, 3))
    crop, pad = op("crop, cropping: [[1, 2], [0, 3]]"), op("zero_pad, padding: [[1, 2], [0, 3]]")
    y = REFERENCE[crop.op](crop, x, {})
    keras_y = keras.layers.Cropping2D(((1, 2), (0, 3)), dtype="float64")(x)
    assert np.array_equal(y, keras.ops.convert_to_numpy(keras_y))
    padded = REFERENCE[pad.op](pad, x, {})
    assert np.array_equal(REFERENCE[crop.op](crop, padded, {}), x)
    dy = rng.normal(size=y.shape)
    dx = BACKWARD[crop.op](crop, x, {}, y, dy)[0]
    assert np.array_equal(dx, REFERENCE[pad.op](pad, dy, {}))


# Ma et al. 2018, ShuffleNet V2, figure 3c
UNIT = """\
block: unit
input: {channels: 16, height: 7, width: 6}
defaults: {conv_bn: {batch_norm: {epsilon: 0.00001}}, batch_norm: {epsilon: 0.00001}}
steps:
  - branches:
      first: []
      branch2:
        - {op: conv_bn, filters: 8, kernel_size: 1}
        - {op: depthwise_conv, kernel_size: 3, use_bias: false}
        - {op: batch_norm}
        - {op: conv_bn, filters: 8, kernel_size: 1}
    split: equal
    merge: concat
  - {op: channel_shuffle, groups: 2}
"""
# the modules of torchvision, by path
MODULES = {"0/conv": 0, "0/bn": 1, "1": 3, "2": 4, "3/conv": 5, "3/bn": 6}
KINDS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
         "moving_variance": "running_var", "kernel": "weight"}  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
def test_shufflenet_is_that_of_torchvision(backend: str, compiled: Compiled) -> None:
    declare()
    from torchvision.models.shufflenetv2 import InvertedResidual

    theirs = InvertedResidual(16, 16, 1).double().eval()
    typed = compiled(UNIT)
    state = {}
    for name, value in seeded(typed, 2).items():
        path, kind = name.split("branch2/")[1].rsplit("/", 1)
        if kind == "kernel":  # of the depthwise convolution: one filter for each channel
            axes = (2, 3, 0, 1) if path == "1" else (3, 2, 0, 1)
            value = np.transpose(value, axes)
        state[f"branch2.{MODULES[path]}.{KINDS[kind]}"] = torch.tensor(value)
    missing = theirs.load_state_dict(state, strict=False)
    assert all("num_batches" in key for key in missing.missing_keys)
    assert not missing.unexpected_keys
    model, x = running(backend, typed), batch(typed, 3)
    model.load(seeded(typed, 2))
    wanted = theirs(torch.tensor(np.moveaxis(x, -1, 1))).detach().numpy()
    np.testing.assert_allclose(model.forward(x)["output"], np.moveaxis(wanted, 1, -1), atol=1e-12)


# Shi et al. 2016, ESPCN; a block whose arguments decide sizes and channels
ESPCN = """\
network: espcn
input: {channels: 1, height: 6, width: 8}
blocks:
  enlarge:
    params: {factor: int, out: int, cut: int}
    steps:
      - {op: conv, filters: "${out * factor * factor}", kernel_size: 3}
      - {op: depth_to_space, block_size: $factor, order: channels_first}
      - {op: crop, cropping: $cut}
  reduce:
    params: {factor: int}
    steps:
      - {op: space_to_depth, block_size: $factor}
      - {op: channel_shuffle, groups: "${factor * factor}"}
      - {op: conv, filters: "${in_channels * factor}", kernel_size: 1, activation: tanh}
body:
  - {use: enlarge, name: first, factor: 2, out: 3, cut: 1}
  - {use: enlarge, name: second, factor: 3, out: 2, cut: 3}
  - {use: reduce, factor: 2}
  - {use: reduce, name: again, factor: 3}
  - {op: conv, filters: 4, kernel_size: 3}
  - {op: activation, function: softmax, parts: 2}
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_blocks_take_arguments(backend: str, write: Callable[..., Path]) -> None:
    """Outputs, gradients and a training step, in float64; the arguments are not printed inside."""
    path = write(ESPCN)
    case = prepared(path, {})
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(case)
    text = emitted(backend, case.typed)
    wanted = {
        "torch": ("nn.PixelShuffle(factor)", "nn.PixelUnshuffle(factor)", "nn.ZeroPad2d(-cut)"),
        "keras": ('x, factor, "channels_first"', 'x, factor, "channels_last"', "D(cut, name"),
    }
    assert all(part in text for part in wanted[backend]), text


def test_networks_are_scripted_traced_exported_and_saved(
    compiled: Compiled, tmp_path: Path
) -> None:
    typed = compiled(ESPCN)
    model = running("torch", typed)
    model.load(seeded(typed, 1))
    net, x = model.net, torch.tensor(np.moveaxis(batch(typed, 1), -1, 1))
    for other in (torch.jit.script(net), torch.fx.symbolic_trace(net)):
        assert torch.equal(other(x), net(x))
    exported = torch.export.export(net, (x,)).module()
    assert torch.equal(exported(x), net(x))
    made = module_from_source(emitted("keras", typed), "espcn_saved").espcn()
    made.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = batch(typed, 1).astype("float32")
    assert np.array_equal(made.predict(images, verbose=0), loaded.predict(images, verbose=0))


def test_sizes_that_blocks_do_not_divide_are_rejected(compiled: Compiled) -> None:
    """n - 1 rows after a crop and a pad must be divisible by 3, and what is left by 2."""
    typed = compiled("""\
network: deep
input: {channels: 2, height: 13, width: 24}
body:
  - {op: crop, cropping: [[1, 1], [0, 0]]}
  - {op: zero_pad, padding: [[1, 0], [0, 0]]}
  - {op: space_to_depth, block_size: 3}
  - {op: space_to_depth, block_size: 2}
""")
    net = module_from_source(emitted("torch", typed), "deep_sizes").Deep()
    for rows, columns in itertools.product(range(1, 27), (6, 9, 12)):
        x = torch.zeros(1, 2, rows, columns)
        if (rows - 1) % 6 or rows == 1 or columns % 6:
            with pytest.raises(ValueError, match="pixels"):
                net(x)
        else:
            assert net(x).shape == (1, 72, (rows - 1) // 6, columns // 6)
    nearest = "on 20 pixels; the nearest sizes that it runs on are 19 and 25"
    with pytest.raises(ValueError, match=nearest):
        net(torch.zeros(1, 2, 20, 12))
    deep = module_from_source(emitted("keras", typed), "deep_sizes_keras").deep
    with pytest.raises(ValueError, match=nearest):
        deep((20, 12, 2))
    assert deep((19, 12, 2)).output_shape == (None, 3, 2, 72)
