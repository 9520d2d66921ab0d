"""The networks of `specs/family` that have published names: as packages have them, and the I3D,
which no package has, written out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import keras
import operators
import torch
from originals import Network
from torch import Tensor, nn
from torch.nn import functional as F

operators.declare()

import timm  # noqa: E402
import torchvision  # noqa: E402
from torchvision.models.vgg import VGG, cfgs, make_layers  # noqa: E402


def _keras(name: str) -> Callable[..., Any]:
    return partial(getattr(keras.applications, name), classifier_activation=None)


def _torchvision(name: str) -> Callable[[], Any]:
    return lambda: getattr(torchvision.models, name)(weights=None)


def _timm(name: str) -> Callable[[], Any]:
    return lambda: timm.create_model(name)


VGG_WIDTH = 8
"""The published VGG has 138 million weights: the test has one with an eighth of its filters."""
NARROW = {"width": str(1 / VGG_WIDTH), "head.fc6.units": "96", "head.fc7.units": "80"}


def _vgg(config: str) -> Any:
    """A VGG of torchvision with few filters and units."""
    layers = [n if n == "M" else int(n) // VGG_WIDTH for n in cfgs[config]]
    net = VGG(make_layers(layers), init_weights=False)
    sizes = (512 // VGG_WIDTH * 49, 96, 80, 1000)
    for index, (ins, outs) in zip((0, 3, 6), pairwise(sizes), strict=True):
        net.classifier[index] = nn.Linear(ins, outs)
    return net


class I3DUnit(nn.Module):
    """A convolution as in TensorFlow, batch norm and ReLU."""

    def __init__(self, ins: int, outs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(ins, outs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(outs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv3d
        return F.relu(self.bn(conv(same(x, conv.kernel_size, conv.stride))))


def same(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Zeros around ``x`` as TensorFlow's `SAME`; a ReLU came before, so a maximum ignores them."""
    pads = []
    for size, k, s in reversed(list(zip(x.shape[2:], kernel, stride, strict=True))):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def pooled(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    return F.max_pool3d(same(x, kernel, stride), kernel, stride)


class I3DModule(nn.Module):
    def __init__(self, ins: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        a, b, c, d, e, f = widths
        self.b0, self.b1a, self.b1b = I3DUnit(ins, a), I3DUnit(ins, b), I3DUnit(b, c, 3)
        self.b2a, self.b2b, self.b3b = I3DUnit(ins, d), I3DUnit(d, e, 3), I3DUnit(ins, f)

    def forward(self, x: Tensor) -> Tensor:
        pool = pooled(x, (3, 3, 3), (1, 1, 1))
        branches = [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pool)]
        return torch.cat(branches, 1)


I3D_MODULES = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}
I3D_POOLS = {
    "3b": ((1, 3, 3), (1, 2, 2)),
    "4b": ((3, 3, 3), (2, 2, 2)),
    "5b": ((2, 2, 2), (2, 2, 2)),
}


class I3D(nn.Module):
    """The I3D with a smaller last pool, so that it runs on small videos."""

    def __init__(self, pool: tuple[int, int, int] = (2, 2, 2)) -> None:
        super().__init__()
        self.pool = pool
        self.Conv3d_1a_7x7 = I3DUnit(3, 64, 7, 2)
        self.Conv3d_2b_1x1, self.Conv3d_2c_3x3 = I3DUnit(64, 64), I3DUnit(64, 192, 3)
        ins = 192
        for name, widths in I3D_MODULES.items():
            self.add_module(f"Mixed_{name}", I3DModule(ins, widths))
            ins = widths[0] + widths[2] + widths[4] + widths[5]
        self.logits = nn.Module()
        self.logits.conv3d = nn.Conv3d(ins, 400, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = pooled(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        for name in I3D_MODULES:
            x = pooled(x, *I3D_POOLS[name]) if name in I3D_POOLS else x
            x = getattr(self, f"Mixed_{name}")(x)
        return self.logits.conv3d(F.avg_pool3d(x, self.pool, stride=1)).mean((2, 3, 4))


NETWORKS = (
    Network("xception", "keras-applications", _keras("Xception"), (71, 71)),
    Network("vgg_16", "keras-applications", _keras("VGG16"), (32, 40)),
    Network("vgg_19", "keras-applications", _keras("VGG19"), (33, 32)),
    Network("inception_next_tiny", "timm", _timm("inception_next_tiny"), (32, 64)),
    Network("resnet_50", "torchvision", _torchvision("resnet50"), (64, 48)),
    Network("alexnet_one_tower", "torchvision", _torchvision("alexnet"), (224, 224)),
    Network("vgg_16", "torchvision", partial(_vgg, "D"), (224, 224)),
    Network("vgg_19", "torchvision", partial(_vgg, "E"), (224, 224)),
    Network("i3d_rgb", "piergiaj", I3D, (9, 33, 40)),
)
SETTINGS = {
    "torchvision": {"vgg_16": NARROW, "vgg_19": NARROW},
    "piergiaj": {
        "i3d_rgb": {"head.0.kernel_size": "[2, 2, 2]", "defaults.batch_norm.scale": "true"}
    },
}
"""The settings with which a spec is the same, for each source."""
