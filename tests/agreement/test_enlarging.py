"""Upsampling and transposed convolutions: PyTorch's own functions, small cases, and a U-Net."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from steps import op
from torch.nn import functional

from inception_dsl.cli import main
from inception_dsl.reference.gradients import BACKWARD
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.types.tensor import ShapeError, TensorType
from inception_dsl.verify.bounds import distance

EXACT = 1e-12


def channels_first(array: Any) -> Any:
    return torch.tensor(array).movedim(-1, 1).requires_grad_()


def cut(full: Any, axis: int, before: int, size: int) -> Any:
    """``size`` pixels of an axis from ``before``; pixels beyond the end are zeros."""
    beyond = max(before + size - full.shape[axis], 0)
    shape = [*full.shape]
    shape[axis] = beyond
    return torch.cat([full, full.new_zeros(shape)], axis).narrow(axis, before, size)


def kept(
    padding: Any,
    sizes: list[int],
    kernel: list[int],
    stride: list[int],
    dilation: list[int],
    more: list[int],
) -> list[tuple[int, int]]:
    """The definition: where the output begins in the whole one on each axis, and its size."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if padding == "same":
        axes = zip(spans, stride, sizes, strict=True)
        return [(max(span - s, 0) // 2, n * s) for span, s, n in axes]
    ends = [[0, 0]] * len(sizes) if padding == "valid" else padding
    full = [(n - 1) * s + span for n, s, span in zip(sizes, stride, spans, strict=True)]
    return [(p[0], m - sum(p) + a) for p, m, a in zip(ends, full, more, strict=True)]


@pytest.mark.parametrize("seed", range(80))
def test_a_transposed_convolution_is_a_cut_of_pytorchs(seed: int) -> None:
    """The definition of each padding in terms of the whole output; forward and backward."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    rank, groups = rng.choice((1, 2, 3)), rng.choice((1, 1, 2, 3))

    def some(low: int, high: int) -> list[int]:
        return [rng.randint(low, high) for _ in range(rank)]

    kernel, stride, dilation, sizes = some(1, 4), some(1, 3), some(1, 2), some(1, 5)
    sides = [[rng.randint(0, 2), rng.randint(0, 2)] for _ in range(rank)]
    padding: Any = rng.choice(("same", "valid", sides))
    more = [0] * rank if padding == "same" else some(0, 1)
    layer = op(
        f"conv_transpose, filters: {groups * 2}, kernel_size: {kernel}, stride: {stride}, dilation:"
        f" {dilation}, groups: {groups}, padding: {padding}, output_padding: {more}"
    )
    taken = TensorType(tuple(sizes), groups * rng.randint(1, 2))
    cuts = kept(padding, sizes, kernel, stride, dilation, more)
    free = (max(s, d) - a for a, s, d in zip(more, stride, dilation, strict=True))
    if min(*free, *(size for _, size in cuts)) < 1:
        with pytest.raises(ShapeError):
            layer.infer(taken)
        return
    assert layer.infer(taken).spatial == tuple(size for _, size in cuts)
    x = numbers.normal(size=(2, *taken.shape))
    weights = {w.name: numbers.normal(size=w.shape) for w in layer.weights(taken)}
    first = channels_first(x)
    swapped = np.moveaxis(weights["kernel"], (-1, -2), (0, 1)).copy()
    kernels = torch.tensor(swapped, requires_grad=True)
    whole = getattr(functional, f"conv_transpose{rank}d")
    y = whole(first, kernels, stride=stride, dilation=dilation, groups=groups)
    for axis, (before, size) in enumerate(cuts, 2):
        y = cut(y, axis, before, size)
    y = y + torch.tensor(weights["bias"]).view(1, -1, *[1] * rank)
    found = REFERENCE["conv_transpose"](layer, x, weights)
    assert distance(found, y.detach().movedim(1, -1).numpy()) < EXACT
    dy = numbers.normal(size=found.shape)
    y.backward(channels_first(dy))
    dx, slopes = BACKWARD["conv_transpose"](layer, x, weights, found, dy)
    assert distance(dx, first.grad.movedim(1, -1).numpy()) < EXACT
    assert distance(slopes["kernel"], np.moveaxis(kernels.grad.numpy(), (0, 1), (-1, -2))) < EXACT
    assert distance(slopes["bias"], dy.sum(tuple(range(rank + 1)))) < EXACT


@pytest.mark.parametrize("method", ["nearest", "linear", "linear, align_corners: true"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_upsampling_is_pytorchs(rank: int, method: str) -> None:
    numbers = np.random.default_rng(rank)
    mode = "nearest" if method == "nearest" else ["linear", "bilinear", "trilinear"][rank - 1]
    keywords = {} if method == "nearest" else {"align_corners": "true" in method}
    for _ in range(30):
        sizes, wanted = (numbers.integers(1, 9, rank).tolist() for _ in range(2))
        factors = numbers.integers(1, 4, rank).tolist()
        x = numbers.normal(size=(2, *sizes, 3))
        for field, value, given in (
            ("size", wanted, {"size": wanted}),
            ("factor", factors, {"scale_factor": [float(factor) for factor in factors]}),
        ):
            layer = op(f"upsample, {field}: {value}, method: {method}")
            first = channels_first(x)
            y = functional.interpolate(first, mode=mode, **given, **keywords)
            found = REFERENCE["upsample"](layer, x, {})
            assert distance(found, y.detach().movedim(1, -1).numpy()) < EXACT
            dy = numbers.normal(size=found.shape)
            y.backward(channels_first(dy))
            dx, _ = BACKWARD["upsample"](layer, x, {}, found, dy)
            assert distance(dx, first.grad.movedim(1, -1).numpy()) < EXACT


def test_small_cases_by_hand() -> None:
    ones = {"kernel": np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1), "bias": np.zeros(1)}

    def transposed(rest: str) -> list[float]:
        layer = op(f"conv_transpose, filters: 1, kernel_size: 3, {rest}")
        x = np.array([1.0, 2.0]).reshape(1, 2, 1)
        return [float(v) for v in REFERENCE["conv_transpose"](layer, x, ones).flat]

    assert transposed("stride: 2, padding: valid") == [1, 10, 102, 20, 200]
    assert transposed("stride: 2") == [1, 10, 102, 20]  # the odd pixel at the end
    assert transposed("stride: 2, padding: 1, output_padding: 1") == [10, 102, 20, 200]
    assert transposed("stride: 4") == [1, 10, 100, 0, 2, 20, 200, 0]
    assert transposed("stride: 1") == [12, 120]
    line = np.array([0.0, 4.0]).reshape(1, 2, 1)

    def larger(rest: str) -> list[float]:
        return [float(v) for v in REFERENCE["upsample"](op(f"upsample, {rest}"), line, {}).flat]

    assert larger("factor: 2") == [0, 0, 4, 4]
    assert larger("factor: 2, method: linear") == [0, 1, 3, 4]
    assert larger("size: 5, method: linear, align_corners: true") == [0, 1, 2, 3, 4]
    assert larger("size: 3") == [0, 0, 4]


@pytest.mark.parametrize(
    "rest",
    [
        "kernel_size: 3, dilation: 2",
        "kernel_size: [2, 3], stride: 3, dilation: [1, 2]",
        "kernel_size: 3, stride: 2, dilation: [1, 3], padding: 1, output_padding: [1, 2]",
        "kernel_size: 3, stride: 2, groups: 2, padding: [[0, 1], [2, 1]]",
    ],
)
def test_what_keras_refuses_agrees_in_pytorch(rest: str, tmp_path: Path) -> None:
    steps = f"[{{op: conv_transpose, filters: 6, {rest}}}]"
    text = f"network: b\ninput: {{channels: 4, height: 5, width: 6}}\nbody: {steps}\n"
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    call = ["verify", str(tmp_path / "b.yaml"), "--train", "--backend", "torch"]
    done = CliRunner().invoke(main, [*call, "--dtype", "float64"])
    assert done.exit_code == 0, done.output
    assert "agrees" in done.output


UNET = """
network: inception_unet
input: {channels: 2, height: 12, width: 20}
classes: 3
training: {initializer: {name: he_normal}}
blocks:
  inception:
    params: {filters: int}
    steps:
      - branches:
          branch_1x1: [{op: conv_bn, filters: $filters, kernel_size: 1}]
          branch_3x3: [{op: conv_bn, filters: $filters, kernel_size: 3}]
          branch_5x5: [{op: conv_bn, filters: $filters, kernel_size: 3, repeat: 2}]
        merge: concat
  up:
    params: {filters: int, size: int}
    steps: [{op: conv_transpose, filters: $filters, kernel_size: $size, stride: 2}]
body:
  - {use: inception, name: encoder_1, filters: 2}
  - name: level_1
    merge: concat
    branches:
      skip: []
      deeper:
        - {op: max_pool, kernel_size: 2, stride: 2, padding: valid}
        - {use: inception, name: encoder_2, filters: 3}
        - name: level_2
          merge: concat
          branches:
            skip: []
            deeper:
              - {op: max_pool, kernel_size: 2, stride: 2, padding: valid}
              - {use: inception, name: middle, filters: 4}
              - {op: upsample, factor: 2, method: linear}
        - {use: inception, name: decoder_2, filters: 3}
        - {use: up, filters: 4, size: 3}
  - {use: inception, name: decoder_1, filters: 2}
head:
  - {op: conv, filters: $classes, kernel_size: 1}
"""


def test_an_inception_unet(tmp_path: Path) -> None:
    """Outputs, gradients, a step, initial values and the sizes that run, in both frameworks."""
    (tmp_path / "unet.yaml").write_text(UNET, encoding="utf-8")
    call = ["verify", str(tmp_path / "unet.yaml"), "--train", "--dtype", "float64"]
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    assert done.output.count("agrees") == 2
    shown = CliRunner().invoke(main, ["summary", str(tmp_path / "unet.yaml")]).output
    words = "smallest input         4x4, without the sizes 5 to 7 and again every 4 pixels on each"
    assert words in shown


def test_the_keras_backend_names_what_it_refuses(tmp_path: Path) -> None:
    steps = "block: b\ninput: {channels: 4, length: 5}\nsteps: [{op: conv_transpose, filters: 4, "
    for field in ("groups", "dilation"):
        (tmp_path / "b.yaml").write_text(text := f"{steps}kernel_size: 2, {field}: 2}}]\n")
        call = ["build", str(tmp_path / "b.yaml"), "--backend", "keras", "--out", str(tmp_path)]
        done = CliRunner().invoke(main, call)
        assert done.exit_code == 1
        assert "error[E503]: Keras " in done.output
        assert f"no `{field}` in transposed convolutions" in done.output
        column = text.splitlines()[2].index(f"{field}: ") + len(field) + 3
        assert f"b.yaml:3:{column}" in done.output
