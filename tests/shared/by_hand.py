"""Networks of `specs/family` that no package has, as functions of the weights by path in the spec.

They are written from the papers and the authors' code. Weights are NumPy arrays in the neutral
layout, inputs are channels last, and everything is computed in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Weights = Mapping[str, Any]


class Layers:
    """Layers in PyTorch with the weights below a path; batch norm by moving statistics."""

    def __init__(self, weights: Weights, path: str = "") -> None:
        self.weights, self.path = weights, path

    def __truediv__(self, step: object) -> Layers:
        return Layers(self.weights, f"{self.path}{step}/")

    def get(self, name: str) -> Tensor | None:
        found = self.weights.get(f"{self.path}{name}")
        return None if found is None else torch.from_numpy(found)

    def conv(self, x: Tensor, stride: int = 1, padding: Any = "same", groups: int = 1) -> Tensor:
        kernel = self.get("kernel")
        assert kernel is not None, self.path
        rank, kernel = kernel.ndim - 2, kernel.movedim((-1, -2), (0, 1))
        conv = {1: F.conv1d, 2: F.conv2d}[rank]
        return conv(x, kernel, self.get("bias"), stride, padding, groups=groups)

    def dense(self, x: Tensor) -> Tensor:
        kernel = self.get("kernel")
        assert kernel is not None, self.path
        return F.linear(x, kernel.T, self.get("bias"))

    def norm(self, x: Tensor) -> Tensor:
        mean, variance = self.get("moving_mean"), self.get("moving_variance")
        return F.batch_norm(x, mean, variance, self.get("gamma"), self.get("beta"), eps=1e-3)

    def conv_bn(self, x: Tensor, relu: bool = True) -> Tensor:
        x = (self / "bn").norm((self / "conv").conv(x))
        return x.relu() if relu else x


def alexnet(weights: Weights, images: Any) -> Any:
    """AlexNet with two groups and local response norm, by its formula."""
    net, x = Layers(weights), torch.from_numpy(images).movedim(-1, 1)
    x = respond((net / "conv1").conv(x, 4, "valid").relu())
    x = respond((net / "conv2").conv(F.max_pool2d(x, 3, 2), 1, 2, 2).relu())
    x = (net / "conv3").conv(F.max_pool2d(x, 3, 2), 1, 1).relu()
    x = (net / "conv4").conv(x, 1, 1, 2).relu()
    x = F.max_pool2d((net / "conv5").conv(x, 1, 1, 2).relu(), 3, 2)
    x = x.movedim(1, -1).flatten(1)
    x = (net / "fc7").dense((net / "fc6").dense(x).relu()).relu()
    return (net / "classifier").dense(x).numpy()


def respond(x: Tensor) -> Tensor:
    """Krizhevsky et al. 2012, section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75."""
    squares, channels = x**2, x.shape[1]
    near = [squares[:, max(0, i - 2) : min(channels, i + 3)].sum(1) for i in range(channels)]
    return x / (2 + 1e-4 * torch.stack(near, 1)) ** 0.75


def inception_time(weights: Weights, series: Any) -> Any:
    """InceptionTime; the first module of a series of one channel has no bottleneck."""
    net, x = Layers(weights), torch.from_numpy(series).movedim(-1, 1)
    one = x.shape[1] == 1
    for block in ("block1", "block2"):
        own, given = net / block, x
        for depth in range(3):
            module = own / "residual" / depth
            if one and block == "block1":
                inner = own / "residual"
                module = (
                    inner / "inception_module" / (depth - 1) if depth else inner / "first_module"
                )
            x = time_module(module, x)
        x = (x + (own / "shortcut").conv_bn(given, relu=False)).relu()
    return (net / "classifier").dense(x.mean(2)).numpy()


def time_module(layers: Layers, x: Tensor) -> Tensor:
    inner = layers / "convolutions"
    bottleneck = inner / "bottleneck"
    y = x if bottleneck.get("kernel") is None else bottleneck.conv(x)
    parts = [(inner / f"conv_{size}").conv(y) for size in (40, 20, 10)]
    parts.append((layers / "pooled" / 1).conv(F.max_pool1d(x, 3, 1, 1)))
    return (layers / 1).norm(torch.cat(parts, 1)).relu()


def multires_unet(weights: Weights, images: Any) -> Any:
    """MultiResUNet, level by level: the map before the sigmoid."""
    x = torch.from_numpy(images).movedim(-1, 1)
    x = unet_level(Layers(weights), x, 1)
    return (Layers(weights) / "mask").conv_bn(x, relu=False).movedim(1, -1).numpy()


def unet_level(layers: Layers, x: Tensor, level: int) -> Tensor:
    """The encoder and the decoder of one level, and what is between."""
    x = multires(layers / f"encoder{level}", x)
    deeper, y = layers / f"deeper{level}", F.max_pool2d(x, 2)
    y = unet_level(deeper, y, level + 1) if level < 4 else multires(deeper / "bottom", y)
    up = deeper / "up"
    kernel = up.get("kernel")
    assert kernel is not None
    y = F.conv_transpose2d(y, kernel.movedim((-1, -2), (0, 1)), up.get("bias"), stride=2)
    skip = layers / f"skip{level}"
    for step in range(5 - level):
        own = skip / step if level < 4 else skip
        x = (own / "residual").conv_bn(x) + (own / "shortcut").conv_bn(x, relu=False)
        x = (own / 2).norm(x.relu())
    return multires(layers / f"decoder{level}", torch.cat([y, x], 1))


def multires(layers: Layers, x: Tensor) -> Tensor:
    residual = layers / "residual"
    first = (residual / "conv_3x3").conv_bn(x)
    second = (residual / "wider" / "conv_5x5").conv_bn(first)
    third = (residual / "wider" / "pixels_7x7").conv_bn(second)
    y = (residual / 2).norm(torch.cat([first, second, third], 1))
    return (layers / 2).norm((y + (layers / "shortcut").conv_bn(x, relu=False)).relu())


def channel_attention(x: Any, reduce: Any, expand: Any) -> Any:
    """CBAM, equation 2: one perceptron for the mean and for the maximum."""

    def perceptron(v: Any) -> Any:
        return np.maximum(v @ reduce[0] + reduce[1], 0) @ expand[0] + expand[1]

    logits = perceptron(x.mean((1, 2))) + perceptron(x.max((1, 2)))
    return x / (1 + np.exp(-logits))[:, None, None]
