"""The runs of `learning.py`: which network learns what, in which framework, by which numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

V0: Final = """\
network: v0_digits
title: The naive module behind one convolution
input: {channels: 3, height: 28, width: 28}
classes: 10
import: [inception-dsl:v0]
stem: [{op: conv_bn, filters: 192, kernel_size: 3}]
body: [{use: inception_naive}]
head: [{op: max_pool, kernel_size: 4, stride: 4}, {op: flatten}, {op: dense, units: $classes}]
"""
"""A network for the block v0, whose input is 28x28x192."""

Settings = Mapping[str, object]


class Part(NamedTuple):
    """One run: the height and width of the input, and what `--set` changes besides."""

    name: str
    spec: str
    size: int
    width: float
    rate: float
    settings: Settings
    framework: str = "torch"
    processes: int = 1
    generalises: bool = False

    @property
    def given(self) -> dict[str, object]:
        """All settings, by field."""
        size = {"input.height": self.size, "input.width": self.size, "width": self.width}
        rate = {"training.optimizer.rate": self.rate}  # after the name, which drops other fields
        return {"classes": 10, **size, **self.settings, **rate}

    @property
    def stem(self) -> str:
        """The name of the generated files, which is that of the network in the table."""
        return Path(self.spec.removeprefix("inception-dsl:")).stem


BATCH_NORM: Final = {"defaults.batch_norm.decay": 0.9}
SGD: Final = {f"training.optimizer.{k}": v for k, v in (("name", "sgd"), ("form", "caffe"))}
MOMENTUM: Final = {"training.optimizer.momentum": 0.9}
ADAM: Final = {
    "training.optimizer": "{name: adam, form: torch, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8}"
}
"""For v1, which has no batch norm: with SGD its loss stays where it is for hundreds of steps."""
V2: Final = BATCH_NORM | SGD | MOMENTUM
ALONE: Final = {"training.replicas": "null"}
SHORT: Final = {
    "training.batch_size": 32,
    "training.epochs": 4,
    "training.schedule": "{name: cosine}",
    "training.average": "{decay: 0.9, warm_up: true}",
    "training.augmentation": "null",
}
"""What a run needs to be short; the papers' runs have millions of steps."""


def overfitting() -> Iterator[Part]:
    """The nine networks, each at the least size that its heads and pools allow."""
    yield Part("v0", "v0.yaml", 28, 0.25, 0.02, {**SHORT, **V2})
    for name, size, width, rate, own in (
        ("v1", 79, 0.25, 0.001, ADAM),
        ("v1_article", 193, 0.125, 0.005, SGD | MOMENTUM),
        ("v2", 63, 0.125, 0.05, V2),
        ("v2_article", 193, 0.125, 0.05, V2),
        ("v3", 299, 0.125, 0.15, BATCH_NORM | ALONE | {"training.epochs": 8}),
        ("v4", 75, 0.125, 0.15, BATCH_NORM | ALONE),
        ("inception_resnet_v1", 75, 0.125, 0.15, BATCH_NORM | ALONE),
        ("inception_resnet_v2", 75, 0.125, 0.15, BATCH_NORM | ALONE),
    ):
        yield Part(name, f"inception-dsl:{name}", size, width, rate, {**SHORT, **own})


def generalising() -> Iterator[Part]:
    """A quarter of v2, and of v1 with its auxiliary heads, in both frameworks."""
    longer = {"training.batch_size": 64, "training.epochs": 8}
    longer |= {"training.average": "{decay: 0.99, warm_up: true}"}
    for name, size, rate, own in (
        ("v2", 63, 0.1, V2),
        ("v1", 79, 0.001, ADAM),
    ):
        spec, settings = f"inception-dsl:{name}", {**SHORT, **longer, **own}
        yield Part(f"{name}-torch", spec, size, 0.25, rate, settings, "torch", 2, True)
        yield Part(f"{name}-keras", spec, size, 0.25, rate, settings, "keras", 1, True)


PARTS: Final = (*overfitting(), *generalising())
